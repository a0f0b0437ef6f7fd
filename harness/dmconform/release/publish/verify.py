"""Whether published reports are whole, and what their hashes say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dmconform.core.datafile import read_bounded
from dmconform.core.errors import HarnessError
from dmconform.core.paths import COMPRESSED_REPORT_FILE
from dmconform.release.publish.publish import FILES, FOLDER, PAGE, SUMMARY, SUMS, refuse_unfit, sums_of
from dmconform.release.publish.summary import MOST_BYTES
from dmconform.report.reading import read_report


def published(folder: Path = FOLDER) -> tuple[Path, ...]:
    """Returns the folders of published reports, oldest first."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink() and path.name[0] != "."))


def problems(folder: Path = FOLDER) -> Iterator[str]:
    """Yields what is wrong with the published reports, a line each."""
    for report in published(folder):
        for problem in _of_report(report):
            yield f"{report.name}: {problem}"
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path not in published(folder) and path.name != PAGE:
            yield f"{path.name}: is not a published report; only dmconform publish makes one"


def _of_report(folder: Path) -> Iterator[str]:
    sums = folder / SUMS
    if not sums.is_file() or sums.is_symlink():
        yield f"has no {SUMS}: only dmconform publish makes a published report"
        return
    try:
        text = read_bounded(sums).decode()
    except (HarnessError, UnicodeDecodeError) as error:
        yield f"{SUMS} cannot be read: {error}"
        return
    listed = dict(line.split("  ", 1)[::-1] for line in text.splitlines() if "  " in line)
    there = dict(line.split("  ", 1)[::-1] for line in sums_of(folder).splitlines())
    for name in sorted(listed.keys() | there.keys()):
        if name not in there:
            yield f"{name} is missing"
        elif name not in listed:
            yield f"{name} was added"
        elif listed[name] != there[name]:
            yield f"{name} was edited: sha256 {there[name]}, expected {listed[name]}"
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            yield f"{path.relative_to(folder).as_posix()} is a link, or no file"
    try:
        refuse_unfit(read_report(folder / COMPRESSED_REPORT_FILE), COMPRESSED_REPORT_FILE)
    except HarnessError as error:
        yield str(error)
    expected = {*FILES} - {SUMS}
    yield from (f"{name} was never there" for name in sorted(expected - listed.keys()))
    yield from (f"{name} is nothing that a published report has" for name in sorted(listed.keys() - expected))
    summary = folder / SUMMARY
    if summary.is_file() and summary.stat().st_size > MOST_BYTES:
        yield f"{SUMMARY} is too large: expected at most {MOST_BYTES} bytes"
