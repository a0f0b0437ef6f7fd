"""The inconsistencies of a report for reading: what each kind means, those of a kind together, the worst first."""

from __future__ import annotations

from dmconform.report.schema import Report
from dmconform.spec.inconsistencies import Inconsistency, InconsistencyKind

MEANINGS = {
    InconsistencyKind.NEW: "a supported cell fails, and no record is about it",
    InconsistencyKind.OTHER: "a cell on record fails, but not as the record says",
    InconsistencyKind.STALE: "what the record is about passes now",
    InconsistencyKind.TOO_MUCH: "the record covers cells that pass, that are not supported, or that another record covers",
    InconsistencyKind.NOTHING: "no cell of the whole matrix is called so",
    InconsistencyKind.OVERDUE: "the release has come with which the record is to be looked at again",
}
"""All kinds, in the order in which a report lists them."""

FIX_NOTE = "Look at a cell first (`dmconform reproduce CELL`), then fix the record with the command given."


def inconsistencies_by_kind(report: Report) -> dict[InconsistencyKind, list[Inconsistency]]:
    """Returns the inconsistencies of each kind that there are any of."""
    found = {kind: [one for one in report.inconsistencies if one.kind is kind] for kind in MEANINGS}
    return {kind: its for kind, its in found.items() if its}
