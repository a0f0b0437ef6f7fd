"""The folder in which nights are kept: one folder per night, named after its time, with the night's report."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

from dmconform.core.errors import DataFileError
from dmconform.core.paths import report_in
from dmconform.core.progress import say
from dmconform.report.reading import read_report
from dmconform.report.schema import Report

_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z")


def name_of(now: datetime) -> str:
    """Returns the name of the folder of a night; names sort as the nights follow each other."""
    return now.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def newest_report(keep: Path) -> Report | None:
    """Returns the newest report that is kept; None before the first night.

    One that is incomplete, or cannot be read, is reported and passed over: it would hide what the night before it has shown.
    """
    for folder in reversed(_nights(keep)):
        file = report_in(folder)
        if not file.exists():
            continue
        try:
            report = read_report(file)
        except DataFileError as error:
            say(f"passed over: {error}")
            continue
        if report.complete:
            return report
        say(f"passed over: {file}: {report.incomplete_reason or 'it is incomplete'}")
    return None


def remove_old(keep: Path, most: int) -> None:
    """Removes the oldest nights, so that no more than `most` are left. Folders that are not named as a night stay."""
    for folder in _nights(keep)[:-most]:
        shutil.rmtree(folder)


def _nights(keep: Path) -> list[Path]:
    """Returns the nights, the oldest first."""
    if not keep.is_dir():
        return []
    return sorted(folder for folder in keep.iterdir() if _NAME.fullmatch(folder.name) and not folder.is_symlink())
