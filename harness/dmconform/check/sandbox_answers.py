"""What comes out of a sandbox: JSON lines on one pipe, files behind them. Written inside, read outside.

A module can write what it likes into that pipe, so the reader takes nothing for granted: it bounds sizes and time, and checks
that an answer fits what was asked.
"""

from __future__ import annotations

import os
import select
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

import msgspec

from dmconform.check.result import PointRun
from dmconform.check.run_all import AllRan, RunOrder
from dmconform.check.running import CheckJob, Ran, RunOutcome
from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.regular import open_regular

LINE_BYTES: Final = 32 << 20
FILES: Final = 10_000
_BLOCK: Final = 1 << 16
_NAME_BYTES: Final = 200
_PARTS: Final = 12


class ModuleAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was observed of a module: the runs on each host; `uses` and `refused` are places in `CheckJob.uses`."""

    runs: tuple[tuple[PointRun, ...], ...]
    uses: tuple[int, ...]
    refused: tuple[int, ...]


class Ready(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """The first line: the harness has started, and waits for what it is to run. It dies with the one outside from here on."""


class KeptFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """A file of the folder, whose bytes follow its line."""

    path: str
    size: int
    executable: bool


class SandboxAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """The last line: what was observed."""

    modules: tuple[ModuleAnswer | None, ...]
    together: tuple[PointRun | None, ...]


class SandboxTrouble(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """The last line where it could not be done."""

    sentence: str
    usage: bool = False


def answer_of(order: RunOrder, ran: AllRan) -> SandboxAnswer:
    """Returns what was observed, as it leaves the sandbox."""
    return SandboxAnswer(tuple(map(_module_answer, order.jobs, ran.outcomes)), ran.together)


def _module_answer(job: CheckJob | None, outcome: RunOutcome | None) -> ModuleAnswer | None:
    if job is None or outcome is None:
        return None
    uses = job.uses
    return ModuleAnswer(
        runs=tuple(one.runs for one in outcome.ran),
        uses=tuple(uses.index(use) for use in outcome.uses),
        refused=tuple(uses.index(use) for use in outcome.refused),
    )


def write_line(pipe: BinaryIO, value: Ready | KeptFile | SandboxAnswer | SandboxTrouble) -> None:
    """Writes a line."""
    pipe.write(msgspec.json.encode(value) + b"\n")


def write_files(pipe: BinaryIO, folder: Path) -> None:
    """Writes the files below a folder; no links, pipes or devices, which only a module can have made."""
    written = 0
    for above, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(above, name)
            relative = path.relative_to(folder).as_posix()
            if written == FILES or not _is_plain(relative):
                continue
            try:
                file = open_regular(path)
            except OSError:
                continue
            with os.fdopen(file, "rb") as source:
                found = os.fstat(source.fileno())
                write_line(pipe, KeptFile(relative, found.st_size, bool(found.st_mode & stat.S_IXUSR)))
                left = found.st_size
                while left:  # what a module has cut off meanwhile is filled up: the size was written already
                    block = source.read(min(left, _BLOCK)) or bytes(min(left, _BLOCK))
                    left -= len(block)
                    pipe.write(block)
            written += 1


def _is_plain(name: str) -> bool:
    """Returns whether the path of a file stays below the folder that it is joined to, and can be written."""
    parts = PurePosixPath(name).parts
    return (
        0 < len(parts) <= _PARTS
        and PurePosixPath(*parts).as_posix() == name
        and not any(part in ("/", "..") or len(part.encode(errors="replace")) > _NAME_BYTES for part in parts)
        and name.isprintable()
        and name.encode(errors="replace").decode() == name
    )


class Answers:
    """The reader of the pipe, outside of the sandbox."""

    def __init__(
        self, pipe: int, order: RunOrder, deadline_s: float, file_bytes: int, last_words: Callable[[], str] = str
    ) -> None:
        """Reads nothing yet.

        Args:
            pipe: where it comes from.
            order: what was asked.
            deadline_s: until when, by the monotonic clock.
            file_bytes: of all files together, at most.
            last_words: returns what was printed last, where there is no answer.
        """
        self._pipe = pipe
        self._order = order
        self._deadline_s = deadline_s
        self._left = file_bytes
        self._last_words = last_words
        self._buffer = bytearray()

    def await_ready(self) -> None:
        """Waits until the harness in the sandbox has started.

        Raises:
            HarnessError: it does not start, or not in time.
        """
        if not isinstance(self._line(), Ready):
            raise _senseless("an answer before it was asked")

    def read(self) -> AllRan:
        """Reads all of it; files go into the folder of the order if that is kept.

        Raises:
            UsageError, HarnessError: it could not be done, or what comes makes no sense, or too late.
        """
        files = 0
        while True:
            found = self._line()
            match found:
                case Ready():
                    raise _senseless("it has started twice")
                case SandboxTrouble():
                    raise (UsageError if found.usage else HarnessError)(found.sentence)
                case SandboxAnswer():
                    return self._checked(found)
                case KeptFile():
                    files += 1
                    self._left -= max(found.size, 0)
                    if not self._order.kept or files > FILES or self._left < 0 or found.size < 0 or not _is_plain(found.path):
                        raise _senseless(f"a file that was not asked for: {found.path[:_NAME_BYTES]!r}")
                    self._save(found)

    def _line(self) -> Ready | KeptFile | SandboxAnswer | SandboxTrouble:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > LINE_BYTES:
                raise _senseless(f"a line of more than {LINE_BYTES} bytes")
            if not self._more():
                last = self._last_words() or "nothing"
                raise HarnessError(
                    f"the sandbox ended without an answer, as where a module kills the harness in it; last words: {last}"
                )
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        try:
            return msgspec.json.decode(line, type=Ready | KeptFile | SandboxAnswer | SandboxTrouble)
        except (msgspec.DecodeError, RecursionError) as error:
            raise _senseless(str(error)) from None

    def _more(self) -> bool:
        """Waits for bytes; False at the end of the pipe."""
        ready = select.poll()
        ready.register(self._pipe, select.POLLIN)
        wait_s = self._deadline_s - time.monotonic()
        if wait_s <= 0 or not ready.poll(wait_s * 1000):
            raise HarnessError("the sandbox has not come to its end in time, and was ended")
        block = os.read(self._pipe, _BLOCK)
        self._buffer += block
        return bool(block)

    def _save(self, file: KeptFile) -> None:
        target = self._order.folder / file.path
        left = file.size
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as sink:
                while left:
                    if not self._buffer and not self._more():
                        raise _senseless(f"a file that is cut off: {file.path!r}")
                    block = self._buffer[:left]
                    del self._buffer[: len(block)]
                    left -= len(block)
                    sink.write(block)
            if file.executable:
                target.chmod(0o755)
        except OSError as error:
            raise HarnessError(f"{target}: cannot be written: {error.strerror}") from error

    def _checked(self, answer: SandboxAnswer) -> AllRan:
        """Returns the observations. Each must be one that was asked for: they are looked up by host and by use."""
        order = self._order
        hosts = len(order.hosts)
        if len(answer.modules) != len(order.jobs) or len(answer.together) != (hosts if order.together else 0):
            raise _senseless("another number of results than was asked for")
        return AllRan(tuple(map(self._outcome, order.jobs, answer.modules)), answer.together)

    def _outcome(self, job: CheckJob | None, answer: ModuleAnswer | None) -> RunOutcome | None:
        if job is None and answer is None:
            return None
        if job is None or answer is None or len(answer.runs) != len(self._order.hosts):
            raise _senseless("results of another module or host than was asked for")
        wanted = range(len(job.uses))
        if not answer.uses or not all(number in wanted for number in (*answer.uses, *answer.refused)):
            raise _senseless("a use that was not asked for")
        uses = tuple(job.uses[number] for number in answer.uses)
        points = [use.point.value for use in uses]
        for host, runs in zip(self._order.hosts, answer.runs, strict=True):
            expected = points if host.binary is not None else []
            if [run.extension_point for run in runs] != expected:
                raise _senseless(f"runs on {host.id} that were not asked for")
        ran = map(Ran, self._order.hosts, answer.runs)
        return RunOutcome(tuple(ran), uses, tuple(job.uses[number] for number in answer.refused))


def _senseless(what: str) -> HarnessError:
    return HarnessError(f"the sandbox's answer makes no sense, so that nothing is known of the module: {what}")


def forward(pipe: int, put: Callable[[str], None], most_bytes: int) -> None:
    """Hands on the lines that come from a pipe, up to so many bytes, and reads it to its end."""
    with os.fdopen(pipe, "rb") as source:
        for line in _bounded_lines(source, most_bytes):
            put(line)


def _bounded_lines(source: BinaryIO, most_bytes: int) -> Iterator[str]:
    left = most_bytes
    while line := source.readline(_BLOCK):
        left -= len(line)
        if left >= 0:
            yield line.decode(errors="replace").rstrip("\n")
