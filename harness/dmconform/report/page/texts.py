"""The texts of a page: made safe to show, cut where they are endless, and each kept once."""

from __future__ import annotations

from dmconform.core.text import cut, plain

_OWN_FOLDER, _OWN_NAME = "\x01", "\x02"
"""In place of a cell's own folder and name, so that cells that say the same share a text. Safe text has no such characters."""


class Texts:
    """A list that numbers texts from 0 on; 0 is the empty one.

    Of a text, `longest` characters are kept; of what a cell says, `longest_of_cell`, as there may be tens of thousands.
    """

    def __init__(self, longest: int, longest_of_cell: int) -> None:
        self._longest = longest
        self._longest_of_cell = longest_of_cell
        self._numbers: dict[str, int] = {"": 0}

    @property
    def all(self) -> list[str]:
        """Every text, at its number."""
        return list(self._numbers)

    def safe(self, text: str) -> str:
        """Returns `text` without what a terminal or a reader could trip over, and not endless."""
        return cut(plain(text), self._longest)

    def add(self, text: str) -> int:
        """Returns the number of `text`, made safe."""
        return self._number(self.safe(text))

    def add_of_cell(self, text: str, cell: str) -> int:
        """Adds a text about a cell, which is stored under its id; the script puts the cell's name and folder back in."""
        name = plain(cell)
        its = cut(plain(text), self._longest_of_cell)
        return self._number(its.replace(folder_of(name), _OWN_FOLDER).replace(name, _OWN_NAME) if name else its)

    def _number(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))


def folder_of(name: str) -> str:
    """Returns the folder of a cell, made of its name as the script does (`own` in store.js)."""
    return name.replace(":", "+")
