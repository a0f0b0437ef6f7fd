"""Runs a command of the tool in a fork of this process, which has imported all that it needs: that takes milliseconds."""

from __future__ import annotations

import importlib
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO

from dmconform.binaries import child, read
from dmconform.cli.command import Command
from dmconform.cli.main import DMCONFORM, main

from tests.attack.attack import Try

PROCESSOR_S = 5.0
MEMORY_BYTES = 200 << 20
# So that nothing takes the machine; what comes so far has failed already.
_ENDED_S = 60.0
_LIMITS = (
    (resource.RLIMIT_CPU, 30),
    (resource.RLIMIT_DATA, 2 << 30),
    (resource.RLIMIT_FSIZE, 2 << 30),
    (resource.RLIMIT_CORE, 0),
)
_READ_BYTES = 16 << 20  # of what it printed
_NEVER = ("Traceback (most recent call last)", "internal error", "dmconform: besides")


@dataclass(frozen=True)
class Ended:
    """How a process ended, what it took, and what it left in its folder of temporary files."""

    exit_code: int | None  # negative: a signal; None: it was ended
    printed: bytes
    errors: str
    processor_s: float
    wall_s: float
    memory_bytes: int
    left: tuple[str, ...]

    def judged(self, allowed: set[int]) -> Try:
        """Returns it as a try, which fails out of bounds, without an allowed exit code, with a traceback or leftovers."""
        return Try(self._failure(allowed), self.processor_s, self.wall_s, self.memory_bytes)

    def _failure(self, allowed: set[int]) -> str | None:
        last = f"; it printed: {self.errors[-1500:]}" if self.errors else ""
        return next((f"{words}{last}" for words in self._failures(allowed)), None)

    def _failures(self, allowed: set[int]) -> Iterator[str]:
        if self.exit_code is None:
            yield f"not done within {_ENDED_S:g} s"
        if self.exit_code not in allowed:
            yield f"ends with {self.exit_code}, expected one of {sorted(map(int, allowed))}"
        for words in _NEVER:
            if words in self.errors or words.encode() in self.printed:
                yield f"{words!r} in its output"
        if self.left:
            yield f"left in its folder of temporary files: {', '.join(self.left[:5])}"
        if self.processor_s > PROCESSOR_S:
            yield f"takes {self.processor_s:.2f} s of processor time, expected up to {PROCESSOR_S:g} s"
        if self.memory_bytes > MEMORY_BYTES:
            yield f"takes {self.memory_bytes >> 20} MiB, expected up to {MEMORY_BYTES >> 20} MiB"


def forked(act: Callable[[], int], folder: Path) -> Ended:
    """Calls a function in a fork of this process, bounded, and measures it. `folder` gets its temporary files and its cache."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    with _in_memory("printed") as printed, _in_memory("errors") as errors:
        started = time.monotonic()
        pid = os.fork()
        if not pid:
            _child(act, folder, temporary, printed, errors)
        ending = os.pidfd_open(pid)
        try:
            waiting = select.poll()
            waiting.register(ending, select.POLLIN)
            in_time = bool(waiting.poll(_ENDED_S * 1000))
            if not in_time:
                os.kill(pid, signal.SIGKILL)
        finally:
            os.close(ending)
        _, status, used = os.wait4(pid, 0)
        wall_s = time.monotonic() - started
        printed.seek(0)
        errors.seek(0)
        return Ended(
            os.waitstatus_to_exitcode(status) if in_time else None,
            printed.read(_READ_BYTES),
            errors.read(_READ_BYTES).decode(errors="replace"),
            used.ru_utime + used.ru_stime,
            wall_s,
            used.ru_maxrss << 10,
            tuple(sorted(str(one.relative_to(temporary)) for one in temporary.rglob("*"))),
        )


def _child(act: Callable[[], int], folder: Path, temporary: Path, printed: BinaryIO, errors: BinaryIO) -> None:
    """Ends this process with what the function returns."""
    code = 97  # no exit code of the tool
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, file in enumerate((nothing, printed.fileno(), errors.fileno())):
            os.dup2(file, number)
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__  # a test may have put others there
        for kind, most in _LIMITS:
            resource.setrlimit(kind, (most, most))
        os.environ.update(TMPDIR=str(temporary), DMCONFORM_CACHE=str(folder / "cache"), COLUMNS="120")
        tempfile.tempdir = None
        os.chdir(folder)
        code = act()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 98
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def _in_memory(name: str) -> BinaryIO:
    return os.fdopen(os.memfd_create(name), "w+b", buffering=0)


def command(*words: str | Path, folder: Path, before: Callable[[], object] | None = None) -> Ended:
    """Runs a command of the tool.

    Args:
        *words: what follows `dmconform`.
        folder: the current folder of the command.
        before: called in its process before it.
    """

    def act() -> int:
        if before is not None:
            before()
        return main([str(word) for word in words])

    return forked(act, folder)


def attacked(*words: str | Path, folder: Path, before: Callable[[], object] | None = None) -> Try:
    """Runs a command as `command` does, and judges it: any exit code that its help text names is right."""
    return command(*words, folder=folder, before=before).judged(documented(*words))


def documented(*words: str | Path) -> set[int]:
    """Returns the exit codes that the help text of a command names."""
    found: Command = DMCONFORM
    for word in words:
        found = next((one for one in found.subcommands if one.name == word), found)
    return set(found.all_exit_codes)


def worst(tries: list[Try]) -> Try:
    """Returns several commands as one try: the first failure, and the most that any of them took."""
    return Try(
        next((one.failure for one in tries if one.failure is not None), None),
        max(one.processor_s for one in tries),
        max(one.wall_s for one in tries),
        max(one.memory_bytes for one in tries),
    )


class ForkedReader:
    """In the place of the process that the tool starts to read binaries: a fork, which does the same within the same bounds."""

    def __init__(self, words: Sequence[str], *, stdin: int, stdout: BinaryIO, stderr: BinaryIO) -> None:
        self.returncode: int | None = None
        self.pid = os.fork()
        if not self.pid:
            os.dup2(stdout.fileno(), 1)
            os.dup2(stderr.fileno(), 2)
            sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - this process ends soon
            sys.argv = [words[0], *words[words.index("-c") + 3 :]]
            try:
                child.main()
            except BaseException:
                traceback.print_exc()
            os._exit(1)

    def kill(self) -> None:
        """Ends it."""
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Returns how it ended."""
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode


def fork_reader() -> None:
    """Makes this process read binaries in forks of its own: a new interpreter would take longer than all the rest."""
    vars(read)["subprocess"] = SimpleNamespace(Popen=ForkedReader, DEVNULL=subprocess.DEVNULL)


@cache
def imported(*names: str) -> None:
    """Imports modules of the tool in this process, so that its forks need not."""
    for name in names:
        importlib.import_module(f"dmconform.{name}")
