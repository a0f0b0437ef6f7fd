"""Failures of supported cells, grouped: one for each record, and one for each cause that no record has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dmconform.core.text import counted
from dmconform.core.values import Judgement, Outcome, Severity
from dmconform.report.answers.evidence import Severities, is_official, severity_words
from dmconform.report.chance import without_chance
from dmconform.report.schema import CellEntry, Report
from dmconform.report.stability import reruns_in_words

_ORDER = (Judgement.FAIL, Judgement.MISMATCH, Judgement.XPASS, Judgement.XFAIL)


@dataclass(frozen=True)
class FailureGroup:
    """Cells that fail as one record says, or that no record knows and that print the same."""

    judgement: Judgement  # FAIL, MISMATCH, XPASS or XFAIL
    record: str | None  # None: there is no record of it
    text: str  # what was seen
    severities: Mapping[Severity, int]  # empty where the cells pass
    cells: tuple[CellEntry, ...]

    @property
    def is_new(self) -> bool:
        """Whether it fails the run."""
        return self.judgement is not Judgement.XFAIL

    @property
    def worst(self) -> Severity | None:
        """The worst that happened; None where the cells pass."""
        return min(self.severities, key=lambda one: one.rank, default=None)

    @property
    def cases(self) -> tuple[str, ...]:
        """The ids of the cases, in the order of the report."""
        return tuple(dict.fromkeys(cell.case for cell in self.cells))

    @property
    def sdks(self) -> tuple[str, ...]:
        """The SDK versions, in the order of the report."""
        return tuple(dict.fromkeys(cell.sdk for cell in self.cells))

    @property
    def official(self) -> int:
        """How many of the cells are of official SDKs."""
        return sum(is_official(cell) for cell in self.cells)

    @property
    def reproduce(self) -> str:
        """The command that shows the first cell."""
        return self.cells[0].reproduce

    @property
    def reruns(self) -> str:
        """The result of running some of them again; empty if none was."""
        return reruns_in_words(self.cells)

    @property
    def words(self) -> str:
        """How bad it is, in words: `130 ends Envoy`."""
        return severity_words(self.severities) or counted(len(self.cells), "cell")

    @property
    def where(self) -> str:
        """The cases in words: `panics/creation and 25 more cases`."""
        first, *others = self.cases
        return first + (f" and {counted(len(others), 'more case')}" if others else "")


def failure_groups(report: Report) -> tuple[FailureGroup, ...]:
    """Returns what fails of the supported cells: what is new first, each kind by severity, the worst and largest first."""
    groups: dict[tuple[Judgement, str | None, Outcome | None, str], list[CellEntry]] = {}
    for cell in report.cells:
        if cell.judgement in _ORDER:
            groups.setdefault(_key(cell), []).append(cell)
    severities = Severities(report)
    found = [
        FailureGroup(judgement, record, text or _seen(cells[0]), severities.count(cells), tuple(cells))
        for (judgement, record, _, text), cells in groups.items()
    ]
    return tuple(sorted(found, key=_gravity))


def _key(cell: CellEntry) -> tuple[Judgement, str | None, Outcome | None, str]:
    if cell.judgement in (Judgement.XFAIL, Judgement.XPASS) and cell.known_failure is not None:
        return cell.judgement, cell.known_failure, None, ""
    return cell.judgement, None, cell.outcome, _seen(cell)


def _seen(cell: CellEntry) -> str:
    return without_chance(cell.reason)


def _gravity(group: FailureGroup) -> tuple[bool, int, int, int]:
    rank = group.worst.rank if group.worst is not None else len(Severity)
    return not group.is_new, rank, _ORDER.index(group.judgement), -len(group.cells)


def new_and_known(groups: Iterable[FailureGroup]) -> tuple[tuple[FailureGroup, ...], tuple[FailureGroup, ...]]:
    """Returns the groups that fail the run, and those that are on record."""
    groups = tuple(groups)
    return tuple(one for one in groups if one.is_new), tuple(one for one in groups if not one.is_new)
