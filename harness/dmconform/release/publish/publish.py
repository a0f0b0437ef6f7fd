"""Publishes a report: keeps it compressed, with a summary of it and hashes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

from dmconform.core import paths
from dmconform.core.compressed import compress, read_plain_or_compressed
from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.paths import COMPRESSED_REPORT_FILE, report_in
from dmconform.hosts.obtain import sha256_of
from dmconform.release.publish.summary import summary_text
from dmconform.report.reading import parse_report
from dmconform.report.schema import Report

FOLDER = paths.DATA / "reports" / "published"
PAGE = "README.md"
SUMS = "SHA256SUMS"
SUMMARY = "summary.md"
FILES: Final = (COMPRESSED_REPORT_FILE, SUMMARY, SUMS)
"""What a published report has.

The page is large and is made from the report. Evidence is large too, and may hold paths of the machine. A build log has only
the order of a compiler's work: toolchain, source and hash of every module, and why a build failed, are in the report.
"""
_NAME = re.compile(r"\d{4}-\d{2}-\d{2}-[a-z0-9][a-z0-9.-]*")


def publish(source: Path, name: str, folder: Path = FOLDER) -> Path:
    """Makes `folder/NAME` of the report in a folder; returns it.

    Raises:
        UsageError: the name is none, or taken, or the report is not fit to be published.
        DataFileError: it is not a report.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r}: expected DATE-WHAT in lower case, such as 2026-11-21-envoy-1.40")
    target = folder / name
    if target.exists():
        raise UsageError(f"{target}: exists already; a published report is never changed; choose another name")
    file = report_in(source)
    data = read_plain_or_compressed(file)
    report = parse_report(file, data)
    refuse_unfit(report, str(source))
    part = folder / f".{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        (part / COMPRESSED_REPORT_FILE).write_bytes(compress(data))
        (part / SUMMARY).write_text(summary_text(report, name, SUMS), encoding="utf-8")
        (part / SUMS).write_text(sums_of(part), encoding="utf-8")
        part.rename(target)
    except OSError as error:
        raise HarnessError(f"{target}: cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def refuse_unfit(report: Report, name: str) -> None:
    """Refuses a report that is not whole, or that others cannot make again.

    Raises:
        UsageError: it is not so.
    """
    why = [
        (not report.complete, f"its run did not end: {report.incomplete_reason}"),
        (report.planned_cells > len(report.cells), "cells that were planned are not there"),
        (report.shard is not None, "it is a shard; join all of them with dmconform merge"),
        (report.environment.suite_commit.endswith("+changes"), "its suite had changes that no commit has: run a clean clone"),
    ]
    found = [text for unfit, text in why if unfit]
    if found:
        raise UsageError(f"{name}: not fit to be published: {found[0]}")


def sums_of(folder: Path) -> str:
    """Returns the lines of `sha256sum` for every file in a folder but the list itself; links are not followed."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and path != folder / SUMS)
    return "".join(f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)
