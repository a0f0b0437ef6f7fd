"""An Envoy ends with all that it has started, however it is held; here shells in the place of Envoys."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dmconform.core.paths import IMPORT_ROOT
from dmconform.core.waiting import poll
from dmconform.envoy import process
from dmconform.envoy.process import HostProcess, WardenLost
from dmconform.envoy.usage import Bounds
from dmconform.envoy.warden import HOLD_VARIABLE, Hold

PATIENCE_S = 20.0
ENVIRONMENT = {"PATH": "/usr/bin:/bin"}
# One process that stays, whatever ends, and is found by its unusual duration: in a session of its own, without a mark.
STAYS = "(setsid env -i /bin/sleep {0} >/dev/null 2>&1 &)"

Start = Callable[..., HostProcess]


@pytest.fixture(params=list(Hold), ids=lambda hold: hold.name.lower())
def hold(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hold]:
    """Has Envoys held in each of the ways, by a warden of their own."""
    wanted: Hold = request.param
    monkeypatch.setenv(HOLD_VARIABLE, wanted.value)
    process.close()
    process.hold.cache_clear()
    if process.hold() != wanted.value:
        pytest.skip(f"this machine has no {wanted.value} for us")
    yield wanted
    process.close()
    process.hold.cache_clear()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a shell with a script; what it prints goes into the file `printed`."""
    started: list[HostProcess] = []
    folder = tmp_path / "folder"
    folder.mkdir()

    def starting(script: str, **bounds: int) -> HostProcess:
        with (tmp_path / "printed").open("wb") as output:
            command = ["/bin/sh", "-c", script]
            started.append(HostProcess(command, ENVIRONMENT, folder, output.fileno(), folder, Bounds(**bounds)))
        return started[-1]

    yield starting
    for one in started:
        one.end()


@pytest.fixture
def duration(request: pytest.FixtureRequest) -> str:
    """A duration in seconds that no other process sleeps for."""
    return f"{1000 + os.getpid()}.{abs(hash(request.node.nodeid)) % 10**9}"


def alive(duration: str) -> list[str]:
    """The processes that sleep for a duration."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"sleep") and duration.encode() in words:
            found.append(file.parent.name)
    return found


@pytest.mark.parametrize(
    ("script", "code"), [("exit 3", 3), ("kill -SEGV $$", -11), ("kill -ABRT $$", -6), ("kill -KILL $$", -9), ("true", 0)]
)
def test_an_end_is_reported_as_it_is(script: str, code: int, hold: Hold, start: Start) -> None:
    one = start(script)
    assert one.wait(PATIENCE_S) == code
    one.end()
    assert (one.poll(), one.why_ended) == (code, None)


def test_it_ends_when_it_is_asked_to(hold: Hold, start: Start) -> None:
    one = start("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done")
    assert one.poll() is None
    assert Path(f"/proc/{one.pid}/cmdline").read_bytes().startswith(b"/bin/sh")
    one.terminate()
    assert one.wait(PATIENCE_S) in (7, -15)  # where the shell had not come to its trap
    for _ in range(2):
        one.terminate()  # changes nothing any more
        one.end()
    assert start("exit 5").wait(PATIENCE_S) == 5


def test_what_it_has_started_ends_with_it(hold: Hold, start: Start, duration: str) -> None:
    """Whether it has ended by itself or is ended; in sessions apart and without the mark, too."""
    five = "; ".join([STAYS.format(duration)] * 5)
    one, other = start(five), start(f"{five}; sleep 600")
    assert one.wait(PATIENCE_S) == 0
    assert poll(lambda: len(alive(duration)) == 10, PATIENCE_S)
    one.end()
    assert len(alive(duration)) == 5, "expected those of the other to stay"
    other.end()
    assert other.poll() == -9
    assert not alive(duration)


def test_a_parent_that_is_killed_leaves_nothing(hold: Hold, start: Start, duration: str) -> None:
    one = start(f"{STAYS.format(duration)}; sleep 0.1; kill -KILL $PPID; sleep 600")
    if hold is Hold.NAMESPACE:  # its parent is the first process there, which is not killed from within
        assert poll(lambda: bool(alive(duration)), PATIENCE_S)
    else:
        assert one.wait(PATIENCE_S) == -9
        assert one.why_ended == "the process that minded it was killed, which a module can do"
    one.end()
    assert not alive(duration)
    assert start("exit 5").wait(PATIENCE_S) == 5, "expected others to go on"


def test_a_parent_that_is_stopped_goes_on(hold: Hold, start: Start, duration: str) -> None:
    one = start(f"{STAYS.format(duration)}; kill -STOP $PPID; exit 5")
    assert one.wait(PATIENCE_S) == 5
    one.end()
    assert not alive(duration)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_warden_that_is_gone_leaves_nothing(
    number: signal.Signals, hold: Hold, start: Start, duration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "WARDEN_ANSWER_S", 0.5)
    process.close()
    marked = f"(setsid sleep {duration} >/dev/null 2>&1 &)"
    one = start(f"{marked}; sleep 600")
    assert poll(lambda: bool(alive(duration)), PATIENCE_S)
    os.kill(process.warden_pid(), number)
    with pytest.raises(WardenLost, match="was killed or stopped; a module"):
        one.terminate()
    with pytest.raises(WardenLost):
        one.wait(PATIENCE_S)
    one.end()
    assert poll(lambda: not alive(duration), PATIENCE_S)
    assert start("exit 5").wait(PATIENCE_S) == 5, "expected another warden"


@pytest.mark.parametrize(
    ("script", "bounds", "why"),
    [
        ("for i in $(seq 60); do sleep 600 & done; wait", {"processes": 50}, "it took more than 50 processes"),
        (
            f"exec {sys.executable} -c 'x = b\"x\" * (200 << 20); input()' </dev/zero",
            {"memory_bytes": 100 << 20},
            "100 MiB of memory",
        ),
        ("head -c 20M /dev/zero > big; sleep 600", {"folder_bytes": 10 << 20}, "it took more than 10 MiB in its folder"),
        ("mkdir a; cd a; for i in $(seq 60); do : > $i; done; sleep 600", {"folder_entries": 50}, "50 files in its folder"),
    ],
    ids=["processes", "memory", "folder", "files"],
)
def test_it_is_ended_where_it_takes_too_much(script: str, bounds: dict[str, int], why: str, hold: Hold, start: Start) -> None:
    one = start(script, **bounds)
    assert one.wait(PATIENCE_S) == -9
    assert why in (one.why_ended or "")


def test_memory_that_processes_share_counts_once(hold: Hold, start: Start, duration: str) -> None:
    code = f"import os, time; x = b'x' * (60 << 20); [os.fork() for _ in range(2)]; os.execlp('sleep', 'sleep', '{duration}')"
    shared = code.replace("os.execlp('sleep', 'sleep', '", "print('up', flush=True); time.sleep(float('").replace("')", "'))")
    one = start(f'exec {sys.executable} -c "{shared}"', memory_bytes=150 << 20)
    assert one.wait(2.0) is None, one.why_ended


def test_a_program_that_is_not_there_is_named(hold: Hold, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, open(os.devnull, "wb") as output:  # noqa: PTH123
        HostProcess(["/no/such/program"], ENVIRONMENT, tmp_path, output.fileno(), tmp_path)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, "/no/such/program")


HARNESS = """
import sys, time
from pathlib import Path
from dmconform.envoy import process, temporary
process.HARNESS_STOPPED_S = 0.5
folder = Path(sys.argv[1])
with temporary.temporary_folder("test") as made, open("/dev/null", "wb") as output:
    (made / "more").mkdir()
    one = process.HostProcess(["/bin/sh", "-c", sys.argv[2]], {"PATH": "/usr/bin:/bin"}, folder, output.fileno(), folder)
    print("started", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_nothing_outlives_a_harness_that_is_killed_or_stopped(
    number: signal.Signals, hold: Hold, tmp_path: Path, duration: str
) -> None:
    (tmp_path / "temporary").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(IMPORT_ROOT), "TMPDIR": str(tmp_path / "temporary")}
    words = [sys.executable, "-c", textwrap.dedent(HARNESS), str(tmp_path), f"{STAYS.format(duration)}; sleep 600"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as harness:
        assert harness.stdout is not None and harness.stdout.readline() == "started\n"
        assert poll(lambda: bool(alive(duration)), PATIENCE_S)
        assert [one.name[:15] for one in (tmp_path / "temporary").iterdir()] == ["dmconform-test-"]
        harness.send_signal(number)
        _, errors = harness.communicate(timeout=PATIENCE_S)
    assert poll(lambda: not alive(duration), PATIENCE_S)
    assert poll(lambda: not list((tmp_path / "temporary").iterdir()), PATIENCE_S)
    stopped = "dmconform: it was stopped for 0.5 s, and is ended\n"
    assert (harness.returncode, errors) == (-9, stopped if number == signal.SIGSTOP else "")
