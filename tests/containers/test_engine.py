"""The private Docker server starts, is shared, and leaves nothing, however its runs end."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest
from dmconform.containers import engine as engine_module
from dmconform.containers import labels
from dmconform.containers.bootstrap import install, keeper
from dmconform.containers.bootstrap.server import private_server
from dmconform.containers.engine import connect, engine, remove_private_data
from dmconform.core.errors import ExitCode, HarnessError

from tests.containers.machine import eventually, interfaces, keepers, place_of, socket_address, traces

pytestmark = pytest.mark.engine

RUN = """
import sys
from pathlib import Path
from dmconform.containers.bootstrap.server import private_server
with private_server(Path(sys.argv[1]) / "engine", lambda _: None) as socket:
    print(socket, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def own_cache(tmp_path: Path) -> Path:
    """A cache that no other test uses."""
    return tmp_path / "cache"


class Run:
    """A run in a process of its own, which uses the private server until it is told to end."""

    def __init__(self, cache: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(cache)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.socket = self.process.stdout.readline().strip()
        assert self.socket, "the run did not start a server"

    def end(self) -> None:
        """Ends it in the normal way."""
        self.process.communicate("", timeout=60)

    def signal(self, number: signal.Signals) -> None:
        """Ends it by a signal."""
        self.process.send_signal(number)
        self.process.communicate(timeout=60)


@pytest.fixture
def runs(own_cache: Path) -> Iterator[list[Run]]:
    """Runs of a test; those that are left are killed."""
    started: list[Run] = []
    yield started
    for run in started:
        if run.process.poll() is None:
            run.signal(signal.SIGKILL)
    assert eventually(lambda: not keepers(own_cache))


def start_container(address: str) -> None:
    """Starts a container, out of nothing but a program of this machine, which does not end when it is asked to."""
    with closing(connect(address)) as client:
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as image:
            for path in ("/usr/bin/sleep", *libraries("/usr/bin/sleep")):
                image.add(Path(path).resolve(), path.lstrip("/"), recursive=False)
        client.api.import_image_from_data(archive.getvalue(), repository="sleeper", tag="1")
        client.containers.run("sleeper:1", ["/usr/bin/sleep", "1000"], network_mode="none", detach=True)


def libraries(program: str) -> list[str]:
    """The libraries that a program needs, the loader included."""
    reported = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    return [word for line in reported.splitlines() for word in line.split() if word.startswith("/")]


def test_it_starts_and_leaves_nothing(own_cache: Path) -> None:
    before = interfaces()
    with private_server(own_cache / "engine", print) as socket:
        place = place_of(own_cache)
        start_container(f"unix://{socket}")
        assert interfaces() == before, "the server added a network interface"
        assert list(keeper.cgroups(place.name)), "the server's cgroup is expected to be its own"
        assert socket.parent.stat().st_mode & 0o077 == 0, "others may open the server's socket"
    assert traces(own_cache, place) == []
    assert interfaces() == before


def test_it_is_stopped_after_an_exception(own_cache: Path) -> None:
    with pytest.raises(ZeroDivisionError), private_server(own_cache / "engine", print):
        place = place_of(own_cache)
        raise ZeroDivisionError
    assert traces(own_cache, place) == []


def test_it_is_stopped_after_an_interruption(own_cache: Path, runs: list[Run]) -> None:
    runs.append(Run(own_cache))
    place = place_of(own_cache)
    runs[0].signal(signal.SIGINT)
    assert traces(own_cache, place) == [], "at the end of the interrupted run nothing may be left"


def test_it_is_stopped_when_its_run_is_killed(own_cache: Path, runs: list[Run]) -> None:
    runs.append(Run(own_cache))
    place = place_of(own_cache)
    start_container(f"unix://{runs[0].socket}")
    runs[0].signal(signal.SIGKILL)
    assert eventually(lambda: not traces(own_cache, place)), traces(own_cache, place)


def test_two_runs_share_it_and_the_last_stops_it(own_cache: Path, runs: list[Run]) -> None:
    runs += [Run(own_cache), Run(own_cache)]
    place = place_of(own_cache)
    assert runs[0].socket == runs[1].socket
    runs[0].end()  # the one that started it
    with closing(connect(f"unix://{runs[1].socket}")) as client:
        assert client.ping()
    runs[1].end()
    assert traces(own_cache, place) == []


def test_many_runs_at_once(own_cache: Path) -> None:
    waiting = [
        subprocess.Popen([sys.executable, "-c", RUN, str(own_cache)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        for _ in range(6)
    ]
    sockets = {process.communicate(timeout=120)[0] for process in waiting}
    assert [process.returncode for process in waiting] == [0] * len(waiting)
    assert b"" not in sockets
    assert not keepers(own_cache)


def test_the_server_ends_with_a_killed_keeper_and_the_next_run_cleans_up(own_cache: Path, runs: list[Run]) -> None:
    runs.append(Run(own_cache))
    place = place_of(own_cache)
    start_container(f"unix://{runs[0].socket}")
    (keeper_process,) = keepers(own_cache)
    os.kill(keeper_process, signal.SIGKILL)
    assert eventually(lambda: not keeper.processes(place)), "the server outlived its keeper"
    runs[0].signal(signal.SIGKILL)
    with private_server(own_cache / "engine", print) as socket, closing(connect(f"unix://{socket}")) as client:
        assert client.ping()
        assert traces(own_cache / "nothing", place) == []
    assert traces(own_cache, place) == []


def test_what_a_crashed_server_leaves_is_removed(own_cache: Path) -> None:
    with private_server(own_cache / "engine", print) as socket:
        place = place_of(own_cache)
        start_container(f"unix://{socket}")
        (keeper_process,) = keepers(own_cache)
        for process in keeper.processes(place):
            if Path(f"/proc/{process}/comm").read_text().strip() == "dockerd":
                os.kill(process, signal.SIGKILL)  # it leaves its containers running
        assert eventually(lambda: not keepers(own_cache)), f"the keeper {keeper_process} did not see its server end"
    assert traces(own_cache, place) == []


def test_a_server_that_cannot_start_is_reported_with_its_log(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "find_or_install_dockerd", lambda _: "/bin/false")
    with pytest.raises(HarnessError, match="ended at its start"), private_server(own_cache / "engine", print):
        pass
    assert not keepers(own_cache)


def test_the_running_server_is_used_and_nothing_started(
    client: docker.DockerClient, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", socket_address(client))
    monkeypatch.setattr(install, "find_or_install_dockerd", lambda _: pytest.fail("looked for dockerd"))
    printed: list[str] = []
    with engine(own_cache, printed.append) as found:
        assert found.info()["ID"] == client.info()["ID"]
    assert not own_cache.exists()
    assert "running" in printed[0]


def test_a_named_server_that_does_not_answer_is_an_error(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{own_cache}/none.sock")
    with (
        pytest.raises(HarnessError, match=r"DOCKER_HOST is .*none\.sock, but no Docker server answers"),
        engine(own_cache, print),
    ):
        pass


def test_a_server_behind_ssh_is_to_be_forwarded(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "ssh://builder@machine.example")
    forward = r"ssh -N -L /tmp/docker\.sock:/var/run/docker\.sock ssh://builder@machine\.example"
    with pytest.raises(HarnessError, match=forward), engine(own_cache, print):
        pass


def test_no_docker_and_no_right_to_install_it(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "running_server", lambda: None)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(HarnessError, match=r"neither root nor .*DOCKER_HOST") as raised, engine(own_cache, print):
        pass
    assert raised.value.exit_code is ExitCode.ERROR


def test_the_data_of_a_server_is_not_deleted_under_it(own_cache: Path) -> None:
    with private_server(own_cache / "engine", print), pytest.raises(HarnessError, match="in use"):
        remove_private_data(own_cache)
    remove_private_data(own_cache)
    assert not (own_cache / "engine").exists()


def test_containers_of_the_run_are_removed_at_its_end(image: str, client: docker.DockerClient) -> None:
    other = client.containers.create(image, ["true"], labels={labels.KIND: "job", labels.RUN: "another run"})
    own = client.containers.create(image, ["true"], labels=labels.for_container("job"))
    try:
        with engine_module.tidied(connect(socket_address(client))):
            pass
        left = {container.id for container in client.containers.list(all=True)}
        assert own.id not in left
        assert other.id in left
    finally:
        other.remove()
