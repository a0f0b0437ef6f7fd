"""Runs a plan and writes its report in every form, whatever happens."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from dmconform.core import paths
from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.progress import say
from dmconform.matrix.assemble import RunFacts, assemble
from dmconform.matrix.cells import run_cells
from dmconform.matrix.prepare import EVIDENCE, Prepared
from dmconform.matrix.pytest_plugin import read_results
from dmconform.matrix.rerun import with_reruns
from dmconform.report.html import render_html
from dmconform.report.junit import render_junit
from dmconform.report.markdown import render_markdown
from dmconform.report.schema import Report, write_report
from dmconform.spec.catalogue import Catalogue


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


def run_and_report(catalogue: Catalogue, prepared: Prepared, folder: Path, workers: str, started: float, reruns: int) -> Report:
    """Runs a plan and writes `report.json`, `junit.xml`, `matrix.md` and `index.html` into its folder.

    Args:
        catalogue: cases, requirements and records.
        prepared: the plan, its selection and its builds.
        folder: the folder of the report.
        workers: how many cells run at once: a number or `auto`.
        started: when the command began, in seconds since 1970.
        reruns: how often cells that count as a failure are run again.
    """
    started_at = datetime.fromtimestamp(started, UTC)
    say(f"running {len(prepared.plan.cells)} cells; the modules' code runs on this machine, with your rights")
    incomplete_reason = run_cells(prepared, folder, workers)
    _remove_empty_folders(folder / EVIDENCE)
    facts = RunFacts(started_at, time.time() - started, shlex.join(["dmconform", *sys.argv[1:]]), incomplete_reason)
    report = assemble(catalogue, prepared, read_results(folder), facts, folder)
    write_reports(report, folder)
    more = with_reruns(catalogue, prepared, report, facts, folder, reruns)
    if more is not report:
        write_reports(more, folder)
    return more


def _remove_empty_folders(top: Path) -> None:
    """Removes the empty folders above those of cells that passed. Workers do not: another may be about to use one."""
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
        (folder / "junit.xml").write_text(render_junit(report), encoding="utf-8")
        (folder / "matrix.md").write_text(render_markdown(report), encoding="utf-8")
        (folder / "index.html").write_text(render_html(report), encoding="utf-8")
    except OSError as error:
        raise HarnessError(f"{folder}: the report cannot be written: {error.strerror}; free room there") from error
