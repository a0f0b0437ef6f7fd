"""A report is somebody else's text: it is read whole or refused, and the error says where the trouble is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dmconform.cli.main import main
from dmconform.core import datafile
from dmconform.core.errors import DataFileError
from dmconform.report.reading import read_report
from dmconform.report.schema import SCHEMA_VERSION, write_report

from tests.checkout import ROOT
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


SHARD = {"index": 1, "count": 3, "plan_sha256": "ab", "planned_cells": 9}


def renamed(cell: dict[str, Any], case: str) -> dict[str, Any]:
    """The same cell of another case."""
    return {"case": case, "id": f"{case}/{cell['sdk']}/{cell['host']}"}


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
    ("evidence is the folder", lambda it: it["cells"][0].update(evidence="."), "leads out of the report's folder"),
    ("SDK twice", lambda it: it["sdks"].append(it["sdks"][0]), "SDK 'rust@1.39:reference' is there 2 times"),
    ("host twice", lambda it: it["hosts"].append(it["hosts"][0]), "host '1.39.3' is there 2 times"),
    ("case twice", lambda it: it["cases"].append(it["cases"][0]), "case 'window/proxied_traffic' is there 2 times"),
    ("no release", lambda it: it["hosts"][0].update(release_text="new"), "host '1.39.3': release_text: 'new' is not a release"),
    ("an id of three parts", lambda it: it["cells"][0].update(renamed(it["cells"][0], "window")), "is not a cell"),
    ("an id of five parts", lambda it: it["cells"][0].update(renamed(it["cells"][0], "a/b/c")), "is not a cell"),
    ("a time without end", lambda it: it["cells"][0].update(duration_s=1e308), "duration_s or waits: 1e+308 is not a time"),
    ("a wait without end", lambda it: it["cells"][0].update(waits={"start": -1e308}), "waits: -1e+308 is not a time"),
    ("a run without end", lambda it: it.update(duration_s=1e300), "duration_s: 1e+300 is not a time"),
    ("a build without end", lambda it: it["sdks"][0].update(build_s=1e300), "build_s: 1e+300 is not a time"),
    ("shard 5 of 3", lambda it: it.update(shard=SHARD | {"index": 5}), "shard 5 of 3: expected an index"),
    ("shard 0 of 3", lambda it: it.update(shard=SHARD | {"index": 0}), "shard 0 of 3: expected an index"),
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
    monkeypatch.setattr(datafile, "MOST_BYTES", 100)
    with pytest.raises(DataFileError, match=r"too large: expected at most .*100 bytes"):
        read_report(file)


def test_a_file_of_hundreds_of_megabytes_is_refused_in_one_line(tmp_path: Path) -> None:
    huge = tmp_path / "report.json"
    with huge.open("wb") as sink:
        sink.truncate(700 << 20)
    with pytest.raises(DataFileError, match=r"^[^\n]*: too large: [^\n]*$"):
        read_report(huge)


def test_a_folder_and_nothing_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(DataFileError):
            read_report(path)


def test_deep_nesting_is_refused(file: Path) -> None:
    file.write_text('{"schema_version": 4, "cells": ' + "[" * 100_000, encoding="utf-8")
    with pytest.raises(DataFileError):
        read_report(file)


def test_every_published_report_still_opens() -> None:
    published = sorted((ROOT / "reports" / "published").glob("*/report.json.xz"))
    assert published
    for path in published:
        found = read_report(path)
        assert found.schema_version == SCHEMA_VERSION
        assert len(found.cells) == found.planned_cells


@pytest.mark.parametrize("command", ["diff", "gate", "merge", "page", "publish", "plan"])
@pytest.mark.parametrize("kind", ["nothing", "folder", "pipe", "device", "empty", "text", "deep", "future", "old and wrong"])
def test_no_command_waits_crashes_or_is_green(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dmconform.matrix.costs.FILE", tmp_path / "costs.json")
    monkeypatch.setattr(datafile, "PIPE_S", 0.1)
    folder = tmp_path / "folder"
    folder.mkdir()
    bad = folder / "report.json"
    texts = {
        "empty": "",
        "text": "no JSON \x1b[31m",
        "deep": '{"schema_version": 4, "cells": ' + "[" * 100_000,
        "future": '{"schema_version": 99}',
        "old and wrong": '{"schema_version": 1, "cells": 7}',
    }
    match kind:
        case "folder":
            bad.mkdir()
        case "pipe":
            os.mkfifo(bad)
        case "device":
            bad.symlink_to("/dev/zero")
        case "nothing":
            pass
        case _:
            bad.write_text(texts[kind], encoding="utf-8")
    arguments = {
        "diff": ["diff", str(folder), str(folder)],
        "gate": ["gate", str(folder), "--policy", "sdk-release", "--sdk", "rust@1.39"],
        "merge": ["merge", str(folder), "--out", str(tmp_path / "out")],
        "page": ["page", str(folder), "--out", str(tmp_path / "page.html")],
        "publish": ["publish", str(folder), "2026-11-21-a-test"],
        "plan": ["plan", "--measure", str(folder)],
    }
    assert main(arguments[command]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"dmconform: {bad}: ")
    assert printed.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder"]


def test_an_error_that_quotes_a_file_is_data(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(file.read_text(encoding="utf-8"))
    data["\x1b[31mred\u202e\n::error::made up\n##[error]made up"] = 1
    file.write_text(json.dumps(data), encoding="utf-8")
    assert main(["diff", str(file), str(file)]) == 2
    printed = capsys.readouterr().err
    assert "red" in printed
    assert not {"\x1b", "\u202e"} & set(printed)
    assert "##[" not in printed
    assert not any(line.lstrip().startswith("::") for line in printed.splitlines())
