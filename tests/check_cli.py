"""`dmconform check` in this process: quick, and with its exit code as people see it."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

import msgspec
from dmconform.check.result import Check
from dmconform.cli.main import parse
from dmconform.core.errors import HarnessError


@dataclass(frozen=True)
class Done:
    """A check that ended."""

    exit_code: int
    printed: str  # standard output
    errors: str  # standard error

    def __str__(self) -> str:
        return f"exit code {self.exit_code}\n{self.printed}\n{self.errors}"


def dmconform_check(*words: str | Path) -> Done:
    """Runs it to its end."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            chosen = parse(["check", *map(str, words)])
            code = chosen.run(chosen)
        except HarnessError as error:
            print(f"dmconform: {error}", file=err)
            code = error.exit_code
        except SystemExit as end:  # argparse
            code = int(end.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def checked(*words: str | Path) -> Check:
    """What it found, read from its `--json -`; the exit code in it is the one that it ends with."""
    done = dmconform_check(*words, "--json", "-")
    found = msgspec.json.decode(done.printed, type=Check)
    assert found.exit_code == done.exit_code, done
    return found
