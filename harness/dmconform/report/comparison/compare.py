"""Compares two reports by the identity of their cells, never by totals: a repair does not make up for a regression."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.report.chance import without_chance
from dmconform.report.comparison.hosts import follow_hosts
from dmconform.report.comparison.model import SCHEMA_VERSION, CellChange, CellSide, ChangeKind, ReportComparison, Run
from dmconform.report.schema import CellEntry, Report
from dmconform.report.stability import stability


class CellAnswer(enum.Enum):
    """The answer of a cell to its question."""

    HOLDS = enum.auto()
    FAILS = enum.auto()
    NONE = enum.auto()


_TURNS = {
    (CellAnswer.HOLDS, CellAnswer.FAILS): ChangeKind.REGRESSION,
    (CellAnswer.NONE, CellAnswer.FAILS): ChangeKind.FAILURE,
    (CellAnswer.FAILS, CellAnswer.HOLDS): ChangeKind.REPAIR,
    (CellAnswer.NONE, CellAnswer.HOLDS): ChangeKind.ANSWERED,
    (CellAnswer.HOLDS, CellAnswer.NONE): ChangeKind.LOST,
    (CellAnswer.FAILS, CellAnswer.NONE): ChangeKind.LOST,
}
_ORDER = {kind: place for place, kind in enumerate(ChangeKind)}


def compare(old: Report, new: Report) -> ReportComparison:
    """Returns what changed from one report to the other; the worst first, each kind in the order of the cells."""
    old, paired = follow_hosts(old, new)
    before = {cell.id: cell for cell in old.cells}
    after = {cell.id: cell for cell in new.cells}
    hosts = _host_hashes(old), _host_hashes(new)
    changes = []
    for cell_id in dict.fromkeys((*after, *before)):
        kind = _kind(before.get(cell_id), after.get(cell_id))
        if kind is not None:
            changes.append(_change(kind, before.get(cell_id), after.get(cell_id), hosts))
    compared = len(before.keys() & after.keys())
    nothing = () if compared else ("no cell is in both reports, so nothing was compared",)
    return ReportComparison(
        schema_version=SCHEMA_VERSION,
        old=_run(old),
        new=_run(new),
        unchanged=len(before.keys() | after.keys()) - len(changes),
        changes=tuple(sorted(changes, key=lambda one: _ORDER[one.kind])),
        warnings=(*nothing, *_warnings(old, new)),
        paired=paired,
        compared=compared,
    )


def answer_of(cell: CellEntry) -> CellAnswer:
    """Returns a cell's answer.

    One that passes although its static analysis contradicts it counts as a failure, and so does one whose release is on record
    to do something else.
    """
    if cell.judgement in (Judgement.MISMATCH, Judgement.CHANGED):
        return CellAnswer.FAILS
    if cell.outcome is Outcome.PASS:
        return CellAnswer.HOLDS
    return CellAnswer.FAILS if cell.outcome.is_verdict else CellAnswer.NONE


def _kind(old: CellEntry | None, new: CellEntry | None) -> ChangeKind | None:
    """Returns how a cell changed; None where it did not."""
    if old is None or new is None:
        return ChangeKind.GONE if new is None else ChangeKind.NEW
    was, now = answer_of(old), answer_of(new)
    if new.judgement is Judgement.CHANGED and (old.judgement is not Judgement.CHANGED or old.reason != new.reason):
        return ChangeKind.CHANGED
    if was is not now:
        supported = Relation.SUPPORTED in (old.relation, new.relation)
        return ChangeKind.FACT if now is CellAnswer.FAILS and not supported else _TURNS[was, now]
    if now is CellAnswer.FAILS and reason(old) != reason(new):
        return ChangeKind.REASON
    return None if (old.relation is Relation.SUPPORTED) is (new.relation is Relation.SUPPORTED) else ChangeKind.PROMISE


def reason(cell: CellEntry) -> tuple[Outcome, str]:
    """Returns why a cell fails, without what varies from run to run."""
    return cell.outcome, without_chance(_detail(cell))


def _detail(cell: CellEntry) -> str:
    return cell.reason


def _change(
    kind: ChangeKind, old: CellEntry | None, new: CellEntry | None, hosts: tuple[Mapping[str, str], Mapping[str, str]]
) -> CellChange:
    shown = new or old
    assert shown is not None
    both = old is not None and new is not None
    return CellChange(
        cell=shown.id,
        kind=kind,
        old=_side(old),
        new=_side(new),
        same_module=_same(old.module_sha256, new.module_sha256) if old and new else None,
        same_host=_same(hosts[0].get(shown.host), hosts[1].get(shown.host)) if both else None,
        reproduce=shown.reproduce,
    )


def _same(one: str | None, other: str | None) -> bool | None:
    return one == other if one and other else None


def _side(cell: CellEntry | None) -> CellSide | None:
    if cell is None:
        return None
    return CellSide(cell.outcome, cell.relation, cell.judgement, cell.known_failure, _detail(cell), stability(cell))


def _run(report: Report) -> Run:
    environment = report.environment
    return Run(report.started_at, environment.suite_version, environment.suite_commit, report.complete, len(report.cells))


def _host_hashes(report: Report) -> dict[str, str]:
    return {host.id: host.sha256 for host in report.hosts}


def _warnings(old: Report, new: Report) -> tuple[str, ...]:
    found = [
        f"the {name} report is incomplete: {report.incomplete_reason or 'cells are missing'}"
        for name, report in (("old", old), ("new", new))
        if not report.complete or report.planned_cells > len(report.cells)
    ]
    shards = [
        f"the {name} report is shard {report.shard.index} of {report.shard.count}: dmconform merge joins them"
        for name, report in (("old", old), ("new", new))
        if report.shard is not None
    ]
    if old.environment.suite_commit != new.environment.suite_commit:
        found.append(
            f"the suites differ ({old.environment.suite_commit} and {new.environment.suite_commit}): "
            "a case may ask something else under the same name"
        )
    return (*found, *shards)
