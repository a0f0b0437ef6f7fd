"""Markdown that fits into a number of characters: sections share the room, rows that do not fit are counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

MOST_SECTIONS: Final = 40
"""Further sections are left out: each of more would get too little room to say anything."""
_TITLES_NAMED: Final = 8
_LONGEST_TITLE: Final = 80
CLOSING_CHARS: Final = 1000
"""At least what `left_out_sentence` needs."""


@dataclass(frozen=True)
class ReportSection:
    """A part of a document. Every text in it is Markdown already, one line each."""

    title: str
    rows: tuple[str, ...] = ()  # lines that can be left out one by one
    fixed: tuple[str, ...] = ()  # lines before the rows; without them the section is left out
    level: int = 2
    folded: bool = False

    @property
    def size(self) -> int:
        """The number of characters with all rows."""
        return size_of(self._framed(self.rows, ""))

    def fitted(self, limit: int) -> list[str] | None:
        """Returns the lines of this section in at most `limit` characters, with a note if rows are left out.

        A row that is too long for the room that is left does not hide the shorter ones after it. Returns None if nothing of
        the section fits.
        """
        if self.size <= limit:
            return self._framed(self.rows, "")
        room = limit - size_of(self._framed((), self._note(len(self.rows))))
        kept: list[str] = []
        for row in self.rows:
            if len(row) + 1 <= room:
                kept.append(row)
                room -= len(row) + 1
        return self._framed(kept, self._note(len(self.rows) - len(kept))) if kept else None

    def _note(self, missing: int) -> str:
        return f"{missing} of {len(self.rows)} rows are left out here; `report.json` and the page have them all."

    def _framed(self, rows: Sequence[str], note: str) -> list[str]:
        body = [*self.fixed, *rows, *(["", note] if note else []), ""]
        if self.folded:
            return ["<details>", f"<summary>{self.title}</summary>", "", *body, "</details>", ""]
        return [f"{'#' * self.level} {self.title}", "", *body]


@dataclass(frozen=True)
class Fitted:
    """The lines of sections that share some room, and the titles of those that did not fit."""

    lines: tuple[str, ...]
    left_out: tuple[str, ...]


def size_of(lines: Iterable[str]) -> int:
    """Returns how many characters lines have, each with its end."""
    return sum(len(line) + 1 for line in lines)


def fit(sections: Sequence[ReportSection], limit: int) -> Fitted:
    """Fits sections into `limit` characters, in their order.

    Small sections are whole; large ones share what is left equally. While one gets too little to say anything, the last such
    section is left out, and the others share its room.
    """
    kept = list(sections[:MOST_SECTIONS])
    left_out = [one.title for one in sections[MOST_SECTIONS:]]
    while True:
        shares = _shares([one.size for one in kept], limit)
        fitted = [one.fitted(share) for one, share in zip(kept, shares, strict=True)]
        misfit = next((place for place in reversed(range(len(kept))) if fitted[place] is None), None)
        if misfit is None:
            return Fitted(tuple(line for lines in fitted for line in lines or ()), tuple(left_out))
        left_out.insert(0, kept.pop(misfit).title)


def left_out_sentence(titles: Sequence[str]) -> str:
    """Returns a sentence that names sections that are left out, or how many more there are; at most `CLOSING_CHARS` long."""
    named = [title for title in titles if len(title) <= _LONGEST_TITLE][:_TITLES_NAMED]
    more = len(titles) - len(named)
    words = [*named, *([f"{more} more"] if more else [])]
    return f"Left out here: {', '.join(words)}. `report.json` and the page have them." if words else ""


def _shares(sizes: Sequence[int], limit: int) -> list[int]:
    """Divides `limit` so that no size gets more than it needs, and those that get less all get the same."""
    shares = [0] * len(sizes)
    left, places = max(limit, 0), sorted(range(len(sizes)), key=lambda place: sizes[place])
    for position, place in enumerate(places):
        shares[place] = min(sizes[place], left // (len(places) - position))
        left -= shares[place]
    return shares
