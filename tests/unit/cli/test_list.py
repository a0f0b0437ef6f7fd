"""`dmconform list`: tables for people, JSON of a published schema for programs."""

from __future__ import annotations

import json

import jsonschema
import pytest
from dmconform.cli.json_schemas import SCHEMAS
from dmconform.cli.main import main
from dmconform.core.errors import ExitCode
from dmconform.spec.catalogue import load_catalogue
from dmconform.spec.listing import Listing, Selectors, listing

CATALOGUE = load_catalogue()
(SCHEMA,) = [schema for schema in SCHEMAS if schema.type is Listing]
WHAT = {"hosts": len(CATALOGUE.hosts), "sdks": len(CATALOGUE.sdks), "cases": len(CATALOGUE.cases)}


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["list", *words]) == ExitCode.OK
    return capsys.readouterr().out


@pytest.mark.parametrize("what", WHAT)
def test_a_table_has_a_heading_a_row_for_each_and_their_number(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    heading, *rows, count = listed(capsys, what).splitlines()
    assert heading.isupper()
    assert len(rows) == WHAT[what]
    assert count.split()[0] == str(WHAT[what])


@pytest.mark.parametrize("what", WHAT)
def test_a_table_is_as_wide_as_the_terminal(
    what: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for cells, whose ids are there to be copied."""
    monkeypatch.setenv("COLUMNS", "90")
    assert max(map(len, listed(capsys, what).splitlines())) <= 90


def test_one_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(capsys, "hosts", "--host", "1.39.3").splitlines()[-1] == "1 host"
    assert listed(capsys, "sdks", "--sdk", "go@1.39:reference").splitlines()[-1] == "1 SDK version"


def test_default_hosts_are_marked(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [line.split() for line in listed(capsys, "hosts").splitlines()[1:-1]]
    assert {row[0] for row in rows if row[1] == "yes"} == {host.release for host in CATALOGUE.hosts if host.default}


@pytest.mark.parametrize("what", [*WHAT, "cells"])
def test_json_is_of_its_schema_and_has_what_the_table_has(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    whole = json.loads(listed(capsys, what, "--json"))
    jsonschema.validate(whole, json.loads(SCHEMA.file.read_text(encoding="utf-8")))
    assert list(whole) == ["schema_version", what]
    table = listed(capsys, what).splitlines()[1:-1]
    key = "spec" if what == "hosts" else "id"
    assert [one[key] for one in whole[what]] == [line.split()[0] for line in table]


def test_json_of_a_cell(capsys: pytest.CaptureFixture[str]) -> None:
    selection = ("--case", "window/loads", "--sdk", "go@1.39:reference", "--host", "1.40.0")
    whole = json.loads(listed(capsys, "cells", *selection, "--json"))
    (cell,) = whole["cells"]
    assert cell.pop("relation_reason")
    assert cell == {
        "id": "window/loads/go@1.39:reference/1.40.0",
        "case": "window/loads",
        "sdk": "go@1.39:reference",
        "host": "1.40.0",
        "relation": "supported",
        "promises": ["window", "frozen"],
    }


def test_a_file_and_an_image_are_listed_without_a_look_at_them() -> None:
    found = listing("hosts", Selectors(hosts=("path:/nonexistent", "image:a/b:c")), CATALOGUE)
    assert [(host.spec, host.abi_version) for host in found.hosts or ()] == [("path:/nonexistent", None), ("image:a/b:c", None)]


@pytest.mark.parametrize(
    ("words", "option"),
    [("hosts --case a/b", "case"), ("sdks --everywhere", "everywhere"), ("cases --host 1.39", "host")],
)
def test_a_selector_without_effect_is_refused(words: str, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", *words.split()]) == ExitCode.USAGE
    assert f"--{option} has no effect on list {words.split(maxsplit=1)[0]}" in capsys.readouterr().err


def test_hosts_show_commit_and_build(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert main(["list", "hosts"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()[1:-1]}
    assert " modified " in rows["1.38.3"] and " clean " in rows["1.38.2"]
    assert "0ebfcfe5b0484b89ca85b761da9e05ce75dbda8d" in rows["1.38.3"]
    assert main(["list", "hosts", "--host", "1.38.3", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["hosts"]
    assert (found["commit"], found["build_type"]) == ("0ebfcfe5b0484b89ca85b761da9e05ce75dbda8d", "Modified RELEASE")
