"""Joins the reports of the shards of one run; what does not fit together is refused, with what differs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec

from dmconform.core.errors import UsageError
from dmconform.core.values import CellId, Host, sdk_parts
from dmconform.matrix.assemble import matched_records, seen_inconsistencies
from dmconform.matrix.split import hash_of
from dmconform.report.grid import natural
from dmconform.report.schema import CellEntry, Report, SdkEntry, Shard
from dmconform.report.summary import SEEN_IN_CELLS
from dmconform.spec.inconsistencies import Inconsistency
from dmconform.spec.judgement import exit_code

T = TypeVar("T")


def merge(parts: Sequence[tuple[str, Report]], case_order: Sequence[str]) -> Report:
    """Returns one report of all shards, with the cells in the order of a run that was never split.

    Args:
        parts: the reports, each with a name for messages; in any order.
        case_order: the ids of all cases, in the order of the plan.

    Raises:
        UsageError: they are not the shards of one run, or one is missing, there twice, or of other modules or hosts.
    """
    shards = _in_order(parts)
    reports = [report for _, report in shards]
    first = reports[0]
    _refuse_different(shards)
    cells = _cells(shards, case_order)
    inconsistencies = _unique((one for report in reports for one in _of_records(report)), repr)
    reasons = [f"{name}: {report.incomplete_reason or 'no reason was given'}" for name, report in shards if not report.complete]
    reasons += _lost(_shard(first), cells)
    complete = not reasons
    records = _unique((one for report in reports for one in report.known_failures), lambda one: one.id)
    return msgspec.structs.replace(
        first,
        started_at=min(report.started_at for report in reports),
        duration_s=max(report.duration_s for report in reports),
        complete=complete,
        incomplete_reason="; ".join(reasons) or None,
        hosts=_hosts(reports),
        sdks=_sdks(shards),
        cases=tuple(
            sorted(
                _unique((case for report in reports for case in report.cases), lambda one: one.id),
                key=lambda one: _place(case_order, one.id),
            )
        ),
        known_failures=tuple(sorted(matched_records(records, cells), key=lambda one: one.id)),
        inconsistencies=(*seen_inconsistencies(cells), *inconsistencies),
        cells=cells,
        static=tuple(
            sorted(
                _unique((one for report in reports for one in report.static), lambda one: (one.sdk, one.host)),
                key=lambda one: (one.sdk, one.host),
            )
        ),
        planned_cells=_shard(first).planned_cells,
        exit_code=int(exit_code((cell.judgement for cell in cells), complete, len(inconsistencies))),
        shard=None,
    )


def _of_records(report: Report) -> Iterator[Inconsistency]:
    """Returns inconsistencies of the records' own data, the same in each shard.

    Those of cells are found anew, over all of them.
    """
    seen = set(map(repr, seen_inconsistencies(report.cells)))
    return (one for one in report.inconsistencies if one.kind not in SEEN_IN_CELLS and repr(one) not in seen)


def _lost(shard: Shard, cells: Sequence[CellEntry]) -> list[str]:
    """Returns why the cells of all shards are not all that were planned.

    Raises:
        UsageError: they are others.
    """
    if len(cells) < shard.planned_cells:
        return [f"{shard.planned_cells - len(cells)} planned cells are in no shard"]
    if hash_of((cell.id, cell.relation) for cell in cells) != shard.plan_sha256:
        raise UsageError("the cells of the shards are not those that were planned: a report was changed after its run")
    return []


def _hosts(reports: Sequence[Report]) -> tuple[Host, ...]:
    """Returns every host once, described as by a shard that had it."""
    found: dict[str, Host] = {}
    for host in (host for report in reports for host in report.hosts):
        if host.id not in found or not found[host.id].build:
            found[host.id] = host
    return tuple(found.values())


def _in_order(parts: Sequence[tuple[str, Report]]) -> list[tuple[str, Report]]:
    """Returns the shards by their index, each there once."""
    found: dict[int, tuple[str, Report]] = {}
    for name, report in parts:
        if report.shard is None:
            raise UsageError(f"{name}: a whole report, not a shard; expected reports of dmconform run --shard I/N")
        if report.shard.index in found:
            raise UsageError(f"{name}: shard {report.shard.index} again, which {found[report.shard.index][0]} is already")
        found[report.shard.index] = name, report
    counts = {report.shard.count: name for name, report in found.values() if report.shard is not None}
    if len(counts) > 1:
        printed = ", ".join(f"{name} is of {count}" for count, name in sorted(counts.items()))
        raise UsageError(f"shards of runs that were split differently: {printed}")
    (count,) = counts
    if len(found) != count:
        missing = next(index for index in itertools.count(1) if index not in found)
        raise UsageError(f"shard {missing} of {count} is missing: give the reports of all shards")
    return [found[index] for index in sorted(found)]


def _refuse_different(shards: Sequence[tuple[str, Report]]) -> None:
    """Refuses shards that differ in what must be the same in all of them."""
    same: tuple[tuple[str, Callable[[Report], object]], ...] = (
        ("suite version", lambda report: report.environment.suite_version),
        ("suite commit", lambda report: report.environment.suite_commit),
        ("selection", lambda report: report.selection),
        ("hosts", lambda report: {host.id: host.sha256 for host in report.hosts}),
        ("plan", lambda report: _shard(report).plan_sha256),
        ("number of planned cells", lambda report: _shard(report).planned_cells),
        ("requirements", lambda report: report.requirements),
        ("facts option", lambda report: report.facts),
        ("ABI findings", lambda report: (report.abi_pairs, report.abi_findings)),
    )
    first_name, first = shards[0]
    for what, of in same:
        for name, report in shards[1:]:
            if of(report) != of(first):
                raise UsageError(
                    f"{name}: its {what} is not that of {first_name}: {_short(of(report))}, expected {_short(of(first))}"
                )


def _shard(report: Report) -> Shard:
    assert report.shard is not None  # `_in_order` has seen to it
    return report.shard


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _sdks(shards: Sequence[tuple[str, Report]]) -> tuple[SdkEntry, ...]:
    """Returns every SDK version once; two shards that built one must have the same bytes."""
    found: dict[str, tuple[str, SdkEntry]] = {}
    for name, report in shards:
        for sdk in report.sdks:
            before = found.get(sdk.id)
            if before is None or (not before[1].modules and sdk.modules):
                found[sdk.id] = name, sdk
            elif sdk.modules and before[1].modules and _hashes(sdk) != _hashes(before[1]):
                raise UsageError(f"{name}: its modules of {sdk.id} are not those of {before[0]}: the same bytes were expected")
    return tuple(found[sdk_id][1] for sdk_id in sorted(found, key=_by_sdk))


def _hashes(sdk: SdkEntry) -> dict[str, str]:
    return {module.name: module.sha256 for module in sdk.modules}


def _by_sdk(sdk_id: str) -> tuple[object, ...]:
    """Returns a key that sorts as SDK versions are ordered in a plan."""
    language, minor, provider = sdk_parts(sdk_id)
    return language, natural(minor), provider


def _cells(shards: Sequence[tuple[str, Report]], case_order: Sequence[str]) -> tuple[CellEntry, ...]:
    cells: dict[str, tuple[str, CellEntry]] = {}
    for name, report in shards:
        for cell in report.cells:
            if cell.id in cells:
                raise UsageError(f"{name}: cell {cell.id} is in {cells[cell.id][0]} too")
            cells[cell.id] = name, cell
    hosts = [host.id for host in shards[0][1].hosts]

    def place(cell: CellEntry) -> tuple[object, ...]:
        wanted = CellId.parse(cell.id)
        return _place(case_order, wanted.case), _by_sdk(wanted.sdk), _place(hosts, wanted.host)

    return tuple(sorted((cell for _, cell in cells.values()), key=place))


def _place(order: Sequence[str], one: str) -> tuple[int, str]:
    """Returns the place of an item; one that is missing comes last."""
    return (order.index(one), "") if one in order else (len(order), one)


def _unique(values: Iterable[T], key: Callable[[T], object]) -> tuple[T, ...]:
    found: dict[object, T] = {}
    for value in values:
        found.setdefault(key(value), value)
    return tuple(found.values())
