"""Copies of the project that a test may break, and `dmconform` run from one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from dmconform.report.schema import CellEntry, Report

from tests.checkout import ROOT

NEEDED = ("harness", "conformance", "sdks", "pyproject.toml")
RUN_S = 120.0


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    exit_code: int
    printed: str  # standard output
    errors: str  # standard error

    def __str__(self) -> str:
        return f"exit code {self.exit_code}\n{self.printed}\n{self.errors}"


@dataclass(frozen=True)
class Project:
    """The project's own folder, or a copy of it."""

    folder: Path

    @classmethod
    def copy(cls, folder: Path) -> Project:
        """A copy in a folder that does not exist yet."""
        folder.mkdir(parents=True)
        for name in NEEDED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, folder / name)
        return cls(folder)

    def edit(self, file: str, old: str, new: str) -> None:
        """Replaces a text that stands in a file once."""
        path = self.folder / file
        text = path.read_text()
        assert text.count(old) == 1, f"expected {old!r} once in {file}, it is there {text.count(old)} times"
        path.write_text(text.replace(old, new))

    def start(
        self,
        *arguments: str | Path,
        environment: Mapping[str, str] | None = None,
        prefix: tuple[str, ...] = (),
        stdin: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[str]:
        """`dmconform` in a session of its own; `stdin` as of `subprocess.Popen`."""
        return subprocess.Popen(
            # Ctrl-C must reach it also where these tests run in the background, whose shell has it ignored.
            ["env", "--default-signal=INT", *prefix, sys.executable, "-m", "dmconform", *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder / "harness"), **(environment or {})},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def dmconform(
        self, *arguments: str | Path, environment: Mapping[str, str] | None = None, prefix: tuple[str, ...] = ()
    ) -> Done:
        """`dmconform` to its end."""
        return ended(self.start(*arguments, environment=environment, prefix=prefix))


def ended(process: subprocess.Popen[str], timeout_s: float = RUN_S) -> Done:
    """Waits for the end of a command."""
    try:
        printed, errors = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        printed, errors = process.communicate()
        raise AssertionError(f"not done after {timeout_s:g} s:\n{printed}\n{errors}") from None
    return Done(process.returncode, printed, errors)


def report_in(folder: Path) -> Report:
    """The report in a folder."""
    return msgspec.json.decode((folder / "report.json").read_bytes(), type=Report)


def cells_in(folder: Path) -> dict[str, CellEntry]:
    """The cells of the report in a folder."""
    return {cell.id: cell for cell in report_in(folder).cells}
