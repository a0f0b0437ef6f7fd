"""Runs one case in its cell and says what came of it. Nothing a case does gets past this as anything but a result."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from harness.errors import HarnessError
from harness.model import AbiVerdict, CellId, Outcome
from harness.plan.plan import Plan, PlannedCell
from harness.run.cell import Cell
from harness.run.outcomes import CellEnd


class CellResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of a cell. `evidence` is a folder relative to the evidence folder, where one was kept."""

    id: CellId
    outcome: Outcome
    detail: str = ""
    abi_verdict: AbiVerdict = AbiVerdict.NOT_LOADED
    duration_s: float = 0.0
    facts: dict[str, str] = {}
    evidence: str | None = None


def run_cell(plan: Plan, planned: PlannedCell, upstream_port: int, case: Callable[[Cell], None]) -> CellResult:
    """Runs a case and judges it."""
    sdk = plan.sdk(planned.id.sdk)
    if sdk.problem is not None:
        return CellResult(planned.id, sdk.problem_outcome or Outcome.BLOCKED, sdk.problem)
    host = plan.host(planned.id.host)
    if host.problem is not None:
        return CellResult(planned.id, Outcome.BLOCKED, host.problem)
    folder = Path(plan.evidence_folder) / planned.id.folder
    started = time.monotonic()
    outcome, detail, verdict, facts = Outcome.BLOCKED, "", AbiVerdict.NOT_LOADED, {}
    cell: Cell | None = None
    try:
        folder.mkdir(parents=True)
        cell = Cell(planned.id, planned.relation, sdk, host, folder, upstream_port)
        case(cell)
        outcome = Outcome.PASSED
    except CellEnd as end:
        outcome, detail = end.outcome, str(end)
    except AssertionError as error:
        outcome, detail = Outcome.FAILED, str(error) or "an assertion without a message failed"
    except OSError as error:
        detail = _system_trouble(error)
    except HarnessError as error:
        detail = str(error)
    except Exception as error:  # a mistake in the harness or the case must not pass for a verdict
        detail = f"the case itself failed: {type(error).__name__}: {error}"
    finally:
        if cell is not None:
            cell.reap()
    if cell is not None:
        facts = cell.facts
        try:
            verdict = cell.abi_verdict_so_far()
        except OSError as error:  # without its log nothing is known for certain
            outcome, detail = Outcome.BLOCKED, _system_trouble(error)
    duration_s = time.monotonic() - started
    keep = plan.keep_evidence or outcome not in (Outcome.PASSED, Outcome.NOT_APPLICABLE)
    if keep:
        _trim(folder, plan.keep_evidence)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return CellResult(planned.id, outcome, detail, verdict, duration_s, facts, planned.id.folder if keep else None)


def _system_trouble(error: OSError) -> str:
    hint = "; free room there" if error.errno == errno.ENOSPC else ""
    return f"{type(error).__name__}: {error}{hint}"


def _trim(folder: Path, keep_modules: bool) -> None:
    """Removes the copies of modules from evidence: the report names them by hash, and there are thousands."""
    if not keep_modules:
        for copy in folder.rglob("*.so*"):
            copy.unlink(missing_ok=True)
