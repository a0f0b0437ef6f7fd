"""How an outcome counts: against the promise, and against the known failures on record."""

from __future__ import annotations

from collections.abc import Iterable

from dmconform.core.errors import ExitCode
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.spec.cells import PlannedCell
from dmconform.spec.expectations import KnownFailure


def judge(
    cell: PlannedCell,
    outcome: Outcome,
    detail: str,
    records: Iterable[KnownFailure],
    official_named: Iterable[str],
    mismatch: str | None = None,
    known_as: str | None = None,
    *,
    changed: bool = False,
) -> tuple[Judgement, KnownFailure | None]:
    """Returns the judgement of a cell, and the record it was judged by, if any.

    Args:
        cell: its id and its relation.
        outcome: how it ended.
        detail: what was expected and observed; a record's pattern is matched against its first line.
        records: the known failures.
        official_named: ids of the official SDKs that were asked for by name; only these must be reachable.
        mismatch: how static analysis and run-time observation contradict each other, if they do. A cell that is red anyway
            stays what it is; so does a known failure, whose record explains it.
        known_as: the known release that its host calls itself: what is recorded of that release holds for it.
        changed: whether it differs from the fact on record, and that counts. A cell that is red anyway, or a known failure,
            stays what it is.
    """
    if outcome is Outcome.ERROR:
        return Judgement.ERROR, None
    if outcome is Outcome.NOT_TESTED:
        return (Judgement.ERROR if cell.id.sdk in official_named else Judgement.SKIP), None
    supported = cell.relation is Relation.SUPPORTED
    # A record of an unsupported cell has no effect; that it exists is an inconsistency (`spec/inconsistencies.py`).
    names = {str(cell.id), str(cell.id.on(known_as or cell.id.host))}
    record = next((one for one in records if any(map(one.covers, names))), None) if supported else None
    if record is not None:
        return (Judgement.XFAIL if record.fits(outcome, detail) else Judgement.XPASS), record
    return _without_record(outcome, supported=supported, contradicted=mismatch is not None, changed=changed), None


def _without_record(outcome: Outcome, *, supported: bool, contradicted: bool, changed: bool) -> Judgement:
    """Returns the judgement of a cell that no record of a known failure is about."""
    if supported and outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE):
        return Judgement.FAIL
    if supported and outcome is Outcome.PASS and contradicted:
        return Judgement.MISMATCH
    if changed:
        return Judgement.CHANGED
    if outcome is Outcome.NOT_APPLICABLE:
        return Judgement.SKIP
    return Judgement.PASS if supported else Judgement.INFORMATIONAL


def exit_code(judgements: Iterable[Judgement], complete: bool, inconsistencies: int = 0) -> ExitCode:
    """Returns the exit code of a run. A failure is certain whatever else could not run, so it goes first.

    Args:
        judgements: those of all planned cells.
        complete: whether the run came to its end.
        inconsistencies: how many there are about the records' own data, which no cell shows.
    """
    seen = set(judgements)
    if any(one.is_red for one in seen) or inconsistencies:
        return ExitCode.FAIL
    if not complete or Judgement.ERROR in seen:
        return ExitCode.ERROR
    return ExitCode.OK
