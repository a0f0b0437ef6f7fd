"""What changed since an earlier report, cell by cell: the same changes as `dmconform diff` finds."""

from __future__ import annotations

import msgspec

from dmconform.report.comparison.model import CellChange, ChangeKind, ReportComparison
from dmconform.report.comparison.show import MEANINGS
from dmconform.report.page.texts import Texts
from dmconform.report.schema import Report


class Changes(msgspec.Struct, frozen=True, rename="camel"):
    """Cells are positions in the newer report; the texts of `was` are positions in the page's texts."""

    since: str  # when the earlier run began
    was: dict[str, tuple[int, int, int, int]]  # a changed cell: outcome and judgement that it had, kind, what it ran with
    new: tuple[int, ...]  # cells that the earlier report lacks
    gone: int  # cells that only the earlier report has


def changes(report: Report, comparison: ReportComparison, texts: Texts) -> Changes:
    """Returns what a comparison of an earlier report with `report` has found, by the positions of cells."""
    places = {cell.id: at for at, cell in enumerate(report.cells)}
    was: dict[str, tuple[int, int, int, int]] = {}
    for change in comparison.changes:
        old = change.old
        if old is None or change.new is None:
            continue
        reported = (old.outcome.value, old.judgement.value, f"{change.kind.value}: {MEANINGS[change.kind]}", _ran_with(change))
        one, two, three, four = (texts.add(text) for text in reported)
        was[str(places[change.cell])] = one, two, three, four
    return Changes(
        since=texts.safe(comparison.old.started_at),
        was=was,
        new=tuple(sorted(places[change.cell] for change in comparison.of(ChangeKind.NEW))),
        gone=len(comparison.of(ChangeKind.GONE)),
    )


def _ran_with(change: CellChange) -> str:
    """Returns whether module and host are the same bytes as before: what stayed the same cannot be the cause."""
    both = (("module", change.same_module), ("host binary", change.same_host))
    return ", ".join(f"{'the same' if same else 'another'} {what}" for what, same in both if same is not None)
