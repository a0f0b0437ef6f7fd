"""The cells that took longest, and what they waited for."""

from __future__ import annotations

from dmconform.report.schema import CellEntry, Report

SHOWN = 20


def slowest(report: Report, count: int = SHOWN) -> tuple[CellEntry, ...]:
    """Returns the cells that ran longest, the longest first."""
    ran = [cell for cell in report.cells if cell.outcome.is_verdict]
    return tuple(sorted(ran, key=lambda cell: -cell.duration_s)[:count])


def waits_in_words(cell: CellEntry) -> str:
    """Returns what a cell waited for, the longest wait first.

    The rest of its time is its own work: copies, processes, loads of requests.
    """
    waits = sorted(cell.waits.items(), key=lambda item: -item[1])
    parts = [f"{seconds * 1000:.0f} ms for {what}" for what, seconds in waits]
    rest = cell.duration_s - sum(cell.waits.values())
    return ", ".join([*parts, f"{max(rest, 0.0) * 1000:.0f} ms of other work"])
