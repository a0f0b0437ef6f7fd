"""The one way in which this package runs a program of the machine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from harness.errors import HarnessError

PROGRAM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where programs for administrators are, which a plain user's PATH often leaves out."""
OUTPUT_TAIL_LINES = 15


def find_program(name: str) -> str | None:
    """The path of a program, also of one for administrators."""
    return shutil.which(name) or shutil.which(name, path=":".join(PROGRAM_FOLDERS))


def run(command: list[str], timeout_s: float, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end, without input, and gives its outputs put together as `stdout`.

    Raises:
        HarnessError: it cannot be started, or takes too long.
    """
    try:
        return subprocess.run(
            command,
            cwd=folder,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired as error:
        raise HarnessError(f"`{' '.join(command)}` did not end within {timeout_s:.0f} s") from error
    except OSError as error:
        raise HarnessError(f"`{command[0]}` could not be run: {error}") from error


def run_ok(command: list[str], timeout_s: float, doing: str, folder: Path | None = None) -> None:
    """Runs a command that has to succeed.

    Raises:
        HarnessError: it does not; the message says what was to be done, and has the end of its output.
    """
    done = run(command, timeout_s, folder)
    if done.returncode != 0:
        raise HarnessError(f"Could not {doing}: exit code {done.returncode}. {tail(done.stdout)}")


def tail(output: str) -> str:
    """The end of an output, for an error message."""
    lines = output.strip().splitlines()[-OUTPUT_TAIL_LINES:]
    return "The end of its output:\n" + "\n".join(lines) if lines else "It printed nothing."
