"""Commands of the tool in a session of their own, watched until they end: what they needed, and what they left."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dmconform.envoy.descendants import end_found

from tests.attack.attack import Try
from tests.checkout import ROOT

GONE_S: Final = 10.0
"""How long what a command has started may be there after its end."""
MOST_BYTES: Final = 300 << 20
"""The memory that the tool's own process may need."""
_LOOK_S: Final = 0.02
_OUTPUT_BYTES: Final = 1 << 20
_SHOWN: Final = 600  # characters of an output, in a failure


@dataclass(frozen=True)
class Ended:
    """How a command ended. `exit_code` is as of `subprocess`; None if it had to be killed because it was late."""

    exit_code: int | None
    output: str
    errors: str
    processor_s: float
    wall_s: float
    memory_bytes: int  # the most that its first process had

    def after(self, failure: str | None) -> Try:
        """Returns the try that this command was."""
        if failure is not None:
            end = (self.errors or self.output)[-_SHOWN:]
            failure = f"{failure} (exit code {self.exit_code}, {self.wall_s:.1f} s; the end of its output: {end!r})"
        return Try(failure, self.processor_s, self.wall_s, self.memory_bytes)


@dataclass
class Watched:
    """A command that runs; `printed` and `complained` are where its output goes."""

    process: subprocess.Popen[bytes]
    printed: Path
    complained: Path
    started: float = field(default_factory=time.monotonic)
    memory_bytes: int = 0

    @property
    def pid(self) -> int:
        """Its process, which leads a session and a group."""
        return self.process.pid

    def signal(self, number: int, *, group: bool) -> None:
        """Sends a signal to its process, or to the whole group, as a terminal does."""
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self.pid, number)

    def until(self, seen: Callable[[], bool], timeout_s: float) -> bool:
        """Waits until something is so; False if the command ends before, or it is not in time."""
        deadline = time.monotonic() + timeout_s
        while not seen():
            if self._has_ended() or time.monotonic() > deadline:
                return seen()
            self._look()
        return True

    def end(self, timeout_s: float) -> Ended:
        """Waits for its end, at most so long since its start; kills it then."""
        deadline = self.started + timeout_s
        while True:
            # Not `wait`: how much it needed is known to the one who collects it, once.
            pid, status, used = os.wait4(self.pid, os.WNOHANG)
            if pid:
                code: int | None = os.waitstatus_to_exitcode(status)
                break
            if time.monotonic() > deadline:
                self.signal(signal.SIGKILL, group=True)
                _, _, used = os.wait4(self.pid, 0)
                code = None
                break
            self._look()
        self.process.returncode = 0 if code is None else code
        wall_s = time.monotonic() - self.started
        output, errors = (_beginning_and_end(file) for file in (self.printed, self.complained))
        return Ended(code, output, errors, used.ru_utime + used.ru_stime, wall_s, self.memory_bytes)

    def _has_ended(self) -> bool:
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _look(self) -> None:
        """Sees how much memory its first process has had so far, and waits a moment."""
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8", errors="replace").splitlines():
                if line.startswith("VmHWM:"):
                    self.memory_bytes = int(line.split()[1]) << 10
        time.sleep(_LOOK_S)


def start(
    words: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str],
    *,
    prefix: Sequence[str] = (),
    stdout: Path | None = None,
    stderr: Path | None = None,
) -> Watched:
    """Starts a command of the tool.

    Args:
        words: what follows `dmconform`.
        folder: where its output goes; it is also its temporary folder's place (`scratch`).
        environment: variables that are added to those of this process.
        prefix: words before the command, which must end up as the same process (`prlimit …`).
        stdout: where standard output goes instead of a file.
        stderr: the same of standard error.
    """
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    printed, complained = folder / "stdout", folder / "stderr"
    # Ctrl-C must reach it also where this runs in the background, whose shell has it ignored.
    command = ["env", "--default-signal=INT,QUIT,HUP", *prefix, sys.executable, "-m", "dmconform", *map(str, words)]
    variables = {"PYTHONPATH": str(ROOT / "harness"), "TMPDIR": str(scratch), **environment}
    with (stdout or printed).open("wb") as output, (stderr or complained).open("wb") as errors:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
    return Watched(process, printed, complained)


def left_of(marks: Sequence[str]) -> dict[int, str]:
    """Returns the processes that show one of some marks, but for those that run these tests.

    It is looked for in their names and words, their environment, and the files that they have open or mapped or run in: a
    process can change some of these, and not all.
    """
    own = _own_processes()
    wanted = [mark.encode() for mark in marks]
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        if int(entry.name) in own:
            continue
        with contextlib.suppress(OSError):
            if _is_dead(entry):
                continue
            if any(mark in shown for shown in _shown(entry) for mark in wanted):
                found[int(entry.name)] = _name(entry)
    return found


def remaining(marks: Sequence[str], timeout_s: float = GONE_S) -> dict[int, str]:
    """Returns what is left of a command after it had time to go; it is ended then, so that no other try meets it."""
    deadline = time.monotonic() + timeout_s
    while found := left_of(marks):
        if time.monotonic() > deadline:
            end_found(lambda: left_of(marks))
            return found
        time.sleep(_LOOK_S)
    return {}


def traceback_in(ended: Ended) -> str | None:
    """Returns what is wrong with an output that has a traceback, or that says that the tool has a defect."""
    for text in (ended.errors, ended.output):
        if "Traceback (most recent call last)" in text:
            return "it prints a traceback"
        if "internal error" in text:
            return "it ends by an error that it calls its own"
    return None


def _own_processes() -> set[int]:
    found, one = set(), os.getpid()
    while one > 1:
        found.add(one)
        try:
            one = int(Path(f"/proc/{one}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
        except OSError:
            break
    return found


def _is_dead(entry: Path) -> bool:
    return (entry / "stat").read_bytes().rpartition(b")")[2].split()[0] in (b"Z", b"X")


def _shown(entry: Path) -> list[bytes]:
    parts = []
    for name in ("cmdline", "comm", "environ", "maps"):
        with contextlib.suppress(OSError):
            parts.append((entry / name).read_bytes())
    links = [entry / "cwd", entry / "exe", entry / "root"]
    with contextlib.suppress(OSError):
        links += list((entry / "fd").iterdir())
    for link in links:
        with contextlib.suppress(OSError):
            parts.append(os.fsencode(link.readlink()))
    return parts


def _name(entry: Path) -> str:
    words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return (words or (entry / "comm").read_text(encoding="utf-8", errors="replace").strip())[:120]


def _beginning_and_end(file: Path) -> str:
    try:
        with file.open("rb") as content:
            first = content.read(_OUTPUT_BYTES)
            content.seek(max(len(first), file.stat().st_size - _OUTPUT_BYTES))
            return (first + content.read(_OUTPUT_BYTES)).decode(errors="replace")
    except OSError:
        return ""
