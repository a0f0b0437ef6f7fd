"""Runs a plan and writes its report in every form, whatever happens."""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from dmconform.core import paths
from dmconform.core.clock import CommandStart
from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.interrupts import deferred_interrupts
from dmconform.core.progress import say
from dmconform.core.removal import remove_tree
from dmconform.core.trouble import is_full, machine_trouble, not_written
from dmconform.envoy.process import hold
from dmconform.matrix.announce import host_lines, sdk_lines
from dmconform.matrix.assemble import RunFacts, assemble
from dmconform.matrix.cells import run_cells
from dmconform.matrix.prepare import EVIDENCE, Prepared
from dmconform.matrix.rerun import with_reruns
from dmconform.report.html import render_html
from dmconform.report.junit import render_junit
from dmconform.report.markdown import render_markdown
from dmconform.report.schema import Report, report_json
from dmconform.spec.catalogue import Catalogue

FORMS: Final = ("junit.xml", "matrix.md", paths.REPORT_FILE, "index.html")
"""The forms of a report."""


@contextlib.contextmanager
def report_folder(folder: Path, worth_keeping: Iterable[str] = FORMS) -> Iterator[Path]:
    """Makes the folder of a new report; making it is what keeps two runs out of one another's.

    It is removed if the block fails without anything worth keeping in it, so that its name can be used again.

    Args:
        folder: which.
        worth_keeping: files, one of which is enough.

    Raises:
        UsageError: it exists, or its name leads through a file.
        HarnessError: it cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) if isinstance(error, FileExistsError) else error
        raise not_written(f"--out {folder}", why, what="cannot be made") from error
    made: Path | None = None
    try:
        with deferred_interrupts():  # whoever has made it removes it
            folder.mkdir()
            made = folder.resolve()
        yield made
    except BaseException as error:
        if made is None and isinstance(error, FileExistsError):
            raise UsageError(
                f"--out {folder}: exists already, or another run has just made it; "
                "expected a new folder: name another one, or remove it"
            ) from None
        if made is None and isinstance(error, OSError):
            raise not_written(f"--out {folder}", error, what="cannot be made") from error
        if made is not None and not any((made / name).is_file() for name in worth_keeping):
            remove_tree(made)
        raise


def run_and_report(
    catalogue: Catalogue, prepared: Prepared, folder: Path, workers: str, started: CommandStart, reruns: int
) -> Report:
    """Runs a plan and writes `report.json`, `junit.xml`, `matrix.md` and `index.html` into its folder.

    Args:
        catalogue: cases, requirements and records.
        prepared: the plan, its selection and its builds.
        folder: the folder of the report.
        workers: how many cells run at once: a number or `auto`.
        started: when the command began.
        reruns: how often cells that count as a failure are run again.
    """
    for line in (*host_lines(prepared.plan.hosts), *sdk_lines(prepared.builds, prepared.selection.repository)):
        say(line)
    say(
        f"running {len(prepared.plan.cells)} cells; the modules' code runs on this machine, with your rights, and ends with "
        f"its Envoy ({hold()})"
    )
    ran = run_cells(prepared, folder, workers)
    with deferred_interrupts():
        _remove_empty_folders(folder / EVIDENCE)
        facts = RunFacts(started.at, started.elapsed_s, shlex.join(["dmconform", *sys.argv[1:]]), ran.trouble)
        report = assemble(catalogue, prepared, ran.results, facts, folder)
        write_reports(report, folder)
    more = with_reruns(catalogue, prepared, report, facts, folder, reruns)
    if more is not report:
        with deferred_interrupts():
            write_reports(more, folder)
    return more


def _remove_empty_folders(top: Path) -> None:
    """Removes the empty folders above those of cells that passed. Workers do not: another may be about to use one."""
    for place, _, _ in os.walk(top, topdown=False):
        with contextlib.suppress(OSError):
            Path(place).rmdir()


def write_reports(report: Report, folder: Path) -> None:
    """Writes a report in every form, the smallest first. Each is there whole, or as it was before.

    Where there is no room, the modules that failing cells kept are removed: `dmconform reproduce` brings them back.

    Raises:
        HarnessError: the disk is full, or the folder cannot be written to; the message says which forms are there.
    """
    texts = {
        "junit.xml": render_junit(report).encode(),
        "matrix.md": render_markdown(report).encode(),
        paths.REPORT_FILE: report_json(report),
        "index.html": render_html(report).encode(),
    }
    missing: dict[str, OSError] = {}
    for name in sorted(FORMS, key=lambda form: len(texts[form])):
        try:
            _write_whole(folder / name, texts[name], folder / EVIDENCE)
        except OSError as error:
            missing[name] = error
    if missing:
        written = ", ".join(form for form in FORMS if form not in missing) or "nothing"
        why = next(iter(missing.values()))
        raise HarnessError(
            f"{folder}: of the report, {written} could be written, and not {', '.join(missing)}: "
            f"{machine_trouble(why) or why.strerror}"
        )


def _write_whole(file: Path, data: bytes, evidence: Path) -> None:
    """Writes a file in one step that others see; where there is no room, after what makes some."""
    part = file.with_name(f"{file.name}.part")
    try:
        try:
            part.write_bytes(data)
        except OSError as error:
            if not is_full(error) or not _make_room(evidence):
                raise
            part.write_bytes(data)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _make_room(evidence: Path) -> bool:
    """Removes the copies of modules from a run's evidence; returns whether there were any."""
    copies = [file for file in evidence.rglob("*.so") if file.is_file()]
    for file in copies:
        file.unlink(missing_ok=True)
    return bool(copies)
