"""Runs one case in its cell and returns its result. Whatever a case does ends as a result."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dmconform.binaries.facts import StaticKind
from dmconform.core.errors import HarnessError
from dmconform.core.limits import shortage
from dmconform.core.removal import remove_tree
from dmconform.core.time_slices import TimeSlices, time_slices
from dmconform.core.trouble import has_no_room, machine_trouble, scarcity_in, scarcity_of
from dmconform.core.values import AbiVerdict, CellId, Outcome, ProbeLoad, Relation
from dmconform.core.waiting import counted_waits
from dmconform.envoy.alarm import alarm
from dmconform.envoy.observer import UNOBSERVED, Observer
from dmconform.envoy.outcomes import CellEnd
from dmconform.matrix.cell import Cell
from dmconform.matrix.plan import Plan
from dmconform.matrix.refused import Refusals
from dmconform.spec.cells import PlannedCell

ALARM = "the host's own alarm"
"""The fact of a cell that failed, and whose host also logged that it found a mistake in itself."""


class CellResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The result of a cell. `evidence` is a folder relative to the evidence folder, where one was kept."""

    id: CellId
    outcome: Outcome
    detail: str = ""
    abi_verdict: AbiVerdict = AbiVerdict.NOT_LOADED
    duration_s: float = 0.0
    facts: dict[str, str] = {}
    evidence: str | None = None
    probe_load: ProbeLoad = ProbeLoad()
    waits: dict[str, float] = {}  # seconds, by what was waited for


def run_cell(
    plan: Plan,
    planned: PlannedCell,
    upstream_port: int,
    case: Callable[[Cell], None],
    observer: Observer = UNOBSERVED,
) -> CellResult:
    """Runs a case and returns its result.

    Args:
        plan: with the modules and the host of the cell.
        planned: the cell.
        upstream_port: of the server behind the Envoys, on loopback.
        case: what to run.
        observer: is notified of what the case does.
    """
    sdk = plan.sdk(planned.id.sdk)
    if sdk.problem is not None:
        return CellResult(planned.id, sdk.problem_outcome or Outcome.ERROR, sdk.problem)
    host = plan.host(planned.id.host)
    if host.problem is not None:
        return CellResult(planned.id, Outcome.ERROR, host.problem)
    folder = Path(plan.evidence_folder) / planned.id.folder
    with counted_waits() as waits:
        started = time.monotonic()
        refusals = None if observer.is_interactive else refusals_of(plan, planned)
        cell = Cell(planned.id, planned.relation, sdk, host, folder, upstream_port, plan.companions, refusals, observer)
        try:
            outcome, detail = _outcome_of(case, cell)
        finally:
            cell.reap()
        verdict, load = AbiVerdict.NOT_LOADED, ProbeLoad()
        try:
            verdict, load = cell.abi_verdict_so_far(), cell.probe_load_so_far()
            outcome, detail = _with_alarm(outcome, detail, cell)
        except OSError as error:  # without its log nothing is known for certain
            outcome, detail = Outcome.ERROR, _system_trouble(error)
        duration_s = time.monotonic() - started
        keep = plan.keep_evidence or outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)
        if not keep:
            remove_tree(folder)
        elif not plan.keep_evidence and planned.relation is not Relation.SUPPORTED:
            _trim(folder, planned.id)
        evidence = planned.id.folder if keep else None
        return CellResult(planned.id, outcome, detail, verdict, duration_s, cell.facts, evidence, load, waits)


def _with_alarm(outcome: Outcome, detail: str, cell: Cell) -> tuple[Outcome, str]:
    """Returns an end, which is a failure where the host's log has an alarm, whatever the case has looked at.

    A case that has failed stays as it ended, and the alarm is a fact of its cell.
    """
    found = alarm(cell.printed())
    if found is None:
        return outcome, detail
    if outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE):
        return Outcome.FAIL, f"expected no alarm of the host's own in its log, it has: {found}"
    cell.facts[ALARM] = found
    return outcome, detail


def refusals_of(plan: Plan, planned: PlannedCell) -> Refusals | None:
    """Returns the refusals of the cell's probe if they may be taken from another cell: see `dmconform.matrix.refused`."""
    static = plan.static_verdict(planned.id.sdk, planned.id.host)
    if planned.relation is not Relation.UNSUPPORTED or static is None or static.kind is not StaticKind.REFUSED:
        return None
    return Refusals(Path(plan.evidence_folder), planned.id.sdk, planned.id.host)


def _outcome_of(case: Callable[[Cell], None], cell: Cell) -> tuple[Outcome, str]:
    """Runs the case; returns an outcome for every way to end, and its message.

    What goes wrong where the machine lacked something is not the host's.
    """
    try:
        with time_slices(cell.host_processes) as slices:
            ended = _ended(case, cell)
    except RuntimeError as error:
        return Outcome.ERROR, _trouble_of(error)
    if ended.outcome is Outcome.PASS or not ended.outcome.is_verdict:
        return ended.outcome, ended.detail
    why = _lacking(ended, cell, slices)
    return (Outcome.ERROR, f"{why} ({ended.detail})") if why else (ended.outcome, ended.detail)


@dataclass(frozen=True)
class _Ended:
    """How a case ended, and the error that ended it."""

    outcome: Outcome
    detail: str = ""
    error: Exception | None = None


def _lacking(ended: _Ended, cell: Cell, slices: TimeSlices) -> str | None:
    """Returns what the machine lacked while a case ended badly; None where it had enough of everything."""
    if has_no_room(cell.folder):
        return _system_trouble(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    try:
        scarce = (ended.error and scarcity_of(ended.error)) or shortage() or scarcity_in(cell.printed())
    except OSError as error:  # the log is lost, or there is no way to look
        return _system_trouble(error)
    if scarce:
        return f"the machine lacked something: {scarce}"
    if ended.outcome in (Outcome.HANG, Outcome.FAIL) and slices.missing:
        return f"there was no time for it: {slices.missing}; run it again on a machine that is less busy"
    return None


def _ended(case: Callable[[Cell], None], cell: Cell) -> _Ended:
    try:
        cell.folder.mkdir(parents=True)
        case(cell)
    except CellEnd as end:
        return _Ended(end.outcome, str(end), end)
    except AssertionError as error:
        printed = str(error).partition("\nassert ")[0]  # pytest adds the expression, with addresses that differ from run to run
        return _Ended(Outcome.FAIL, printed or "an assertion without a message failed", error)
    except HarnessError as error:
        return _Ended(Outcome.ERROR, str(error))
    except Exception as error:  # a mistake in the harness or the case must not pass for a verdict
        return _Ended(Outcome.ERROR, _trouble_of(error))
    return _Ended(Outcome.PASS)


def _trouble_of(error: Exception) -> str:
    """Returns the message for an error that is no verdict."""
    if isinstance(error, OSError):
        return _system_trouble(error)
    return machine_trouble(error) or f"the case itself failed: {type(error).__name__}: {error}"


def _system_trouble(error: OSError) -> str:
    hint = "; free room there" if error.errno == errno.ENOSPC else ""
    return f"{type(error).__name__}: {error}{hint}"


def _trim(folder: Path, cell: CellId) -> None:
    """Removes the copies of modules from the evidence of cells that are not supported: there are thousands of such cells."""
    removed = [copy for copy in folder.rglob("*.so") if copy.is_file()]
    for copy in removed:
        copy.unlink()
    if removed:
        note = f"The modules were removed, as the cell is not a supported one. To have them: dmconform reproduce {cell}\n"
        (folder / "modules-removed.txt").write_text(note, encoding="utf-8")
