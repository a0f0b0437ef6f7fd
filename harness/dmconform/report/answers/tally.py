"""Counts the cells that a policy asks for, and says why some do not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from dmconform.core.text import first_line
from dmconform.core.values import Judgement, Outcome
from dmconform.report.answers.policy import Policy, RelativeMinor
from dmconform.report.answers.verdict import Reason, ReasonKind, Waived
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
}


class Tally:
    """A count of the cells of a policy, and why some do not hold."""

    def __init__(self, policy: Policy, faults: Mapping[str, Fault | None], command: str) -> None:
        """Begins a count.

        Args:
            policy: that is applied.
            faults: who is at fault, by the id of a record.
            command: makes what is missing.
        """
        self._policy = policy
        self._command = command
        self._used: set[str] = set()
        self._faults = faults
        self._against: dict[tuple[ReasonKind, str], list[CellEntry]] = {}
        self._waived: Counter[str] = Counter()
        self.held = 0

    def count(self, cell: CellEntry, sdk: RelativeMinor | None = None) -> None:
        """Counts a cell. `sdk`: where its SDK is, as seen from the host."""
        if cell.judgement is Judgement.PASS and cell.outcome is Outcome.PASS:
            self.held += 1
        elif cell.outcome.is_verdict or cell.judgement is Judgement.XPASS:
            self._count_failure(cell)
        else:
            self._count_without_answer(cell, sdk)

    def _count_failure(self, cell: CellEntry) -> None:
        fault = self._faults.get(cell.known_failure or "")
        if cell.judgement is Judgement.XFAIL and self._policy.allows_record(cell.known_failure, fault):
            self._used.add(cell.known_failure or "")
            self._waived[f"known failure {cell.known_failure}" + (f", the {fault.value}'s" if fault else "")] += 1
            return
        # A fact in the place of a promise: the report is of a suite that did not know the promise.
        kind = _BY_JUDGEMENT.get(cell.judgement, ReasonKind.BROKEN)
        record = f" ({cell.known_failure})" if cell.known_failure else ""
        printed = first_line(cell.mismatch or "" if kind is ReasonKind.MISMATCH else cell.detail)
        self._note(kind, f"{cell.case}: {cell.outcome.value}{record}" + (f": {printed}" if printed else ""), cell)

    def _count_without_answer(self, cell: CellEntry, sdk: RelativeMinor | None) -> None:
        allowed = self._policy.allowance(cell.id, cell.outcome, sdk)
        if allowed is not None:
            self._waived[f"{cell.outcome.value}: {allowed.reason}"] += 1
            return
        self._note(ReasonKind.BLOCKED, f"{cell.outcome.value}: {first_line(cell.detail)}", cell)

    def _note(self, kind: ReasonKind, text: str, cell: CellEntry) -> None:
        self._against.setdefault((kind, text), []).append(cell)

    def reasons(self, inconsistencies: Iterable[Inconsistency]) -> tuple[Reason, ...]:
        """Returns why some cells do not hold, grouped; then what is wrong with the records that let others pass."""
        cells = tuple(
            Reason(
                kind,
                "; ".join(filter(None, [text, reruns_in_words(cells)])),
                tuple(cell.id for cell in cells),
                cells[0].reproduce or self._command,
            )
            for (kind, text), cells in self._against.items()
        )
        records = tuple(
            Reason(ReasonKind.RECORDS, f"{one.record}: {one.kind.value}: {one.text}", one.cells, one.fix)
            for one in inconsistencies
            if one.kind not in SEEN_IN_CELLS and one.record in self._used
        )
        return (*cells, *records)

    def waived(self) -> tuple[Waived, ...]:
        """Returns what the policy let pass."""
        return tuple(Waived(by, count) for by, count in sorted(self._waived.items()))
