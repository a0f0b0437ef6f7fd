"""Reads binaries in a separate process, so that no bytes of theirs can crash, hang or fill this one."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import msgspec

from dmconform.binaries.facts import HostFacts, ModuleFacts, ReachFacts
from dmconform.binaries.kinds import ProblemKind
from dmconform.binaries.known import known_hosts
from dmconform.binaries.messages import ReadAnswer, ReadAs, ReadJob
from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.extension_point import ExtensionPoint, point_of
from dmconform.core.paths import IMPORT_ROOT
from dmconform.core.timeouts import BINARY_READ_S

# Isolated: neither the user's environment nor the current folder decide what is imported.
_CHILD = (
    sys.executable,
    "-I",
    "-c",
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import dmconform.binaries.child as c; c.main()",
)


_ENDED_BY = "it ended the reader ({})"
_ENDED = {"SIGXCPU": "it takes more of the processor's time ({})", "SIGKILL": "the reader was killed ({})"}


def read_module(path: Path) -> ModuleFacts:
    """Reads what a module's file contains. Never raises for what is at `path`: see `ModuleFacts.problem`."""
    return read_modules([path])[0]


def read_modules(paths: Sequence[Path]) -> tuple[ModuleFacts, ...]:
    """Reads what several modules' files contain, in order, with one process."""
    with reading_modules(paths) as facts:
        return facts()


@contextlib.contextmanager
def reading_modules(paths: Sequence[Path]) -> Iterator[Callable[[], tuple[ModuleFacts, ...]]]:
    """Reads what several modules' files contain while the block does something else; a call of what it yields waits for it."""
    job = ReadJob(ReadAs.MODULE, _known_abi_strings())
    with _Reader(job, paths) as reader:
        yield lambda: tuple(
            found.module or ModuleFacts("", 0, found.problem, problem_kind=found.problem_kind)
            for found in _each(job, paths, reader.answers())
        )


def read_host(path: Path, release: str | None = None) -> HostFacts:
    """Reads what an Envoy binary offers to modules; the binary is not run.

    `release` is its release where that is known; else the one in the binary is taken.

    Raises:
        UsageError: it is not an executable for x86-64.
        HarnessError: the reader could not do its work, or the file is too much for it.
    """
    (found,) = _ask(ReadJob(ReadAs.HOST, _known_abi_strings(), release), [path])
    if found.host is None:
        raise _unread(path, "an Envoy executable", found)
    return found.host


def exports_of(path: Path) -> frozenset[str]:
    """Reads the symbols that a library defines for others, such as one that is preloaded into the host.

    Raises:
        UsageError: it is not a shared library for x86-64.
        HarnessError: the reader could not do its work, or the file is too much for it.
    """
    (found,) = _ask(ReadJob(ReadAs.EXPORTS), [path])
    if found.exports is None:
        raise _unread(path, "a shared library", found)
    return found.exports


def versions_of(libraries: Sequence[Path]) -> tuple[frozenset[str] | None, ...]:
    """Reads the versions that libraries define, in order; None for what is no library, empty for one without versions."""
    return tuple(found.versions for found in _ask(ReadJob(ReadAs.VERSIONS), libraries))


def read_reach(path: Path, module: ModuleFacts, points: Collection[ExtensionPoint] | None) -> ReachFacts:
    """Reads which undefined symbols of a module can be reached where it is used; see `dmconform.binaries.reach`.

    Never raises for what is at `path`: see `ReachFacts.problem`.

    Args:
        path: the module.
        module: what was read of it.
        points: the extension points in use, whose hooks the host calls, besides those that all points share; None: all points.
    """
    hooks = tuple(hook for hook in module.hooks if points is None or point_of(hook) is None or point_of(hook) in points)
    (found,) = _ask(ReadJob(ReadAs.REACH, hooks=hooks, language=module.language), [path])
    return found.reach or ReachFacts(problem=found.problem)


def _unread(path: Path, what: str, found: ReadAnswer) -> HarnessError:
    """Returns the error for a file that is not what was expected, or that could not be read."""
    if found.problem_kind is not None and found.problem_kind.of_reader:
        return HarnessError(f"{path}: it was not read: {found.problem}")
    return UsageError(f"{path}: not {what}: {found.problem}")


def _known_abi_strings() -> tuple[str, ...]:
    return tuple(sorted({one.abi_version for one in known_hosts()}))


def _ask(job: ReadJob, paths: Sequence[Path]) -> list[ReadAnswer]:
    """Returns one answer for each path."""
    with _Reader(job, paths) as reader:
        return _each(job, paths, reader.answers())


def _each(job: ReadJob, paths: Sequence[Path], answers: list[ReadAnswer] | ReadAnswer) -> list[ReadAnswer]:
    """Returns one answer for each path. Where the process did not come back, each path gets a process for itself."""
    if isinstance(answers, ReadAnswer):
        return [answers] if len(paths) == 1 else [one for path in paths for one in _ask(job, [path])]
    return answers


def _trouble(problem: str) -> ReadAnswer:
    return ReadAnswer(problem=problem, problem_kind=ProblemKind.READER)


class _Reader:
    """The process that reads; it is killed at the end of the block, should it still run."""

    def __init__(self, job: ReadJob, paths: Sequence[Path]) -> None:
        self._words = [*_CHILD, str(IMPORT_ROOT), msgspec.json.encode(job).decode(), *(os.fspath(path) for path in paths)]
        self._paths = paths
        self._problem: ReadAnswer | None = None
        self._files = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> _Reader:
        if self._paths:
            try:
                self._start()
            except OSError as error:
                self._problem = _trouble(f"the reader could not be started: {error.strerror or error}")
            except ValueError as error:  # a null byte in a file's name
                problem = f"expected a file that can be read: {error}"
                self._problem = ReadAnswer(problem=problem, problem_kind=ProblemKind.UNREADABLE)
        return self

    def _start(self) -> None:
        # A file in memory, not a pipe: what is written stays bounded by the child's own bounds, and need not be read along.
        self._output = self._files.enter_context(os.fdopen(os.memfd_create("facts"), "rb"))
        self._errors = self._files.enter_context(os.fdopen(os.memfd_create("errors"), "rb"))
        self._process = subprocess.Popen(self._words, stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._errors)
        self._ending = os.pidfd_open(self._process.pid)  # subprocess's own waiting looks every 50 ms
        self._files.callback(os.close, self._ending)

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._files.close()

    def answers(self) -> list[ReadAnswer] | ReadAnswer:
        """Returns what the process answers, or why it does not."""
        if self._process is None or self._problem is not None:
            return self._problem or []
        if not self._ends_within(BINARY_READ_S):
            return _trouble(f"expected to be read within {BINARY_READ_S:g} s, it takes longer")
        exit_code = self._process.returncode
        if exit_code < 0:
            killer = signal.Signals(-exit_code).name
            how = _ENDED.get(killer, _ENDED_BY).format(killer)
            return _trouble(f"expected to be read within bounds of time and memory, {how}")
        self._output.seek(0)
        self._errors.seek(0)
        if exit_code > 0:
            printed = self._errors.read(1 << 16).decode(errors="replace").strip()
            why = printed.splitlines()[-1] if printed else f"exit code {exit_code}"
            return _trouble(f"the reader could not be run: {why}")
        try:
            return msgspec.json.decode(self._output.read(), type=list[ReadAnswer])
        except msgspec.DecodeError as error:  # such as where a limit of the caller's on file sizes cut it
            return _trouble(f"the reader's answer cannot be read: {error}")

    def _ends_within(self, timeout_s: float) -> bool:
        """Waits for the end of the process, and returns whether it came in time."""
        assert self._process is not None
        ready = select.poll()
        ready.register(self._ending, select.POLLIN)
        if not ready.poll(timeout_s * 1000):
            return False
        self._process.wait()
        return True
