"""Runs a plan with pytest and pytest-xdist, shows progress, and writes the reports whatever happens."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness import paths
from harness.app.assemble import RunFacts, assemble
from harness.app.catalogue import Catalogue
from harness.app.prepare import EVIDENCE, Prepared
from harness.app.progress import say
from harness.errors import HarnessError, UsageError
from harness.pytest_plugin import read_results
from harness.report.html import render_html
from harness.report.junit import render_junit
from harness.report.markdown import render_markdown
from harness.report.schema import Report, write_report

PROGRESS_EVERY_S = 2.0
LOGGED_PROGRESS_EVERY_S = 10.0  # where it is no terminal: a log is read afterwards
PYTEST_LOG = "pytest.log"
PYTEST_TROUBLE = (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED)


def make_report_folder(folder: Path) -> Path:
    """Makes the folder of a new report; making it is what keeps two runs out of one another's.

    Raises:
        UsageError: it exists.
        HarnessError: it cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except FileExistsError:
        raise UsageError(
            f"--out {folder}: exists already, or another run has just made it; "
            "expected a new folder: name another one, or remove it"
        ) from None
    except OSError as error:
        raise HarnessError(f"--out {folder}: cannot be made: {error.strerror}") from error
    return folder.resolve()


class _Progress:
    """Says every few seconds how far the cells are."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._red = 0
        self._every_s = PROGRESS_EVERY_S if sys.stderr.isatty() else LOGGED_PROGRESS_EVERY_S
        self._next = time.monotonic() + self._every_s

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call":
            return
        self._done += 1
        self._red += report.failed
        if time.monotonic() >= self._next or self._done == self._total:
            self._next = time.monotonic() + self._every_s
            say(f"{self._done}/{self._total} cells, {self._red} against the run")


def run_cells(prepared: Prepared, folder: Path, workers: str) -> str | None:
    """Runs all cells; says why the run is incomplete, or None. Results are in the folder."""
    arguments = [
        str(paths.CASES),
        f"--dm-plan={prepared.plan_file}",
        f"--rootdir={paths.PROJECT}",
        f"--numprocesses={workers}",
        "--quiet",
        "--tb=short",
        "-p",
        "no:cacheprovider",
    ]
    if workers == "0":
        arguments += ["-p", "no:xdist"]
        arguments.remove("--numprocesses=0")
    log = folder / PYTEST_LOG
    progress = _Progress(len(prepared.plan.cells))
    with log.open("w") as sink, contextlib.redirect_stdout(sink):
        try:
            code = pytest.main(arguments, plugins=[progress])
        except KeyboardInterrupt:
            code = pytest.ExitCode.INTERRUPTED
    if code == pytest.ExitCode.INTERRUPTED:
        return "the run was interrupted"
    if code in PYTEST_TROUBLE:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
        return f"pytest ended with {pytest.ExitCode(code).name}; the end of {PYTEST_LOG}:\n{tail}"
    return None


def run_and_report(catalogue: Catalogue, prepared: Prepared, folder: Path, workers: str, started: float) -> Report:
    """Runs a plan and writes `report.json`, `junit.xml`, `matrix.md` and `index.html` into its folder."""
    started_at = datetime.fromtimestamp(started, UTC)
    say(f"running {len(prepared.plan.cells)} cells; the modules' code runs on this machine, with your rights")
    incomplete_reason = run_cells(prepared, folder, workers)
    _remove_empty_folders(folder / EVIDENCE)
    facts = RunFacts(started_at, time.time() - started, shlex.join(["dmconform", *sys.argv[1:]]), incomplete_reason)
    report = assemble(catalogue, prepared, read_results(folder), facts, folder)
    write_reports(report, folder)
    return report


def _remove_empty_folders(top: Path) -> None:
    """What cells that passed have left above their own folders. Not done by them: another may be about to use one."""
    for place, _, _ in os.walk(top, topdown=False):
        with contextlib.suppress(OSError):
            Path(place).rmdir()


def write_reports(report: Report, folder: Path) -> None:
    """Writes a report in every form.

    Raises:
        HarnessError: the disk is full, or the folder cannot be written to.
    """
    try:
        write_report(report, folder / paths.REPORT_FILE)
        (folder / "junit.xml").write_text(render_junit(report))
        (folder / "matrix.md").write_text(render_markdown(report))
        (folder / "index.html").write_text(render_html(report))
    except OSError as error:
        raise HarnessError(f"{folder}: the report cannot be written: {error.strerror}; free room there") from error
