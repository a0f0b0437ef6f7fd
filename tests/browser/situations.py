"""Four situations of one report: all official SDKs tested, none, one failure, an interrupted run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
from dmconform.core.values import AbiVerdict, Judgement, Outcome, ProbeLoad, Relation
from dmconform.report.answers.evidence import is_official
from dmconform.report.schema import CellEntry, Report


def all_tested(report: Report) -> Report:
    """Returns the report without official SDKs that were not tested, and without new failures."""
    missing = {cell.sdk for cell in report.cells if cell.outcome is Outcome.NOT_TESTED}
    bad = {cell.case for cell in report.cells if cell.judgement.is_red or cell.judgement is Judgement.ERROR}
    return _with(report, (cell for cell in report.cells if cell.sdk not in missing and cell.case not in bad))


def none_tested(report: Report) -> Report:
    """Returns the report of a run without the sources of the official SDKs."""
    asked = all_tested(report).cells
    return _with(report, (_untested(cell) if is_official(cell) and cell.outcome.is_verdict else cell for cell in asked))


def one_red(report: Report) -> Report:
    """Returns the report with one new failure, which ends Envoy."""
    calm = all_tested(report)
    place = next(
        at
        for at, cell in enumerate(calm.cells)
        if is_official(cell) and cell.relation is Relation.SUPPORTED and cell.judgement is Judgement.PASS
    )
    broken = msgspec.structs.replace(
        calm.cells[place], outcome=Outcome.CRASH, judgement=Judgement.FAIL, detail="Envoy was killed by SIGSEGV"
    )
    cells = (broken if at == place else cell for at, cell in enumerate(calm.cells))
    return msgspec.structs.replace(_with(report, cells), exit_code=1)


def interrupted(report: Report) -> Report:
    """Returns the report of a run that was ended in the middle."""
    calm = all_tested(report)
    begun = _with(report, calm.cells[: len(calm.cells) // 2])
    return msgspec.structs.replace(
        begun, planned_cells=len(calm.cells), complete=False, incomplete_reason="interrupted (Ctrl-C)", exit_code=4
    )


SITUATIONS: dict[str, Callable[[Report], Report]] = {
    "all-tested": all_tested,
    "none-tested": none_tested,
    "one-red": one_red,
    "interrupted": interrupted,
}


def _with(report: Report, cells: Iterable[CellEntry]) -> Report:
    kept = tuple(cells)
    sdks = {cell.sdk for cell in kept}
    return msgspec.structs.replace(
        report,
        cells=kept,
        planned_cells=len(kept),
        complete=True,
        incomplete_reason=None,
        exit_code=0,
        sdks=tuple(sdk for sdk in report.sdks if sdk.id in sdks),
    )


def _untested(cell: CellEntry) -> CellEntry:
    return msgspec.structs.replace(
        cell,
        outcome=Outcome.NOT_TESTED,
        judgement=Judgement.SKIP,
        detail="the official SDK's sources are not available",
        abi_verdict=AbiVerdict.NOT_LOADED,
        known_failure=None,
        probe_load=ProbeLoad(),
        mismatch=None,
        facts={},
        log=(),
        evidence=None,
    )
