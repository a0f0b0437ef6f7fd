"""Cells that do not behave as is on record of their release, grouped by what changed, and how many were compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dmconform.core.text import counted
from dmconform.core.values import ChangedFact, FactsLevel, FactState, Judgement
from dmconform.report.schema import CellEntry, Report
from dmconform.report.stability import reruns_in_words

RECORD = "dmconform facts REPORT --write"
"""The command that puts on record what has no fact."""


@dataclass(frozen=True)
class ChangedGroup:
    """Cells in which the same changed."""

    changed: tuple[ChangedFact, ...]
    cells: tuple[CellEntry, ...]
    counts: bool  # whether it fails the run

    @property
    def words(self) -> str:
        """The change in words."""
        return "; ".join(one.words for one in self.changed)

    @property
    def since(self) -> str:
        """The runs that the record is of."""
        return ", ".join(dict.fromkeys(one.since for one in self.changed))

    @property
    def where(self) -> str:
        """The cells in words: `window/loads and 3 more cases on 1.40.0`."""
        first, *others = dict.fromkeys(cell.case for cell in self.cells)
        more = f" and {counted(len(others), 'more case')}" if others else ""
        return f"{first}{more} on {', '.join(dict.fromkeys(cell.host for cell in self.cells))}"

    @property
    def reruns(self) -> str:
        """The result of running some of them again; empty if none was."""
        return reruns_in_words(self.cells)

    @property
    def reproduce(self) -> str:
        """The command that shows the first cell."""
        return self.cells[0].reproduce

    @property
    def fix(self) -> str:
        """What corrects the record, where the release itself is so; a binary that only calls itself so has none to correct."""
        if any("~" in cell.host for cell in self.cells):
            release = self.cells[0].host.partition("~")[0]
            return f"does Envoy {release} itself do so? dmconform reproduce {self.cells[0].case}/{self.cells[0].sdk}/{release}"
        return f"if the release does so: {RECORD} --correct '{self.cells[0].case}/*'"


def changed_groups(report: Report) -> tuple[ChangedGroup, ...]:
    """Returns the changed facts of a report, grouped: those that fail the run first, the largest first."""
    groups: dict[tuple[bool, tuple[tuple[str, str, str], ...]], list[CellEntry]] = {}
    for cell in report.cells:
        if cell.changed:
            key = tuple((one.what, one.recorded, one.observed) for one in cell.changed)
            groups.setdefault((cell.judgement is Judgement.CHANGED, key), []).append(cell)
    found = [ChangedGroup(cells[0].changed, tuple(cells), counts) for (counts, _), cells in groups.items()]
    return tuple(sorted(found, key=lambda one: (not one.counts, -len(one.cells))))


def facts_sentences(report: Report) -> tuple[str, ...]:
    """Returns what was compared with the record, what has none, and what is never compared.

    Nothing for a report from before there were records.
    """
    return tuple(_sentences(report))


def _sentences(report: Report) -> Iterator[str]:
    if report.facts is FactsLevel.IGNORE:
        return
    states = Counter(cell.fact for cell in report.cells)
    compared = states[FactState.SAME] + states[FactState.CHANGED]
    if compared:
        result = f"{states[FactState.CHANGED]} differ" if states[FactState.CHANGED] else "none differs"
        yield f"{counted(compared, 'cell')} compared with the facts on record of their release: {result}"
    without = [cell for cell in report.cells if cell.fact is FactState.NONE]
    if without:
        yield f"No fact on record: {counted(len(without), 'cell')} ({_cases(without)}); {RECORD} makes them"
    for reason in dict.fromkeys(cell.chance for cell in report.cells if cell.chance):
        its = [cell for cell in report.cells if cell.chance == reason]
        yield f"Not compared: {counted(len(its), 'cell')} ({_cases(its)}): {reason}"


def _cases(cells: Iterable[CellEntry]) -> str:
    cases = dict.fromkeys(cell.case for cell in cells)
    return next(iter(cases)) if len(cases) == 1 else counted(len(cases), "case")
