"""Changes the facts on record: adds those of new cells, corrects those that are named, and writes the files.

What a file says follows from its facts alone, so that the same facts are the same bytes; a fact is a line.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from dmconform.spec.facts import SCHEMA, Behaviour, CellKey, Fact, FactEntry, Facts, RecordedRun, sdks_text


class Edit(enum.Enum):
    """What becomes of the fact of a cell."""

    SAME = "as on record"
    ADDED = "added"
    CORRECTED = "corrected"
    LEFT = "differs, and was left"
    REMOVED = "removed"


@dataclass(frozen=True)
class CellFact:
    """How a cell ended in a report."""

    case: str
    key: CellKey
    behaviour: Behaviour
    run: RecordedRun


@dataclass(frozen=True)
class Edited:
    """The facts after an edit, and the cells by what became of their facts."""

    facts: Mapping[str, Mapping[CellKey, Fact]]  # by case
    cells: Mapping[Edit, tuple[str, ...]]


def edited(facts: Facts, seen: Iterable[CellFact], cases: Collection[str], is_named: Callable[[str], bool]) -> Edited:
    """Returns facts with those of cells that were seen.

    A cell that has none gets one. Of the others, those that are named are corrected, and the rest stays as it is.

    Args:
        facts: on record.
        seen: the cells of a report.
        cases: those that there are: the facts of others are removed.
        is_named: whether the fact of a cell, by its id, is to be corrected.
    """
    found = {case: dict(facts.of_case(case)) for case in facts.cases if case in cases}
    cells: dict[Edit, list[str]] = {one: [] for one in Edit}
    for case in facts.cases:
        if case not in cases:
            cells[Edit.REMOVED] += [_id(case, key) for key in facts.of_case(case)]
    for one in seen:
        its = found.setdefault(one.case, {})
        before = its.get(one.key)
        cell = _id(one.case, one.key)
        edit = _edit(before, one.behaviour, is_named=is_named(cell))
        cells[edit].append(cell)
        if edit in (Edit.ADDED, Edit.CORRECTED):
            its[one.key] = Fact(one.behaviour, one.run)
    return Edited(found, {edit: tuple(its) for edit, its in cells.items()})


def _edit(before: Fact | None, now: Behaviour, *, is_named: bool) -> Edit:
    if before is None:
        return Edit.ADDED
    if before.behaviour == now:
        return Edit.SAME
    return Edit.CORRECTED if is_named else Edit.LEFT


def _id(case: str, key: CellKey) -> str:
    return "/".join((case, *key))


def facts_texts(facts: Mapping[str, Mapping[CellKey, Fact]]) -> dict[str, str]:
    """Returns the text of the file of each area, by its name."""
    areas: dict[str, dict[str, Mapping[CellKey, Fact]]] = {}
    for case, its in sorted(facts.items()):
        if its:
            areas.setdefault(case.partition("/")[0], {})[case] = its
    return {f"{area}.json": _text(cases) for area, cases in areas.items()}


def _text(cases: Mapping[str, Mapping[CellKey, Fact]]) -> str:
    runs = sorted({fact.run for its in cases.values() for fact in its.values()})
    entries = {case: ",\n   ".join(map(_json, _entries(its, runs))) for case, its in cases.items()}
    bodies = ",\n".join(f"  {_json(case)}: [\n   {lines}\n  ]" for case, lines in entries.items())
    made = ",\n  ".join(map(_json, runs))
    return f'{{\n "schema": {SCHEMA},\n "runs": [\n  {made}\n ],\n "cases": {{\n{bodies}\n }}\n}}\n'


def _entries(its: Mapping[CellKey, Fact], runs: list[RecordedRun]) -> tuple[FactEntry, ...]:
    """Returns the entries of a case: cells that are alike in one, those of several releases together."""
    alike: dict[tuple[bytes, RecordedRun], dict[str, list[str]]] = {}
    behaviours: dict[bytes, Behaviour] = {}
    for (sdk, release), fact in its.items():
        text = msgspec.json.encode(fact.behaviour)
        behaviours[text] = fact.behaviour
        alike.setdefault((text, fact.run), {}).setdefault(release, []).append(sdk)
    found = []
    for (text, run), by_release in sorted(alike.items()):
        by_sdks: dict[str, list[str]] = {}
        for release, sdks in sorted(by_release.items()):
            by_sdks.setdefault(sdks_text(sdks), []).append(release)
        cells = {" ".join(releases): sdks for sdks, releases in by_sdks.items()}
        found.append(FactEntry(behaviours[text], dict(sorted(cells.items())), runs.index(run)))
    return tuple(sorted(found, key=lambda one: next(iter(one.cells.items()))))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
