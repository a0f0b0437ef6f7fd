"""What the supported cells of a provider show, and how bad the failures of cells are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from dmconform.core.values import Judgement, Outcome, Provider, Relation, Severity, sdk_parts
from dmconform.report.schema import CellEntry, Report


class _OneCase(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def severity(self) -> Severity: ...


class _HasCases(Protocol):
    """A report, or the catalogue of this suite."""

    @property
    def cases(self) -> Iterable[_OneCase]: ...


_BY_OUTCOME = {Outcome.CRASH: Severity.ENDS, Outcome.HANG: Severity.HANGS, Outcome.REJECTED: Severity.REFUSED}


class Severities:
    """How bad the failures of a report's cells are. What an assertion that does not hold means is the case's."""

    def __init__(self, known: _HasCases) -> None:
        self._of_cases = {case.id: case.severity for case in known.cases}

    def of(self, cell: CellEntry) -> Severity | None:
        """Returns how bad it is for a user how a cell ended; None where it passed or did not run."""
        if cell.outcome is Outcome.FAIL:
            return self._of_cases.get(cell.case, Severity.WRONG)
        return _BY_OUTCOME.get(cell.outcome)

    def count(self, cells: Iterable[CellEntry]) -> dict[Severity, int]:
        """Returns how many of the cells fail, by severity, the worst first; without those of which there is none."""
        found = Counter(self.of(cell) for cell in cells)
        return {one: found[one] for one in Severity if found[one]}


def severity_words(counts: Mapping[Severity, int]) -> str:
    """Returns counts by severity in words: `130 ends Envoy, 2 hangs`."""
    return ", ".join(f"{counts[one]} {one.value}" for one in Severity if counts.get(one))


def is_official(cell: CellEntry) -> bool:
    """Returns whether a cell is one of an official SDK, which users have; the others are the control."""
    return sdk_parts(cell.sdk)[2] == Provider.OFFICIAL.value


def official_not_had(report: Report) -> tuple[str, ...]:
    """Returns the official SDK versions of a run that have no modules, by their ids."""
    asked = {cell.sdk for cell in report.cells if is_official(cell)}
    return tuple(sdk.id for sdk in report.sdks if sdk.id in asked and not sdk.modules)


@dataclass(frozen=True)
class Evidence:
    """What the supported cells of some SDKs show. Those that are not applicable ask nothing: only `not_applicable` has them."""

    cells: int
    ran: int
    passed: int
    failed: Mapping[Severity, int]  # new failures, the worst first
    known: Mapping[Severity, int]  # known failures, the worst first
    against: int  # of the cells that ran: records that no longer apply, static/run-time mismatches
    errors: int
    not_tested: int
    not_applicable: int
    changed: int = 0  # not as on record of the release; also of those that are not applicable

    @property
    def is_whole(self) -> bool:
        """Whether there is something, and all of it was tested."""
        return self.cells > 0 and self.ran == self.cells

    @property
    def tested_percent(self) -> int:
        """How much of what is promised was tested, in percent, rounded down so that 100 means all."""
        return 100 * self.ran // self.cells if self.cells else 0

    @property
    def new_failures(self) -> int:
        """The number of new failures."""
        return sum(self.failed.values())

    @property
    def known_failures(self) -> int:
        """The number of known failures."""
        return sum(self.known.values())


def evidence(cells: Iterable[CellEntry], severities: Severities) -> Evidence:
    """Returns what the supported ones of some cells show."""
    supported = [cell for cell in cells if cell.relation is Relation.SUPPORTED]
    asked = [cell for cell in supported if cell.outcome is not Outcome.NOT_APPLICABLE]
    judgements = Counter(cell.judgement for cell in asked)
    outcomes = Counter(cell.outcome for cell in asked)
    return Evidence(
        cells=len(asked),
        ran=sum(cell.outcome.is_verdict for cell in asked),
        passed=judgements[Judgement.PASS],
        failed=severities.count(cell for cell in asked if cell.judgement is Judgement.FAIL),
        known=severities.count(cell for cell in asked if cell.judgement is Judgement.XFAIL),
        against=judgements[Judgement.XPASS] + judgements[Judgement.MISMATCH],
        errors=outcomes[Outcome.ERROR],
        not_tested=outcomes[Outcome.NOT_TESTED],
        not_applicable=len(supported) - len(asked),
        changed=sum(cell.judgement is Judgement.CHANGED for cell in supported),
    )
