"""The linters of the page's script find what they are for, and describe the data that the page really has."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from dmconform.core.errors import HarnessError
from dmconform.core.values import Outcome

from tests.checkout import ROOT
from tests.lint_page import SETTINGS, SOURCES, Tools, installed_tools, problems
from tests.page import data_types


@pytest.fixture(scope="module")
def tools() -> Tools:
    return installed_tools()


def test_the_script_is_clean(tools: Tools) -> None:
    assert problems(tools) == []


@dataclass(frozen=True)
class Wrong:
    """A mistake: what it replaces in a file, and what a tool says of that file then."""

    name: str
    file: str
    good: str
    bad: str
    printed: str


WRONG = (
    Wrong("another type", "failures.js", "few(sdks)", "few(sdks.length)", r"error TS2345: Argument of type 'number'"),
    Wrong("a field that the data has not", "failures.js", "it.fix", "it.mend", r"error TS2339: Property 'mend'"),
    Wrong("a value that an outcome has not", "rows.js", '"not tested"', '"unreachable"', r"error TS2367: .*'Outcome'"),
    Wrong(
        "an item that may be missing",
        "cells.js",
        "item(row.cases, 0)",
        "row.cases[0]",
        r"error TS2345: .*'number [|] undefined'",
    ),
    Wrong("no type", "abi.js", "/** @param {AbiStep} step */\n", "", r"error TS7006: Parameter 'step'"),
    Wrong("an import of what is not exported", "heads.js", "{ el }", "{ element }", r"error TS2305: .*'element'"),
    Wrong("an import that is not used", "main.js", "{ byId, closest }", "{ byId, chip, closest }", r"error TS6133: 'chip'"),
    Wrong(
        "a comparison that converts",
        "state.js",
        'state.search.trim() !== ""',
        'state.search.trim() != ""',
        r"lint/suspicious/noDoubleEquals",
    ),
    Wrong("a variable that could be a constant", "story.js", "const detail =", "let detail =", r"lint/style/useConst"),
    Wrong("another format", "focus.js", "current = element;", "current  =  element;", r"format"),
)


@pytest.fixture(scope="module")
def printed(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the tools say of a copy that has all mistakes."""
    root = tmp_path_factory.mktemp("wrong")
    for folder in (SETTINGS, SOURCES):
        shutil.copytree(ROOT / folder, root / folder)
    for wrong in WRONG:
        path = root / SOURCES / wrong.file
        text = path.read_text(encoding="utf-8")
        assert wrong.good in text, f"{wrong.file} has changed: give the mistake {wrong.name!r} another place"
        path.write_text(text.replace(wrong.good, wrong.bad, 1), encoding="utf-8")
    return "\n".join(problems(tools, root))


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_a_mistake_is_found(printed: str, wrong: Wrong) -> None:
    assert re.search(rf"{re.escape(wrong.file)}\S* .*{wrong.printed}", printed), printed


def test_the_described_data_is_that_of_the_types() -> None:
    assert data_types.FILE.read_text(encoding="utf-8") == data_types.typescript(), "run: ./toxw -e schema"


class _Inner(msgspec.Struct, rename="camel"):
    """An inner
    one.
    """  # noqa: D205 - such a text must fit on one line of data.d.ts

    a_name: str


class _Outer(msgspec.Struct):
    """An outer one."""

    inner: list[_Inner]
    pairs: tuple[tuple[int, str], ...]
    maybe: dict[str, bool | None]
    either: list[int | None]
    outcome: Outcome


def test_each_kind_of_type_is_described() -> None:
    described = data_types.typescript(_Outer)
    assert described.endswith("""\
/** An inner one. */
export interface _Inner {
  aName: string;
}

/** An outer one. */
export interface _Outer {
  inner: _Inner[];
  pairs: [number, string][];
  maybe: Record<string, boolean | null>;
  either: (number | null)[];
  outcome: Outcome;
}
""")


def test_a_kind_of_type_that_is_not_known_is_refused() -> None:
    with pytest.raises(TypeError, match=r"there is no TypeScript for .*FloatType"):
        data_types.typescript(msgspec.defstruct("Other", [("a", float)]))


def test_the_tools_are_pinned_by_hash_and_come_from_whatever_registry_the_machine_uses() -> None:
    text = (ROOT / SETTINGS / "package-lock.json").read_text(encoding="utf-8")
    packages = {name: package for name, package in json.loads(text)["packages"].items() if name}
    assert packages
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())


def test_without_node_a_message_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HarnessError, match=r"needs the programs node and npm .*: run \./toxw -e lint"):
        installed_tools(tmp_path / "tools")
