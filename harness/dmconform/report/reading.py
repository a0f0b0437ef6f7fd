"""Reads a `report.json` of any schema version so far, plain or compressed.

A report is someone else's text: nothing in it is believed unchecked.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

import msgspec

from dmconform.core.compressed import read_plain_or_compressed
from dmconform.core.datafile import convert, decode_json
from dmconform.core.errors import DataFileError
from dmconform.core.memory import MOST_BYTES, bounded_memory
from dmconform.core.values import CellId
from dmconform.core.versions import Release
from dmconform.report.older import migrated
from dmconform.report.schema import SCHEMA_VERSION, CellEntry, Report

LONGEST_S: Final = 1e9
"""Thirty years: what is longer is not a time, and cannot be shown as one."""

_MOST_OF_OLDER_BYTES: Final = 144 << 20
"""An older report is decoded without its shape first, which takes more; so much with the bytes of the file."""


class _Version(msgspec.Struct):
    schema_version: int


def read_report(path: Path) -> Report:
    """Reads a report of this or an older schema version; what the older one did not have is empty.

    Raises:
        DataFileError: it is not one, is damaged or too large, or is of a newer schema version.
        HarnessError: what it holds takes too much memory.
    """
    return parse_report(path, read_plain_or_compressed(path))


def parse_report(path: Path, data: bytes) -> Report:
    """Parses a report that was read from a file; errors as `read_report`.

    Nothing else may run in this process meanwhile: its memory is bounded.
    """
    version = decode_json(path, data, _Version).schema_version
    if not 1 <= version <= SCHEMA_VERSION:
        raise DataFileError(
            path, f"schema version {version}; this suite reads 1 to {SCHEMA_VERSION}: a newer one needs a newer dmconform"
        )
    with bounded_memory(path, MOST_BYTES if version == SCHEMA_VERSION else _MOST_OF_OLDER_BYTES - len(data)):
        report = _decoded(path, data, version)
        _check(report, path)
    return report


def _decoded(path: Path, data: bytes, version: int) -> Report:
    if version == SCHEMA_VERSION:
        return decode_json(path, data, Report)
    older = migrated(decode_json(path, data, dict[str, Any]), version)
    return convert(path, older | {"schema_version": SCHEMA_VERSION}, Report)


def _check(report: Report, path: Path) -> None:
    """Checks what types cannot express."""
    problem = next(itertools.chain(_of_cells(report), _of_the_rest(report), _of_times(report), _of_ids(report)), None)
    if problem is not None:
        raise DataFileError(path, problem)


def _of_cells(report: Report) -> Iterator[str]:
    """Checks that cells match their ids, and that their folders stay inside the report's."""
    for cell in report.cells:
        if cell.id != f"{cell.case}/{cell.sdk}/{cell.host}":
            yield f"cell {cell.id!r} says that it is {cell.case}/{cell.sdk}/{cell.host}"
        try:
            CellId.parse(cell.id)
        except ValueError as error:
            yield f"cell {error}"
        if not _stays_inside(cell.evidence):
            yield f"cell {cell.id!r}: evidence {cell.evidence!r} leads out of the report's folder"


def _of_the_rest(report: Report) -> Iterator[str]:
    """Checks that build logs stay inside as well, that hosts are releases, and that a shard has a place among the others."""
    for sdk in report.sdks:
        if not _stays_inside(sdk.build_log):
            yield f"SDK {sdk.id!r}: build log {sdk.build_log!r} leads out of the report's folder"
    for host in report.hosts:
        try:
            Release.parse(host.release_text)
        except ValueError as error:
            yield f"host {host.id!r}: release_text: {error}"
    shard = report.shard
    if shard is not None and not 1 <= shard.index <= shard.count:
        yield f"shard {shard.index} of {shard.count}: expected an index from 1 to the count"


def _of_times(report: Report) -> Iterator[str]:
    """Checks that times can be shown."""
    times: tuple[Iterable[tuple[str, float]], ...] = (
        [("duration_s", report.duration_s)],
        ((f"cell {cell.id!r}: duration_s or waits", seconds) for cell in report.cells for seconds in _times(cell)),
        ((f"SDK {sdk.id!r}: build_s", sdk.build_s or 0.0) for sdk in report.sdks),
    )
    return (
        f"{what}: {seconds} is not a time in seconds" for what, seconds in itertools.chain(*times) if abs(seconds) > LONGEST_S
    )


def _of_ids(report: Report) -> Iterator[str]:
    """Checks that each id is there once."""
    ids: tuple[tuple[str, Iterable[str]], ...] = (
        ("cell", (one.id for one in report.cells)),
        ("SDK", (one.id for one in report.sdks)),
        ("host", (one.id for one in report.hosts)),
        ("case", (one.id for one in report.cases)),
    )
    for what, names in ids:
        for name, count in Counter(names).items():
            if count > 1:
                yield f"{what} {name!r} is there {count} times"


def _times(cell: CellEntry) -> Iterable[float]:
    return (cell.duration_s, *cell.waits.values())


def _stays_inside(place: str | None) -> bool:
    """Returns whether a relative path leads to something in the folder it is relative to, and cannot lead out of it."""
    if place is None:
        return True
    path = PurePosixPath(place)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\0" not in place
