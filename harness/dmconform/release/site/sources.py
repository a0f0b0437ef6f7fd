"""Finds the reports that a site is made of. A report is someone else's text: its id is made of its time and its hash alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from dmconform.core.compressed import read_plain_or_compressed
from dmconform.core.datafile import decode_json
from dmconform.core.errors import DataFileError, EmptySelection, HarnessError
from dmconform.core.paths import report_in
from dmconform.core.text import cut, one_line
from dmconform.report.reading import parse_report
from dmconform.report.schema import Report

MOST_RUNS: Final = 60
"""So many of the newest runs have a page: each takes about a megabyte and two seconds."""
_LONGEST_NAME: Final = 80


class _Head(msgspec.Struct):
    started_at: str
    shard: object = None


@dataclass(frozen=True)
class ReportSource:
    """A report to be shown."""

    file: Path
    name: str  # of its folder, for people
    started: datetime
    id: str  # of its time and its hash: the name of its folder in the site
    sha256: str
    is_named: bool  # given by itself, not found in a folder of several

    def read(self) -> Report:
        """Reads it.

        Raises:
            DataFileError: it is not a report.
            HarnessError: it is another one than it was, or takes too much memory.
        """
        data = read_plain_or_compressed(self.file)
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise HarnessError(f"{self.file}: was written anew while the site was made; make the site again")
        return parse_report(self.file, data)


@dataclass(frozen=True)
class LeftOut:
    """A report that the site does not have."""

    name: str
    why: str


@dataclass(frozen=True)
class FoundReports:
    """The reports of some folders, the oldest first, and those that cannot be shown."""

    sources: tuple[ReportSource, ...]
    left_out: tuple[LeftOut, ...]


def find(places: Sequence[Path], most: int = MOST_RUNS) -> FoundReports:
    """Returns the newest reports of some places; the same report is taken once.

    Args:
        places: the folder of a report, a report, or a folder of such folders.
        most: how many are shown.

    Raises:
        DataFileError: a report that was named by itself is none.
        EmptySelection: there is no report.
    """
    sources: dict[str, ReportSource] = {}
    left_out = []
    for file, is_named in _files(places):
        try:
            source = _source(file, is_named=is_named)
        except DataFileError as error:
            if is_named:
                raise
            left_out.append(why_left_out(file, error))
            continue
        sources.setdefault(source.sha256, source)
    if not sources:
        names = ", ".join(map(str, places)) or "no folder was named"
        raise EmptySelection(f"no report to make a site of: {names}; expected folders of dmconform run, or of several of them")
    ordered = sorted(sources.values(), key=lambda one: (one.started, one.id))
    older = ordered[: len(ordered) - most]
    left_out += [LeftOut(one.name, f"only the newest {most} runs have a page") for one in older]
    return FoundReports(tuple(ordered[len(older) :]), tuple(left_out))


def why_left_out(file: Path, error: DataFileError) -> LeftOut:
    """Returns why a report is left out, without the place on this machine: the site is for others."""
    return LeftOut(_name(file), one_line(str(error).replace(str(file), file.name)))


def _files(places: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Yields the files of reports, and whether each was named by itself."""
    for place in places:
        if not place.is_dir():
            yield place, True
        elif report_in(place).exists():
            yield report_in(place), True
        else:
            found = [one for one in sorted(place.iterdir()) if one.is_dir() and not one.name.startswith(".")]
            yield from ((report_in(one), False) for one in found if report_in(one).exists())


def _source(file: Path, *, is_named: bool) -> ReportSource:
    data = read_plain_or_compressed(file)
    head = decode_json(file, data, _Head)
    if head.shard is not None:
        raise DataFileError(file, "it is a shard of a run; join all of them with dmconform merge")
    try:
        started = datetime.fromisoformat(head.started_at)
        started = started.replace(tzinfo=UTC) if started.tzinfo is None else started.astimezone(UTC)
    except (ValueError, OverflowError):
        raise DataFileError(
            file, f"started_at is {cut(head.started_at, 60)!r}, expected a time such as 2026-11-21T12:25:13Z"
        ) from None
    digest = hashlib.sha256(data).hexdigest()
    return ReportSource(file, _name(file), started, f"{started:%Y%m%dt%H%M%Sz}-{digest[:12]}", digest, is_named)


def _name(file: Path) -> str:
    """Returns the name of a report's folder, or of a file that is called otherwise than a report."""
    folder = file.parent.resolve().name
    return one_line(folder or file.name)[:_LONGEST_NAME]
