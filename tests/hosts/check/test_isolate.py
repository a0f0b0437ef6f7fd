"""`check --isolate`: a module reaches nothing outside of its sandbox, and the verdict is the same as without one."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from dmconform.check import isolation
from dmconform.check.result import Check, HostVerdict
from dmconform.core import bubblewrap, paths
from dmconform.core.errors import ExitCode

from tests.check_cli import checked, dmconform_check
from tests.corpus.catalogue import ENTRIES
from tests.corpus.making import Module, Workplace
from tests.hosts.processes import GONE_S, eventually, naming

pytestmark = pytest.mark.host

HOST = ("--host", "1.39")
COMMAND_S = 120.0
VICTIM = "7654321"  # seconds that a process sleeps; by them it is found
LEFT = "8765432"
SECRET = "SECRET_OF_THE_CALLER"
YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
SAME_VERDICTS = (
    *("works", "answers-503", "crashes-at-each-request", "aborts-on-unknown-name", "refuses-with-a-warning"),
    *("library-beside-it", "library-preloaded", "callback-missing-at-load", "lazy-callback-called", "odd-name"),
    *("of-two-points", "refuses-empty-configuration", "rust-panics-on-empty-configuration"),
)


@dataclass(frozen=True)
class Outside:
    """What a module must not reach: a listener, a secret file in a home folder, a cache, a process, and others."""

    folder: Path
    port: int
    victim: subprocess.Popen[bytes]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def module(self) -> Path:
        return self.home / "libreaches_out.so"

    @property
    def made(self) -> list[Path]:
        """The files that the module makes, where it can."""
        return [folder / "made-by-a-module" for folder in (paths.PACKAGE, self.cache / "hosts")]

    @property
    def shared(self) -> Path:
        return Path("/dev/shm", self.folder.name)

    def run(self, *words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """`dmconform check` from a shell whose home and environment have secrets."""
        own = {"PATH": os.environ["PATH"], "HOME": str(self.home), "DMCONFORM_CACHE": str(self.cache), SECRET: "secret"}
        return subprocess.run(
            [sys.executable, "-m", "dmconform", "check", self.module, *HOST, *words],
            env={**own, "PYTHONPATH": str(paths.IMPORT_ROOT), **environment},
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )

    def attempts(self, *words: str) -> tuple[Check, dict[str, bool]]:
        """What a check of the module found, and which of its attempts succeeded."""
        kept = self.folder / "-".join(["kept", *words])
        variables = {
            "PORT": str(self.port),
            "SOCKET": self.folder.name,
            "SECRET_FILE": str(self.home / "secret"),
            "SHARED": str(self.shared),
            "CHECKOUT": str(paths.PACKAGE),
            "CACHE": str(self.cache / "hosts"),
            "MODULE": str(self.module),
            "VICTIM": VICTIM,
            "LEFT": LEFT,
        }
        settings = self.folder / "settings.toml"  # not options, as these would be in command lines
        lines = [f"{name} = {json.dumps(value)}" for name, value in variables.items()]
        settings.write_text("\n".join(["[environment]", *lines, ""]))
        done = self.run("--settings", settings, "--json", "-", "--keep", kept, *words)
        assert done.stdout, done.stderr
        (report,) = kept.rglob("attempts.txt")
        attempts = dict(line.split() for line in report.read_text().splitlines())
        return msgspec.json.decode(done.stdout, type=Check), {name: answer == "yes" for name, answer in attempts.items()}


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "secret").write_text("secret")
    (tmp_path / "cache" / "hosts").mkdir(parents=True)
    for binary in (paths.cache_folder() / "hosts").glob("envoy-1.39.3-????????????????"):
        (tmp_path / "cache" / "hosts" / binary.name).symlink_to(binary)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(f"\0{tmp_path.name}")
        abstract.listen()
        victim = stack.enter_context(subprocess.Popen(["sleep", VICTIM]))
        stack.callback(victim.kill)
        found = Outside(tmp_path, listener.getsockname()[1], victim)
        found.shared.touch()
        stack.callback(found.shared.unlink)
        stack.callback(end, LEFT)
        for file in found.made:
            stack.callback(file.unlink, missing_ok=True)
        Module(source="hostile/isolated_reaches_out.c").make(Workplace(tmp_path, dict), found.module)
        yield found


def end(text: str) -> None:
    """Ends the processes that have a text in their command lines."""
    for pid in naming(text):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_module_reaches_nothing_outside_of_its_sandbox(outside: Outside) -> None:
    found, attempts = outside.attempts("--isolate")
    assert [host.verdict for host in found.hosts] == [HostVerdict.WORKS]
    assert found.isolated_by is not None
    assert found.isolated_by.startswith("bubblewrap ")
    assert attempts.pop("leave-process"), "it may start one in there"
    attempts.pop("write-cache")  # this one is below /tmp, which is its own in there
    assert {name for name, done in attempts.items() if done} == set()
    assert eventually(lambda: not naming(LEFT)), "expected what it has started to end with the sandbox"
    assert outside.victim.poll() is None
    assert not any(file.exists() for file in outside.made)


def test_the_same_module_reaches_all_of_it_without_a_sandbox(outside: Outside) -> None:
    """So that the test before this one shows something."""
    found, attempts = outside.attempts()
    assert [host.verdict for host in found.hosts] == [HostVerdict.WORKS]
    assert found.isolated_by is None
    if YAMA.exists() and YAMA.read_text().strip() != "0" and os.geteuid() != 0:
        attempts.pop("trace")  # this machine lets no process trace another one
    assert {name for name, done in attempts.items() if not done} == set()
    assert outside.victim.wait(GONE_S) == -signal.SIGKILL
    assert all(file.exists() for file in outside.made)


@pytest.fixture
def turns(tmp_path: Path) -> Path:
    """The module that turns on what is in the sandbox with it."""
    target = tmp_path / "libturns.so"
    Module(source="hostile/isolated_turns_on_the_harness.c").make(Workplace(tmp_path, dict), target)
    return target


def test_a_module_that_kills_the_harness_in_the_sandbox_is_not_judged(turns: Path) -> None:
    done = dmconform_check(turns, *HOST, "--filter-name", "kill", "--isolate")
    assert done.exit_code == ExitCode.ERROR, done
    assert "the sandbox ended without an answer" in done.errors


def test_a_module_that_stops_the_harness_in_the_sandbox_is_ended_in_time(turns: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "ATTEMPT_S", 1.0)
    monkeypatch.setattr(isolation, "SANDBOX_START_S", 4.0)
    done = dmconform_check(turns, *HOST, "--filter-name", "stop", "--isolate")
    assert done.exit_code == ExitCode.ERROR, done
    assert "has not come to its end in time" in done.errors
    assert eventually(lambda: not naming(turns.stem)), naming(turns.stem)


def test_what_a_module_forges_makes_no_sense(turns: Path) -> None:
    done = dmconform_check(turns, *HOST, "--filter-name", "forge", "--isolate")
    assert done.exit_code == ExitCode.ERROR, done
    assert "the sandbox's answer makes no sense" in done.errors
    assert "\x1b" not in done.errors


def test_a_module_cannot_fill_the_disk(turns: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    done = dmconform_check(turns, *HOST, "--filter-name", "fill", "--isolate", "--keep", kept)
    (report,) = kept.rglob("filled.txt")
    room = (isolation.ROOM_BYTES, bubblewrap.TEMPORARY[Path("/tmp")], bubblewrap.TEMPORARY[Path("/dev/shm")])
    for written, size in zip(map(int, report.read_text().split()), room, strict=True):
        assert size * 0.9 <= written << 20 <= size + (1 << 20), (done, report.read_text())


@pytest.mark.parametrize("name", SAME_VERDICTS)
def test_verdicts_are_the_same_with_and_without_a_sandbox(name: str, tmp_path: Path) -> None:
    (entry,) = [entry for entry in ENTRIES if entry.id == name]
    file = tmp_path / entry.name
    entry.way.make(Workplace(tmp_path / "made", dict), file)
    options = [one.replace("FOLDER", str(tmp_path)) for one in entry.options]
    isolated, plain = (checked(file, *HOST, "--host", "1.40", *options, *more) for more in (("--isolate",), ()))
    assert [(host.verdict, host.reason) for host in isolated.hosts] == [(host.verdict, host.reason) for host in plain.hosts]
    assert [[run.kind for run in host.runs] for host in isolated.hosts] == [
        [run.kind for run in host.runs] for host in plain.hosts
    ]
    assert (isolated.exit_code, isolated.ran) == (plain.exit_code, plain.ran)
    assert (isolated.isolated_by is not None, plain.isolated_by) == (plain.ran, None)


def test_several_modules_together_and_what_is_kept(tmp_path: Path) -> None:
    files = [tmp_path / "libfirst.so", tmp_path / "libsecond.so"]
    for file in files:
        Module().make(Workplace(tmp_path / "made", dict), file)
    kept = tmp_path / "kept"
    done = dmconform_check(*files, *HOST, "--together", "--isolate", "--keep", kept)
    assert done.exit_code == ExitCode.OK, done
    assert "Isolated by bubblewrap " in done.printed
    assert "with your rights" not in done.errors
    logs = {log.relative_to(kept).parts[0] for log in kept.rglob("envoy.log")}
    assert logs == {"1-first", "2-second", "together"}
    assert all(os.access(script, os.X_OK) for script in kept.rglob("run-again.sh"))
    assert (kept / "together" / "modules" / "1.39.3" / "libfirst.so").read_bytes() == files[0].read_bytes()


def test_a_file_that_a_module_opens_by_itself_has_to_be_named(outside: Outside) -> None:
    _, attempts = outside.attempts("--isolate", "--readable", str(outside.home / "secret"))
    assert {name for name, done in attempts.items() if done} == {"home", "leave-process", "write-cache"}


def test_without_bubblewrap_nothing_is_run(outside: Outside) -> None:
    (outside.folder / "programs").mkdir()
    done = outside.run("--isolate", "--json", "-", PATH=str(outside.folder / "programs"))
    assert (done.returncode, done.stdout) == (ExitCode.ERROR, ""), done
    assert "apt-get install bubblewrap" in done.stderr
    assert "running the code" not in done.stderr


def test_where_the_system_refuses_a_sandbox_nothing_is_run_and_the_setting_is_named(outside: Outside) -> None:
    """The refusal is real: in a user namespace of its own, the command may make no other ones."""
    script = 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"'
    command = [sys.executable, "-m", "dmconform", "check", str(outside.module), *HOST, "--isolate"]
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", script, "sh", *command],
        env={**os.environ, "PYTHONPATH": str(paths.IMPORT_ROOT)},
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (ExitCode.ERROR, ""), done
    assert "user.max_user_namespaces" in done.stderr
    assert "running the code" not in done.stderr


def test_what_only_reads_needs_no_sandbox(outside: Outside) -> None:
    (outside.folder / "programs").mkdir()
    done = outside.run("--no-run", "--json", "-", PATH=str(outside.folder / "programs"))
    assert done.returncode == ExitCode.OK, done
    assert msgspec.json.decode(done.stdout, type=Check).isolated_by is None
    refused = outside.run("--isolate", "--no-run")
    assert (refused.returncode, "leave one of the two out" in refused.stderr) == (ExitCode.USAGE, True), refused


def descendants(process: int) -> set[int]:
    """The processes that a process has started, and that these have started."""
    found = {process}
    for _ in range(10):
        for status in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                if int(status.read_text(errors="replace").rpartition(")")[2].split()[1]) in found:
                    found.add(int(status.parent.name))
    return found - {process}


@pytest.mark.parametrize("late", [False, True])
def test_nothing_is_left_of_a_check_that_is_killed(late: bool, outside: Outside) -> None:
    """Killed as soon as there is a process for the sandbox, and when the module has stopped all that runs in it."""
    Module(source="hostile/isolated_turns_on_the_harness.c").make(Workplace(outside.folder, dict), outside.module)
    kept = outside.folder / "kept"
    words = ["-m", "dmconform", "check", str(outside.module), *HOST, "--filter-name", "stop", "--isolate", "--keep", str(kept)]
    with subprocess.Popen(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": str(paths.IMPORT_ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as command:
        try:
            seen = "--config-path" if late else "dmconform.check.isolated"
            assert eventually(lambda: {pid for pid in naming(seen) if pid in descendants(command.pid)})
            started = descendants(command.pid)
        finally:
            command.kill()
    assert eventually(lambda: not {pid for pid in started if Path(f"/proc/{pid}").exists()}), started
