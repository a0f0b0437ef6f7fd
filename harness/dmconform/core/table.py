"""Aligned tables for a terminal, as plain text."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SHORTEST = 12
"""A column that is shortened keeps so many characters."""
_GAP = "  "


@dataclass(frozen=True)
class Column:
    """A heading, and whether what is below it may be shortened where the terminal is too narrow."""

    heading: str
    may_be_cut: bool = False


def output_width() -> int | None:
    """Returns how wide a table on standard output may be: COLUMNS, the terminal's width, or None where nothing limits it."""
    if os.environ.get("COLUMNS", "").isdigit() or sys.stdout.isatty():
        return shutil.get_terminal_size().columns
    return None


def lines(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None = None) -> Iterator[str]:
    """Yields the heading and the rows, each value below its heading.

    Args:
        columns: from left to right.
        rows: a value for each column.
        width: of the terminal; None where lines may have any length. Columns that may be cut give way, from the right one on.
    """
    widths = [max(map(len, (column.heading, *values))) for column, *values in zip(columns, *rows, strict=True)]
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - width if width is not None else 0
    for index in reversed(range(len(columns))):
        if excess > 0 and columns[index].may_be_cut:
            shorter = max(min(SHORTEST, widths[index]), widths[index] - excess)
            excess -= widths[index] - shorter
            widths[index] = shorter
    for row in ([column.heading for column in columns], *rows):
        yield _GAP.join(_fitted(value, size) for value, size in zip(row, widths, strict=True)).rstrip()


def _fitted(value: str, size: int) -> str:
    return f"{value:{size}}" if len(value) <= size else f"{value[: size - 1]}…"
