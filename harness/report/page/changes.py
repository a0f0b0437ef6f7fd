"""What changed since an earlier report, cell by cell: by the identity of cells, never by totals."""

from __future__ import annotations

import msgspec

from harness.report.page.texts import Texts
from harness.report.schema import Report


class Changes(msgspec.Struct, frozen=True, rename="camel"):
    """Cells are positions in the newer report; the texts of `was` are positions in the page's texts."""

    since: str  # when the earlier run began
    commit: str
    was: dict[str, tuple[int, int]]  # a changed cell: the outcome and the judgement that it had
    new: tuple[int, ...]  # cells that the earlier report has not
    gone: int  # cells that only the earlier report has


def changes(report: Report, previous: Report, texts: Texts) -> Changes:
    """Compares `report` with an earlier one. A cell has changed if its outcome or its judgement has."""
    before = {cell.id: cell for cell in previous.cells}
    was: dict[str, tuple[int, int]] = {}
    new = []
    for position, cell in enumerate(report.cells):
        old = before.get(cell.id)
        if old is None:
            new.append(position)
        elif (old.outcome, old.judgement) != (cell.outcome, cell.judgement):
            was[str(position)] = texts.add(old.outcome.value), texts.add(old.judgement.value)
    return Changes(
        since=texts.safe(previous.started_at),
        commit=texts.safe(previous.environment.suite_commit),
        was=was,
        new=tuple(new),
        gone=len(before.keys() - {cell.id for cell in report.cells}),
    )
