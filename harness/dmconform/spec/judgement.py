"""How an outcome counts: against the promise, and against the known failures on record."""

from __future__ import annotations

from collections.abc import Iterable

from dmconform.core.errors import ExitCode
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.spec.cells import PlannedCell
from dmconform.spec.expectations import KnownFailure

AGAINST = frozenset((Judgement.BROKEN, Judgement.STALE, Judgement.DISPUTED))
"""What makes a run end with exit code 1."""


def judge(
    cell: PlannedCell,
    outcome: Outcome,
    detail: str,
    records: Iterable[KnownFailure],
    upstream_named: Iterable[str],
    disagreement: str | None = None,
) -> tuple[Judgement, KnownFailure | None]:
    """The judgement of a cell, and the record it was judged by, if any.

    Args:
        upstream_named: ids of the SDKs whose upstream was asked for by name; only these must be reachable.
        disagreement: what the static and the run-time half of the cell disagree in, if they do. A cell that is red anyway stays
            what it is; so does a known failure, whose record has said what is to be said.
    """
    if outcome is Outcome.BLOCKED:
        return Judgement.INCOMPLETE, None
    if outcome is Outcome.UNREACHABLE:
        return (Judgement.INCOMPLETE if cell.id.sdk in upstream_named else Judgement.NOT_RUN), None
    promised = cell.relation is Relation.PROMISED
    # A record of what nobody promised says nothing; that it is there is a complaint (`spec/inconsistencies.py`).
    record = next((one for one in records if one.covers(str(cell.id))), None) if promised else None
    if record is not None:
        return (Judgement.KNOWN if record.fits(outcome, detail) else Judgement.STALE), record
    if outcome is Outcome.NOT_APPLICABLE:
        return Judgement.NOT_RUN, None
    if not promised:
        return Judgement.FACT, None
    holds = Judgement.AS_PROMISED if disagreement is None else Judgement.DISPUTED
    return (holds if outcome is Outcome.PASSED else Judgement.BROKEN), None


def exit_code(judgements: Iterable[Judgement], complete: bool, complaints: int = 0) -> ExitCode:
    """The exit code of a run. A broken promise is certain whatever else could not run, so it goes first.

    Args:
        complaints: how many there are about the records' own data, which no cell shows.
    """
    seen = set(judgements)
    if seen & AGAINST or complaints:
        return ExitCode.BROKEN
    if not complete or Judgement.INCOMPLETE in seen:
        return ExitCode.INCOMPLETE
    return ExitCode.HELD
