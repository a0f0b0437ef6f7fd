"""Cases have one door to the harness, and a linter that keeps it."""

from __future__ import annotations

import ast
import re
import shutil
import sys
import tomllib
from pathlib import Path

import dmconform.casekit
from dmconform.core import paths
from dmconform.core.process import run_program

from tests.checkout import ROOT

CASES = ROOT / "conformance" / "cases"
RUFF_S = 30.0


def test_every_room_but_the_door_is_closed() -> None:
    rules = tomllib.loads((CASES / "ruff.toml").read_text())["lint"]["flake8-tidy-imports"]["banned-api"]
    rooms = {f"dmconform.{place.parent.name}" for place in paths.PACKAGE.glob("*/__init__.py")} - {"dmconform.casekit"}
    assert set(rules) == rooms, "conformance/cases/ruff.toml names each room of harness/dmconform but casekit"


def test_a_case_that_goes_past_the_door_is_refused(tmp_path: Path) -> None:
    copy = tmp_path / "conformance" / "cases"
    copy.mkdir(parents=True)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copy(CASES / "ruff.toml", copy)
    file = copy / "test_new.py"
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "TID251", str(file)]
    file.write_text("from dmconform.casekit import case\n")
    assert run_program(command, timeout_s=RUFF_S).exit_code == 0
    file.write_text("from dmconform.envoy.client import Answer\n")
    refused = run_program(command, timeout_s=RUFF_S)
    assert refused.exit_code == 1
    assert "a case imports from dmconform.casekit only" in refused.output


def test_what_is_exported_is_there_once() -> None:
    names = dmconform.casekit.__all__
    assert len(names) == len(set(names))
    assert all(hasattr(dmconform.casekit, name) for name in names)


FOR_THE_HARNESS = {"pid": "take_pid", "port": "take_port", "printed": "read_log", "ports": "take_port"}
"""What an Envoy has for the harness, and what a case uses instead: then an archive of its cell says what it leaves out."""


def past_the_notes(source: str) -> list[str]:
    """Where a case uses what is for the harness, or makes a server that does not notify the cell's observer."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr=("port" | "printed" | "ports") as name)) | ast.Attribute(attr="pid" as name):
                found.append(f"line {node.lineno}: {name} instead of {FOR_THE_HARNESS[name]}")
            case ast.Call(func=ast.Name(id=("source_server" | "upstream") as name)):
                found.append(f"line {node.lineno}: {name}() instead of cell.{name}()")
    return found


def test_cases_use_what_an_archive_takes_note_of() -> None:
    kit = [file for file in (paths.PACKAGE / "casekit").rglob("*.py") if file.name != "__init__.py"]
    found = {file.name: wrong for file in [*CASES.glob("*.py"), *kit] if (wrong := past_the_notes(file.read_text()))}
    assert not found
    assert len(past_the_notes("envoy.pid; envoy.port('main'); envoy.printed(); envoy.ports(); upstream()")) == 5
    assert not past_the_notes("server.port; envoy.take_port('main'); cell.upstream()")
    assert not {"source_server", "upstream"} & set(dmconform.casekit.__all__)


def test_the_guide_has_every_name_that_is_exported_and_no_other() -> None:
    table = (ROOT / "docs" / "writing-cases.md").read_text().partition("\n| to | names |\n")[2].partition("\n\n")[0]
    named = set(re.findall(r"`(\w+)`", table))
    names = set(dmconform.casekit.__all__)
    assert names <= named, f"expected docs/writing-cases.md to list {sorted(names - named)}"
    others = {"identity", "prefix"}  # a filter and an argument
    assert named - names <= others, f"expected docs/writing-cases.md to list what is exported only, not {sorted(named - names)}"
