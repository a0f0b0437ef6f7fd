"""Counts the cells that a policy asks for, and says why some do not hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dmconform.core.text import counted, first_line
from dmconform.core.values import Judgement, Outcome, Severity
from dmconform.report.answers.evidence import Severities, severity_words
from dmconform.report.answers.policy import Policy, RelativeMinor
from dmconform.report.answers.verdict import Reason, ReasonKind, Waived
from dmconform.report.chance import without_chance
from dmconform.report.schema import CellEntry
from dmconform.report.stability import reruns_in_words
from dmconform.report.summary import SEEN_IN_CELLS
from dmconform.spec.findings import Fault
from dmconform.spec.inconsistencies import Inconsistency

_BY_JUDGEMENT = {
    Judgement.FAIL: ReasonKind.BROKEN,
    Judgement.XFAIL: ReasonKind.KNOWN,
    Judgement.XPASS: ReasonKind.RECORDS,
    Judgement.MISMATCH: ReasonKind.MISMATCH,
    Judgement.CHANGED: ReasonKind.CHANGED,
}


class Tally:
    """A count of the cells of a policy, and why some do not hold: a reason for each record, and for each cause without one."""

    def __init__(self, policy: Policy, faults: Mapping[str, Fault | None], severities: Severities, command: str) -> None:
        """Begins a count.

        Args:
            policy: that is applied.
            faults: who is at fault, by the id of a record.
            severities: how bad the failures of cells are.
            command: makes what is missing.
        """
        self._policy = policy
        self._command = command
        self._used: set[str] = set()
        self._faults = faults
        self._severities = severities
        self._against: dict[tuple[ReasonKind, str], list[CellEntry]] = {}
        self._waived: dict[str, list[CellEntry]] = {}
        self.held = 0

    def count(self, cell: CellEntry, sdk: RelativeMinor | None = None) -> None:
        """Counts a cell. `sdk`: where its SDK is, as seen from the host."""
        if cell.judgement is Judgement.PASS and cell.outcome is Outcome.PASS:
            self.held += 1
        elif cell.judgement is Judgement.CHANGED:
            self.count_changed(cell)
        elif cell.outcome.is_verdict or cell.judgement is Judgement.XPASS:
            self._count_failure(cell)
        else:
            self._count_without_answer(cell, sdk)

    def count_changed(self, cell: CellEntry) -> None:
        """Counts a cell that is not as on record of its release, which no promise need be about."""
        if self._policy.changed_facts_allowed:
            self._waived.setdefault("changed facts", []).append(cell)
        else:
            self._note(ReasonKind.CHANGED, _seen(cell), cell)

    def _count_failure(self, cell: CellEntry) -> None:
        fault = self._faults.get(cell.known_failure or "")
        if cell.judgement is Judgement.XFAIL and self._policy.allows_record(cell.known_failure, fault):
            self._used.add(cell.known_failure or "")
            by = f"known failure {cell.known_failure}" + (f", the {fault.value}'s" if fault else "")
            self._waived.setdefault(by, []).append(cell)
            return
        # A fact in the place of a promise: the report is of a suite that did not know the promise.
        kind = _BY_JUDGEMENT.get(cell.judgement, ReasonKind.BROKEN)
        if kind in (ReasonKind.KNOWN, ReasonKind.RECORDS) and cell.known_failure:
            self._note(kind, cell.known_failure, cell)
        else:
            self._note(kind, f"{cell.outcome.value}: {_seen(cell)}", cell)

    def _count_without_answer(self, cell: CellEntry, sdk: RelativeMinor | None) -> None:
        allowed = self._policy.allowance(cell.id, cell.outcome, sdk)
        if allowed is not None:
            self._waived.setdefault(f"{cell.outcome.value}: {allowed.reason}", []).append(cell)
            return
        self._note(ReasonKind.BLOCKED, f"{cell.outcome.value}: {first_line(cell.detail)}", cell)

    def _note(self, kind: ReasonKind, cause: str, cell: CellEntry) -> None:
        self._against.setdefault((kind, cause), []).append(cell)

    def reasons(self, inconsistencies: Iterable[Inconsistency]) -> tuple[Reason, ...]:
        """Returns why some cells do not hold, grouped; then what is wrong with the records that let others pass."""
        cells = tuple(self._reason(kind, cause, its) for (kind, cause), its in self._against.items())
        records = tuple(
            Reason(ReasonKind.RECORDS, f"{one.record}: {one.kind.value}: {one.text}", one.cells, one.fix)
            for one in inconsistencies
            if one.kind not in SEEN_IN_CELLS and one.record in self._used
        )
        return (*cells, *records)

    def _reason(self, kind: ReasonKind, cause: str, cells: list[CellEntry]) -> Reason:
        severities = self._severities.count(cells)
        text = cause
        if kind is not ReasonKind.BLOCKED:
            first, record = cells[0], cells[0].known_failure
            seen = _seen(first)
            cases = counted(len({cell.case for cell in cells}), "case")
            named = [f"{record}:" if record else "", f"{severity_words(severities)} in {cases}," if severities else ""]
            outcome = "" if kind is ReasonKind.CHANGED else f"{first.outcome.value}: "
            printed = f"{first.case}: {outcome}{seen}" if seen else f"{first.case}: {first.outcome.value}"
            text = " ".join([*filter(None, named), f"such as {printed}" if len(cells) > 1 else printed])
        return Reason(
            kind,
            "; ".join(filter(None, [text, reruns_in_words(cells)])),
            tuple(cell.id for cell in cells),
            cells[0].reproduce or self._command,
            next(iter(severities), None),
        )

    def waived(self) -> tuple[Waived, ...]:
        """Returns what the policy let pass, the worst first."""
        found = [Waived(by, len(cells), next(iter(self._severities.count(cells)), None)) for by, cells in self._waived.items()]
        return tuple(sorted(found, key=lambda one: (one.severity.rank if one.severity else len(Severity), -one.cells, one.by)))


def _seen(cell: CellEntry) -> str:
    return without_chance(cell.reason)
