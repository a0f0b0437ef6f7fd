"""How an outcome counts: against the promise, and against the known failures on record."""

from __future__ import annotations

from collections.abc import Iterable

from harness.errors import ExitCode
from harness.model import Judgement, Outcome, Relation
from harness.plan.expectations import KnownFailure
from harness.plan.plan import PlannedCell


def judge(
    cell: PlannedCell,
    outcome: Outcome,
    detail: str,
    records: Iterable[KnownFailure],
    upstream_named: Iterable[str],
) -> tuple[Judgement, KnownFailure | None]:
    """The judgement of a cell, and the record it was judged by, if any.

    Args:
        upstream_named: ids of the SDKs whose upstream was asked for by name; only these must be reachable.
    """
    if outcome is Outcome.BLOCKED:
        return Judgement.INCOMPLETE, None
    if outcome is Outcome.UNREACHABLE:
        return (Judgement.INCOMPLETE if cell.id.sdk in upstream_named else Judgement.NOT_RUN), None
    record = next((one for one in records if one.covers(str(cell.id))), None)
    if record is not None:
        return (Judgement.KNOWN if record.fits(outcome, detail) else Judgement.STALE), record
    if outcome is Outcome.NOT_APPLICABLE:
        return Judgement.NOT_RUN, None
    if cell.relation is not Relation.PROMISED:
        return Judgement.FACT, None
    return (Judgement.AS_PROMISED if outcome is Outcome.PASSED else Judgement.BROKEN), None


def exit_code(judgements: Iterable[Judgement], complete: bool) -> ExitCode:
    """The exit code of a run. A broken promise is certain whatever else could not run, so it goes first."""
    seen = set(judgements)
    if Judgement.BROKEN in seen or Judgement.STALE in seen:
        return ExitCode.BROKEN
    if not complete or Judgement.INCOMPLETE in seen:
        return ExitCode.INCOMPLETE
    return ExitCode.HELD
