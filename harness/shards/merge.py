"""Joins the reports of the shards of one run; what does not fit together is refused, with what differs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from harness.app.assemble import matched_records, seen_complaints
from harness.errors import UsageError
from harness.model import CellId
from harness.plan.judgement import exit_code
from harness.report.schema import CellEntry, Report, SdkEntry, Shard
from harness.report.summary import SEEN_IN_CELLS

T = TypeVar("T")


def merge(parts: Sequence[tuple[str, Report]], case_order: Sequence[str]) -> Report:
    """One report of all shards, with the cells in the order of a run that was never split.

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
    complaints = _unique((one for report in reports for one in report.complaints if one.kind not in SEEN_IN_CELLS), repr)
    complete = all(report.complete for report in reports)
    reasons = [f"{name}: {report.incomplete_reason}" for name, report in shards if report.incomplete_reason]
    records = _unique((one for report in reports for one in report.known_failures), lambda one: one.id)
    planned = first.shard.planned_cells if first.shard else 0
    return msgspec.structs.replace(
        first,
        started_at=min(report.started_at for report in reports),
        duration_s=max(report.duration_s for report in reports),
        complete=complete,
        incomplete_reason="; ".join(reasons) or None,
        hosts=_unique((host for report in reports for host in report.hosts), lambda one: one.id),
        sdks=_sdks(shards),
        cases=tuple(
            sorted(
                _unique((case for report in reports for case in report.cases), lambda one: one.id),
                key=lambda one: _place(case_order, one.id),
            )
        ),
        known_failures=tuple(sorted(matched_records(records, cells), key=lambda one: one.id)),
        complaints=(*seen_complaints(cells), *complaints),
        cells=cells,
        static=tuple(
            sorted(
                _unique((one for report in reports for one in report.static), lambda one: (one.sdk, one.host)),
                key=lambda one: (one.sdk, one.host),
            )
        ),
        planned_cells=planned,
        exit_code=int(exit_code((cell.judgement for cell in cells), complete, len(complaints))),
        shard=None,
    )


def copy_files(parts: Iterable[tuple[Path, Report]], target: Path) -> None:
    """Copies the evidence and the build logs that the reports name into the folder of the joined one."""
    for folder, report in parts:
        named = {cell.evidence for cell in report.cells} | {sdk.build_log for sdk in report.sdks}
        for place in sorted(one for one in named if one is not None):
            source = folder / place
            # Only what is inside: a shard's folder comes from another machine, and a link in it could lead anywhere.
            if source.is_symlink() or not source.resolve().is_relative_to(folder.resolve()):
                continue
            (target / place).parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target / place, symlinks=True, dirs_exist_ok=True)
            elif source.is_file():
                shutil.copyfile(source, target / place)


def _in_order(parts: Sequence[tuple[str, Report]]) -> list[tuple[str, Report]]:
    """The shards by their index, each there once."""
    found: dict[int, tuple[str, Report]] = {}
    for name, report in parts:
        if report.shard is None:
            raise UsageError(f"{name}: a whole report, not a shard; expected reports of dmconform run --shard I/N")
        if report.shard.index in found:
            raise UsageError(f"{name}: shard {report.shard.index} again, which {found[report.shard.index][0]} is already")
        found[report.shard.index] = name, report
    counts = {report.shard.count: name for name, report in found.values() if report.shard is not None}
    if len(counts) > 1:
        said = ", ".join(f"{name} is of {count}" for count, name in sorted(counts.items()))
        raise UsageError(f"shards of runs that were split differently: {said}")
    missing = sorted(set(range(1, next(iter(counts)) + 1)) - found.keys())
    if missing:
        raise UsageError(f"shard {missing[0]} of {next(iter(counts))} is missing: give the reports of all shards")
    return [found[index] for index in sorted(found)]


def _refuse_different(shards: Sequence[tuple[str, Report]]) -> None:
    """What must be the same in all of them."""
    same: tuple[tuple[str, Callable[[Report], object]], ...] = (
        ("suite version", lambda report: report.environment.suite_version),
        ("suite commit", lambda report: report.environment.suite_commit),
        ("plan", lambda report: _shard(report).plan_sha256),
        ("number of planned cells", lambda report: _shard(report).planned_cells),
        ("selection", lambda report: report.selection),
        ("requirements", lambda report: report.requirements),
        ("ABI findings", lambda report: (report.abi_pairs, report.abi_findings)),
        ("hosts", lambda report: {host.id: host.sha256 for host in report.hosts}),
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
    """Every SDK version once; two shards that built one must have the same bytes."""
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


def _by_sdk(sdk_id: str) -> tuple[str, tuple[int, ...], str]:
    """As SDK versions are ordered in a plan."""
    language, _, rest = sdk_id.partition("@")
    minor, _, provider = rest.partition(":")
    return language, tuple(int(part) for part in minor.split(".") if part.isdigit()), provider


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
    """Where something stands; what does not, comes last."""
    return (order.index(one), "") if one in order else (len(order), one)


def _unique(values: Iterable[T], key: Callable[[T], object]) -> tuple[T, ...]:
    found: dict[object, T] = {}
    for value in values:
        found.setdefault(key(value), value)
    return tuple(found.values())
