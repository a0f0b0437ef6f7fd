"""Standard output and error of the tool: full, closed or without a reader, they never end it with a traceback."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from dmconform.core.errors import HarnessError

if TYPE_CHECKING:
    from typing_extensions import Buffer

_STREAMS = 3
_ERRORS = 2


class _ForgivingOutput(io.FileIO):
    """Standard output that goes nowhere once its reader is gone, as `head` is soon: the command ends with its exit code."""

    def write(self, data: Buffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            _discard(self.fileno())
            return memoryview(data).nbytes
        except OSError as error:
            _discard(self.fileno())
            why = "it is closed" if error.errno == errno.EBADF else error.strerror
            raise HarnessError(f"standard output cannot be written: {why}") from error


class _ForgivingErrors(io.FileIO):
    """Standard error that goes nowhere once it cannot be written: what a command found does not depend on it."""

    def write(self, data: Buffer, /) -> int:
        try:
            return super().write(data)
        except OSError:
            _discard(self.fileno())
            return memoryview(data).nbytes


def _discard(descriptor: int) -> None:
    """Makes what is written to a file descriptor from now on go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def prepare_streams() -> None:
    """Makes standard output and error forgiving, unless they are other ones already, as in a test.

    What a terminal cannot show is replaced. What goes to a file or a pipe is UTF-8, whatever the locale is.
    """
    _occupy_closed()
    if sys.stdout is sys.__stdout__:
        sys.stdout = _text(_ForgivingOutput(1, "w", closefd=False), sys.stdout, "replace")
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text(_ForgivingErrors(2, "w", closefd=False), sys.stderr, "backslashreplace")


def _occupy_closed() -> None:
    """Opens what is closed of the first three descriptors, so that no other file gets their numbers.

    It is opened for reading only: to write to it fails, and is reported.
    """
    while (descriptor := os.open(os.devnull, os.O_RDONLY)) < _STREAMS:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def _text(raw: io.FileIO, before: TextIO | None, errors: str) -> TextIO:
    chosen = before is not None and (raw.isatty() or bool(os.environ.get("PYTHONIOENCODING")))
    encoding = before.encoding if before is not None and chosen else "utf-8"
    by_line = raw.isatty() or isinstance(raw, _ForgivingErrors)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors=errors, line_buffering=by_line)


@contextlib.contextmanager
def errors_of_children_into(file: int) -> Iterator[None]:
    """Makes what processes that start in the block print on standard error go into a file; this process prints as before."""
    own = sys.stderr
    kept = os.dup(_ERRORS)
    try:
        if own is not None and _descriptor(own) == _ERRORS:
            sys.stderr = _text(_ForgivingErrors(kept, "w", closefd=False), own, "backslashreplace")
        os.dup2(file, _ERRORS)
        yield
    finally:
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(kept, _ERRORS)
        sys.stderr = own
        os.close(kept)


def _descriptor(stream: TextIO) -> int | None:
    """Returns the descriptor of a stream; None for one without, as a test may have."""
    try:
        return stream.fileno()
    except OSError:
        return None
