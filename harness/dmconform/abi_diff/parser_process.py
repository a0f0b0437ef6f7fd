"""Starts the process that parses a header, and says how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec

from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.paths import IMPORT_ROOT
from dmconform.core.timeouts import HEADER_PARSE_S

if TYPE_CHECKING:
    from dmconform.abi_diff.header_parser import Parsed

# Isolated: neither the user's environment nor the current folder decide what is imported.
_CHILD = (
    sys.executable,
    "-I",
    "-c",
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import dmconform.abi_diff.header_parser as p; p.main()",
)
_ENVIRONMENT: Final = {
    "LIBCLANG_NOTHREADS": "1",  # the process may not start any
    "LIBCLANG_DISABLE_CRASH_RECOVERY": "1",  # a crash ends the process, and is seen
    "LLVM_DISABLE_SYMBOLIZATION": "1",
    "MALLOC_ARENA_MAX": "1",
}
_KEPT_VARIABLES: Final = ("LD_LIBRARY_PATH",)  # some Pythons need it to start
_SHOWN_BYTES: Final = 1 << 16  # of what it printed
_OUT_OF_MEMORY: Final = ("out of memory", "bad_alloc", "MemoryError")


class TooMuch(HarnessError):
    """An error: a header could not be judged, because it needs more than the reader may use, or breaks it."""

    def __init__(self, header: Path, why: str) -> None:
        super().__init__(f"{header}: too much for the reader: {why}")


def parse_apart(header: Path, text: bytes, source: str) -> Parsed:
    """Parses a header's text in a process that can open no file; problems begin with the header's name and the place.

    Raises:
        TooMuch: the process ran out of its bounds, or crashed.
        HarnessError: the process could not be started.
        UsageError: `source` is not text.
    """
    from dmconform.abi_diff.header_parser import HEADER_PATH, Parsed

    try:
        source.encode()
    except UnicodeError:
        raise UsageError("expected a source with a name that is UTF-8") from None
    # Files in memory, not pipes: what is written stays within the child's own bounds, and need not be read along.
    with _in_memory("header") as given, _in_memory("parsed") as answer, _in_memory("errors") as errors:
        if given.write(text) != len(text):
            raise HarnessError(f"{header}: cannot be handed to its reader whole; raise the limit of file sizes (ulimit -f)")
        given.seek(0)
        exit_code = _run([*_CHILD, str(IMPORT_ROOT), source], given, answer, errors)
        if exit_code is None:
            raise TooMuch(header, f"it takes more than {HEADER_PARSE_S:g} s")
        if exit_code != 0:
            errors.seek(0)
            raise TooMuch(header, _why(exit_code, errors.read(_SHOWN_BYTES).decode(errors="replace").strip()))
        answer.seek(0)
        parsed = msgspec.json.decode(answer.read(), type=Parsed)
    named = tuple(f"{header}{one.removeprefix(HEADER_PATH)}" if one.startswith(HEADER_PATH) else one for one in parsed.problems)
    return msgspec.structs.replace(parsed, problems=named)


def _in_memory(name: str) -> BinaryIO:
    return os.fdopen(os.memfd_create(name), "w+b", buffering=0)


def _run(words: list[str], given: BinaryIO, answer: BinaryIO, errors: BinaryIO) -> int | None:
    """Returns the exit code of a process; None if it was not done in time."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    try:
        process = subprocess.Popen(words, stdin=given, stdout=answer, stderr=errors, env={**kept, **_ENVIRONMENT})
    except OSError as error:
        raise HarnessError(f"{words[0]}: cannot be run: {error.strerror}") from error
    try:
        return process.wait(HEADER_PARSE_S)
    except subprocess.TimeoutExpired:
        return None
    finally:
        process.kill()
        process.wait()


def _why(exit_code: int, printed: str) -> str:
    """Returns why the process did not come to its end."""
    from dmconform.abi_diff.header_parser import CPU_S, EXIT_TOO_MUCH, MEMORY_BYTES

    last = printed.splitlines()[-1] if printed else ""
    if exit_code == EXIT_TOO_MUCH and last:
        return last
    if exit_code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"it takes more than {CPU_S} s of processor time"
    if any(words in printed for words in _OUT_OF_MEMORY):
        return f"it takes more than {MEMORY_BYTES >> 20} MiB of memory"
    how = (
        f"was ended by {_named(-exit_code)}; it is nested too deeply, or breaks libclang" if exit_code < 0 else "could not run"
    )
    return f"the parser {how}" + (f". It said: {last}" if last else "")


def _named(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
