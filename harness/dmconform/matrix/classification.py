"""How the result of a cell counts: the one place that holds it against its plan, its static analysis and the known failures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dmconform.core.values import Judgement
from dmconform.matrix.plan import Plan
from dmconform.matrix.run_cell import CellResult
from dmconform.spec.cells import PlannedCell
from dmconform.spec.expectations import KnownFailure
from dmconform.spec.judgement import judge
from dmconform.spec.mismatch import mismatch


@dataclass(frozen=True)
class Classified:
    """A result's judgement, the record it was judged by, and the static/run-time mismatch, if any."""

    judgement: Judgement
    record: KnownFailure | None
    mismatch: str | None


def classify(plan: Plan, planned: PlannedCell, result: CellResult, records: Iterable[KnownFailure]) -> Classified:
    """Returns how a result counts.

    Args:
        plan: of the run, with its static verdicts and the official SDKs that were selected by name.
        planned: the cell as it was planned.
        result: how it ended.
        records: the known failures.
    """
    difference = mismatch(plan.static_verdict(planned.id.sdk, planned.id.host), result.probe_load)
    known_as = plan.host(planned.id.host).known_as
    judgement, record = judge(planned, result.outcome, result.detail, records, plan.official_named, difference, known_as)
    return Classified(judgement, record, difference)
