"""Whether cells that count against a run end the same way when they are run again, alone: shown beside the verdict.

A cell that ends otherwise is red all the same. But whoever looks for the cause has to look for a race, in the host, the SDK or
the case, before he looks for a regression.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable

from dmconform.report.schema import CellEntry


class Stability(enum.Enum):
    """The result of running a cell again."""

    UNKNOWN = "not run again"
    STABLE = "stable"
    UNSTABLE = "flaky"


def stability(cell: CellEntry) -> Stability:
    """Returns whether a cell ended the same way each time: with the same outcome, which counts the same."""
    if not cell.reruns:
        return Stability.UNKNOWN
    same = all((one.outcome, one.judgement) == (cell.outcome, cell.judgement) for one in cell.reruns)
    return Stability.STABLE if same else Stability.UNSTABLE


def reruns_in_words(cells: Iterable[CellEntry]) -> str:
    """Returns the result of running cells again; empty if none was."""
    again = [cell for cell in cells if cell.reruns]
    if not again:
        return ""
    unstable = [cell for cell in again if stability(cell) is Stability.UNSTABLE]
    runs = Counter(one.outcome.value for cell in unstable or again for one in cell.reruns)
    ends = ", ".join(f"{count}x {outcome}" for outcome, count in runs.most_common())
    if not unstable:
        return f"stable: run again alone, the same each time ({ends})"
    of_cells = f"{len(unstable)} of {len(again)} cells" if len(again) > 1 else "it"
    return f"FLAKY: run again alone, {of_cells} ended otherwise ({ends}); look for a race first"
