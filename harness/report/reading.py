"""Reads a `report.json` of any schema version so far. A report is somebody else's text: nothing in it is believed unchecked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any, Final

import msgspec

from harness.datafile import load_json
from harness.errors import DataFileError
from harness.report.schema import SCHEMA_VERSION, Report

MOST_BYTES: Final = 512 << 20
"""A report of 20,000 cells has about 25 MB."""

_MISSING_BEFORE: Final[dict[int, tuple[str, ...]]] = {2: ("static", "abi_pairs", "abi_findings"), 3: ("complaints",)}
"""By schema version: the lists that came with it, which an older report has not got and an empty one stands for."""


def read_report(path: Path) -> Report:
    """Reads a report of this or an older schema version; what the older one did not tell is empty.

    Raises:
        DataFileError: it is not one, is damaged or too large, or is of a newer schema version.
    """
    _refuse_huge(path)

    class _Version(msgspec.Struct):
        schema_version: int

    version = load_json(path, _Version).schema_version
    if not 1 <= version <= SCHEMA_VERSION:
        raise DataFileError(
            path, f"schema version {version}; this suite reads 1 to {SCHEMA_VERSION}: a newer one needs a newer dmconform"
        )
    report = load_json(path, Report) if version == SCHEMA_VERSION else _upgraded(path, version)
    _check(report, path)
    return report


def _refuse_huge(path: Path) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise DataFileError(path, "there is no such file") from None
    except OSError as error:
        raise DataFileError(path, f"cannot be read: {error.strerror}") from error
    if size > MOST_BYTES:
        raise DataFileError(path, f"{size} bytes; expected a report of at most {MOST_BYTES}")


def _upgraded(path: Path, version: int) -> Report:
    data: dict[str, Any] = load_json(path, dict)
    for newer, names in _MISSING_BEFORE.items():
        if newer > version:
            data |= {name: [] for name in names}
    data["schema_version"] = SCHEMA_VERSION
    try:
        return msgspec.convert(data, Report)
    except msgspec.ValidationError as error:
        raise DataFileError(path, f"no report of schema version {version}: {error}") from error


def _check(report: Report, path: Path) -> None:
    """What types cannot say: cells are what their ids say, each is there once, and folders stay inside the report's."""
    for cell in report.cells:
        if cell.id != f"{cell.case}/{cell.sdk}/{cell.host}":
            raise DataFileError(path, f"cell {cell.id!r} says that it is {cell.case}/{cell.sdk}/{cell.host}")
        if not _stays_inside(cell.evidence):
            raise DataFileError(path, f"cell {cell.id!r}: evidence {cell.evidence!r} leads out of the report's folder")
    for cell_id, count in Counter(cell.id for cell in report.cells).items():
        if count > 1:
            raise DataFileError(path, f"cell {cell_id!r} is there {count} times")
    for sdk in report.sdks:
        if not _stays_inside(sdk.build_log):
            raise DataFileError(path, f"SDK {sdk.id!r}: build log {sdk.build_log!r} leads out of the report's folder")


def _stays_inside(place: str | None) -> bool:
    """Whether a relative path cannot lead out of the folder it is relative to."""
    if place is None:
        return True
    path = PurePosixPath(place)
    return not path.is_absolute() and ".." not in path.parts and "\0" not in place
