"""One way to run a helper program: no shell, bounded in time and in what it prints."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError

OUTPUT_LIMIT_BYTES = 1 << 20


@dataclass(frozen=True)
class Finished:
    """A program that ended: its exit code (negative: the signal that killed it) and the end of what it printed."""

    exit_code: int
    output: str


def run_program(
    command: Sequence[str | Path],
    *,
    timeout_s: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Finished:
    """Runs `command` to its end, standard output and error together; `env` is added to the harness's own.

    Raises:
        HarnessError: it cannot be started, or is not done after `timeout_s` seconds.
    """
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as sink:
        try:
            done = subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                timeout=timeout_s,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise HarnessError(f"{words[0]}: not done after {timeout_s:g} s: {' '.join(words)}") from None
        except OSError as error:
            raise HarnessError(f"{words[0]}: cannot be run: {error.strerror}") from error
        size = sink.seek(0, os.SEEK_END)
        sink.seek(max(0, size - OUTPUT_LIMIT_BYTES))
        return Finished(done.returncode, sink.read().decode(errors="replace"))
