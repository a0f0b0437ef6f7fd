"""Runs the cells that count against a run again, alone, so that the report can say whether they end the same way each time."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from dmconform.core.progress import say
from dmconform.core.removal import remove_tree
from dmconform.core.text import counted
from dmconform.matrix.assemble import RunFacts, assemble
from dmconform.matrix.cells import run_cells
from dmconform.matrix.plan import write_plan
from dmconform.matrix.prepare import EVIDENCE, Prepared
from dmconform.report.schema import CellEntry, Report, RerunEntry
from dmconform.report.summary import causes
from dmconform.spec.catalogue import Catalogue

MOST_CELLS: Final = 10
"""Where more fail, some of each cause show as much."""


def with_reruns(catalogue: Catalogue, prepared: Prepared, report: Report, facts: RunFacts, folder: Path, times: int) -> Report:
    """Returns the report with the results of running its worst cells again. Neither verdict nor evidence changes.

    Args:
        catalogue: cases, requirements and records.
        prepared: the plan of the run, and its builds.
        report: of a whole run; nothing is run again for one that was interrupted.
        facts: of the run as a whole.
        folder: of the report.
        times: how often each cell is run again.
    """
    wanted = cells_to_run_again(report)
    if not wanted or not times or not report.complete:
        return report
    say(f"running {counted(len(wanted), 'cell')} that fail again, alone, to see whether they end the same way")
    found: dict[str, list[RerunEntry]] = {cell: [] for cell in wanted}
    for number in range(times):
        place = folder / f"again-{number}"
        try:
            place.mkdir()
            again = _only(prepared, wanted, place)
            ran = run_cells(again, place, "0")
            trouble = ran.trouble
            for cell in assemble(catalogue, again, ran.results, facts, place).cells:
                if cell.outcome.is_verdict:  # what could not run shows nothing
                    found[cell.id].append(RerunEntry(cell.outcome, cell.judgement, cell.detail))
        except OSError as error:  # the report is there already: it must not be lost to this
            trouble = str(error)
        finally:
            remove_tree(place)
        if trouble is not None:
            say(f"no more of that: {trouble}")
            break
    cells = tuple(_with(cell, found.get(cell.id, ())) for cell in report.cells)
    return msgspec.structs.replace(report, cells=cells)


def cells_to_run_again(report: Report) -> tuple[str, ...]:
    """Returns the ids of the cells to run again: one of each cause, then a second one of each, and so on."""
    against = {cell.id for cell in report.cells if cell.judgement.is_red}
    by_cause = [cause.cells for cause in causes(report) if against.issuperset(cause.cells)]
    mismatched = [cell.id for cell in report.cells if cell.judgement.is_red and not any(cell.id in its for its in by_cause)]
    in_turn = itertools.chain(*itertools.zip_longest(*by_cause, mismatched))
    return tuple(itertools.islice((cell for cell in in_turn if cell is not None), MOST_CELLS))


def _only(prepared: Prepared, wanted: Iterable[str], folder: Path) -> Prepared:
    """Returns the same with these cells only, in another folder."""
    ids = set(wanted)
    (folder / EVIDENCE).mkdir()
    plan = msgspec.structs.replace(
        prepared.plan,
        cells=tuple(cell for cell in prepared.plan.cells if str(cell.id) in ids),
        evidence_folder=str(folder / EVIDENCE),
    )
    return replace(prepared, plan=plan, plan_file=write_plan(plan, folder))


def _with(cell: CellEntry, reruns: Sequence[RerunEntry]) -> CellEntry:
    return msgspec.structs.replace(cell, reruns=tuple(reruns)) if reruns else cell
