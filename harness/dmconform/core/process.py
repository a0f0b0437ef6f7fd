"""One way to find and run a helper program: no shell, bounded in time and in what it prints."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dmconform.core.errors import HarnessError

PROGRAM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where programs for administrators are, which a plain user's PATH often leaves out."""
OUTPUT_LIMIT_BYTES = 1 << 20
OUTPUT_TAIL_LINES = 15
_LAST_WORDS_S = 1.0  # after its end, for a process that left its session and still holds the pipe


@dataclass(frozen=True)
class Finished:
    """A program that ended: its exit code (negative: the signal that killed it) and the end of what it printed."""

    exit_code: int
    output: str


def find_program(name: str) -> str | None:
    """Returns the path of a program, also of one for administrators."""
    return shutil.which(name) or shutil.which(name, path=":".join(PROGRAM_FOLDERS))


class _End:
    """A reader of a pipe, in a thread, which keeps only the end of the text."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._blocks: deque[bytes] = deque()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        kept = 0
        while block := os.read(self._pipe, 1 << 16):
            self._blocks.append(block)
            kept += len(block)
            while kept - len(self._blocks[0]) >= OUTPUT_LIMIT_BYTES:
                kept -= len(self._blocks.popleft())
        os.close(self._pipe)

    def text(self) -> str:
        self._thread.join(_LAST_WORDS_S)
        return b"".join(tuple(self._blocks))[-OUTPUT_LIMIT_BYTES:].decode(errors="replace")


def run_program(
    command: Sequence[str | Path],
    *,
    timeout_s: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Finished:
    """Runs `command` to its end, standard output and error together; `env` is added to the harness's own.

    Args:
        command: the program and its arguments.
        timeout_s: seconds after which it is ended, with all that it started.
        env: variables that are added to the harness's own.
        cwd: the folder it runs in; None for the harness's own.

    Raises:
        HarnessError: it cannot be started, or is not done after `timeout_s` seconds.
    """
    words = [str(word) for word in command]
    read_end, write_end = os.pipe()
    end = _End(read_end)
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=write_end,
            stderr=write_end,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            start_new_session=True,
        )
    except OSError as error:
        raise HarnessError(f"{words[0]}: cannot be run: {error.strerror}") from error
    finally:
        os.close(write_end)
    try:
        process.wait(timeout_s)
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what it started is in its session
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise HarnessError(f"{words[0]}: not done after {timeout_s:g} s: {' '.join(words)}") from None
        raise
    return Finished(process.returncode, end.text())


def run_ok(command: Sequence[str | Path], timeout_s: float, doing: str, cwd: Path | None = None) -> None:
    """Runs a program that has to succeed.

    Args:
        command: the program and its arguments.
        timeout_s: seconds after which it is ended.
        doing: what it is for, as the rest of a sentence that begins with "Could not".
        cwd: the folder it runs in; None for the harness's own.

    Raises:
        HarnessError: it does not; the message says what was to be done, and has the end of its output.
    """
    done = run_program(command, timeout_s=timeout_s, cwd=cwd)
    if done.exit_code != 0:
        raise HarnessError(f"Could not {doing}: exit code {done.exit_code}. {tail(done.output)}")


def tail(output: str) -> str:
    """Returns the end of an output, for an error message."""
    lines = output.strip().splitlines()[-OUTPUT_TAIL_LINES:]
    return "The end of its output:\n" + "\n".join(lines) if lines else "It printed nothing."
