"""The complaints of a report for reading: what each kind means, those of a kind together, the worst first."""

from __future__ import annotations

from dmconform.report.schema import Report
from dmconform.spec.inconsistencies import Complaint, ComplaintKind

MEANINGS = {
    ComplaintKind.NEW: "a promised cell fails, and no record is about it",
    ComplaintKind.OTHER: "a cell on record fails, but not as the record says",
    ComplaintKind.STALE: "what the record is about passes now",
    ComplaintKind.TOO_MUCH: "the record covers cells that pass, that nobody promised, or that another record covers",
    ComplaintKind.NOTHING: "no cell of the whole matrix is called so",
    ComplaintKind.OVERDUE: "the release has come with which the record is to be looked at again",
}
"""All kinds, in the order in which a report lists them."""

MEND_NOTE = "Look at a cell first (`dmconform reproduce CELL`), then mend the record with the command given."


def complaints_by_kind(report: Report) -> dict[ComplaintKind, list[Complaint]]:
    """The complaints of each kind that there are any of."""
    found = {kind: [one for one in report.complaints if one.kind is kind] for kind in MEANINGS}
    return {kind: its for kind, its in found.items() if its}
