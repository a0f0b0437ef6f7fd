"""What became worse overnight, and the text of an issue about it."""

from __future__ import annotations

from typing import Final

from dmconform.report.comparison.markdown import render_comparison
from dmconform.report.comparison.model import CellChange, ChangeKind, ReportComparison

LONGEST_ISSUE: Final = 60_000
"""Characters. GitHub takes 65,536, and whoever files it may want to add something."""
_CUT: Final = "\nCut: the whole is in changes.md.\n"


def regressed(comparison: ReportComparison) -> tuple[CellChange, ...]:
    """Returns the cells that became worse: supported, and failing now where they did not before; or no longer as on record.

    One that gave no answer the night before counts too, so that a night of trouble hides nothing; but not if it fails just
    as a record says.
    """
    return tuple(one for one in comparison.changes if _is_worse(one))


def _is_worse(change: CellChange) -> bool:
    if change.kind is ChangeKind.FAILURE:
        return change.new is not None and change.new.known_failure is None
    return change.kind in (ChangeKind.REGRESSION, ChangeKind.CHANGED)


def nothing_in_common(comparison: ReportComparison) -> bool:
    """Returns whether no cell is in both reports, so that nothing can be compared."""
    return not comparison.unchanged and all(one.kind in (ChangeKind.NEW, ChangeKind.GONE) for one in comparison.changes)


def issue_text(comparison: ReportComparison, link: str | None = None) -> str:
    """Returns the text of an issue, in Markdown. The worst comes first, so a text that is too long loses its end.

    Args:
        comparison: what changed since the night before.
        link: an address of the whole report, named at the end.
    """
    text = render_comparison(comparison)
    end = f"\nWhole report: {link}\n" if link else ""
    if len(text) + len(end) > LONGEST_ISSUE:
        end = _CUT + end
        kept = text[: LONGEST_ISSUE - len(end)]
        text = kept[: kept.rfind("\n") + 1]
    return text + end
