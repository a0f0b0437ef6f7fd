"""How the result of a cell counts: the one place that holds it against plan, static analysis, known failures and facts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dmconform.core.values import ChangedFact, FactsLevel, FactState, Judgement, Outcome
from dmconform.matrix.plan import Plan
from dmconform.matrix.run_cell import CellResult
from dmconform.spec.cells import PlannedCell
from dmconform.spec.expectations import KnownFailure
from dmconform.spec.facts import Facts, chance_of, changes, known_facts, observed
from dmconform.spec.judgement import judge
from dmconform.spec.mismatch import mismatch


@dataclass(frozen=True)
class Classified:
    """A result's judgement, the record it was judged by, the static/run-time mismatch, if any, and what is not as on record."""

    judgement: Judgement
    record: KnownFailure | None
    mismatch: str | None
    fact: FactState = FactState.NOT_COMPARED
    changed: tuple[ChangedFact, ...] = ()
    chance: str = ""  # why nothing is ever on record of the cell; empty where something is, or may be


def classify(
    plan: Plan, planned: PlannedCell, result: CellResult, records: Iterable[KnownFailure], facts: Facts | None = None
) -> Classified:
    """Returns how a result counts.

    Args:
        plan: of the run, with its static verdicts and the official SDKs that were selected by name.
        planned: the cell as it was planned.
        result: how it ended.
        records: the known failures.
        facts: those on record; this suite's data if None.
    """
    difference = mismatch(plan.static_verdict(planned.id.sdk, planned.id.host), result.probe_load)
    state, changed, chance = _compared(plan, planned, result, facts)
    known_as = plan.host(planned.id.host).known_as
    judgement, record = judge(
        planned,
        result.outcome,
        result.detail,
        records,
        plan.official_named,
        difference,
        known_as,
        changed=bool(changed) and plan.facts is FactsLevel.FAIL,
    )
    return Classified(judgement, record, difference, state, changed, chance)


def _compared(
    plan: Plan, planned: PlannedCell, result: CellResult, facts: Facts | None
) -> tuple[FactState, tuple[ChangedFact, ...], str]:
    """Returns what a result comes to beside the fact on record, in what it differs, and why nothing is ever on record."""
    host, sdk = planned.id.host, planned.id.sdk
    known_as = plan.host(host).known_as
    ran = result.outcome.is_verdict or result.outcome is Outcome.NOT_APPLICABLE
    if plan.facts is FactsLevel.IGNORE or known_as is None or not ran or plan.sdk(sdk).unreleased:
        return FactState.NOT_COMPARED, (), ""
    chance = chance_of(f"{planned.id.case}/{sdk}/{known_as}")
    if chance is not None:
        return FactState.NOT_COMPARED, (), chance
    fact = (known_facts() if facts is None else facts).of(planned.id.case, sdk, known_as)
    if fact is None:
        return FactState.NONE, (), ""
    places = {str(Path(plan.evidence_folder) / planned.id.folder): "$CELL", host: known_as}
    seen = observed(result.outcome, result.abi_verdict, result.probe_load.load, result.facts, result.detail, places=places)
    changed = changes(fact, seen)
    return (FactState.CHANGED if changed else FactState.SAME), changed, ""
