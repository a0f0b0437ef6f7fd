"""A report is somebody else's text: it is read whole or refused, and the error says where the trouble is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import DataFileError
from harness.paths import PROJECT
from harness.report import reading
from harness.report.reading import read_report
from harness.report.schema import SCHEMA_VERSION, write_report
from tests.unit.report_samples import ALL_KINDS, HOSTILE, broken, report

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A sound report."""
    path = tmp_path / "report.json"
    write_report(report(ALL_KINDS), path)
    return path


def test_what_was_written_is_read(file: Path) -> None:
    assert read_report(file) == report(ALL_KINDS)


def test_hostile_text_is_read_as_it_is(file: Path) -> None:
    write_report(report([broken(detail=HOSTILE)]), file)
    assert read_report(file).cells[0].detail == HOSTILE


BAD: list[tuple[str, Change, str]] = [
    ("future", lambda it: it.update(schema_version=SCHEMA_VERSION + 1), "a newer one needs a newer dmconform"),
    ("no version", lambda it: it.pop("schema_version"), "schema_version"),
    ("version 0", lambda it: it.update(schema_version=0), "schema version 0"),
    ("unknown field", lambda it: it.update(surprise=1), "surprise"),
    ("wrong type", lambda it: it["cells"][0].update(duration_s="long"), "$.cells[0].duration_s"),
    ("unknown outcome", lambda it: it["cells"][1].update(outcome="fine"), "$.cells[1].outcome"),
    ("cell of another name", lambda it: it["cells"][0].update(host="1.40.0"), "says that it is"),
    ("cell twice", lambda it: it["cells"].append(it["cells"][0]), "is there 2 times"),
    ("evidence elsewhere", lambda it: it["cells"][0].update(evidence="../../etc"), "leads out of the report's folder"),
    ("absolute evidence", lambda it: it["cells"][0].update(evidence="/etc"), "leads out of the report's folder"),
    ("log elsewhere", lambda it: it["sdks"][0].update(build_log="a/../../b"), "leads out of the report's folder"),
    ("no cells", lambda it: it.pop("cells"), "cells"),
]


@pytest.mark.parametrize(("change", "text"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_is_wrong_is_named(file: Path, change: Change, text: str) -> None:
    data = json.loads(file.read_text(encoding="utf-8"))
    change(data)
    file.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(DataFileError) as error:
        read_report(file)
    assert str(error.value).startswith(f"{file}: ")
    assert text in str(error.value)


def test_every_truncation_is_refused(file: Path) -> None:
    whole = file.read_bytes().rstrip()
    for length in range(0, len(whole), 997):
        file.write_bytes(whole[:length])
        with pytest.raises(DataFileError, match=r"truncated|malformed|Input data"):
            read_report(file)


def test_a_huge_file_is_refused_unread(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 100)
    with pytest.raises(DataFileError, match="expected a report of at most 100"):
        read_report(file)


def test_a_folder_and_nothing_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(DataFileError):
            read_report(path)


def test_deep_nesting_is_refused(file: Path) -> None:
    file.write_text('{"schema_version": 4, "cells": ' + "[" * 100_000, encoding="utf-8")
    with pytest.raises(DataFileError):
        read_report(file)


def test_every_published_report_still_opens() -> None:
    published = sorted((PROJECT / "reports" / "published").glob("*/report.json"))
    assert published
    for path in published:
        found = read_report(path)
        assert found.schema_version == SCHEMA_VERSION
        assert len(found.cells) == found.planned_cells
