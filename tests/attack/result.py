"""What came of an attack, and its table for a terminal and for `docs/security.md`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dmconform.core.table import Column, lines

from tests.attack.attack import Attack, Try

BEGIN, END = "<!-- attack: written by ./toxw -e attack -- --markdown docs/security.md -->", "<!-- /attack -->"
HEADINGS = ("Attack", "Aim", "Tries", "Failures", "Processor", "Wall clock", "Memory")
NOT_TRIED = "-"


@dataclass(frozen=True)
class Failure:
    """A try that failed."""

    number: int
    words: str
    kept: Path | None  # the folder with what it failed on


@dataclass(frozen=True)
class Result:
    """What came of an attack."""

    attack: Attack
    tries: int = 0
    failures: tuple[Failure, ...] = ()
    processor_s: float = 0.0
    wall_s: float = 0.0
    memory_bytes: int = 0
    trouble: str | None = None  # why it could not be gone on with

    def with_try(self, one: Try, failure: Failure | None) -> Result:
        """Returns the result with one more try."""
        return Result(
            self.attack,
            self.tries + 1,
            self.failures if failure is None else (*self.failures, failure),
            max(self.processor_s, one.processor_s),
            max(self.wall_s, one.wall_s),
            max(self.memory_bytes, one.memory_bytes),
            self.trouble,
        )

    @property
    def cells(self) -> tuple[str, ...]:
        """Its row of the table."""
        if not self.tries:
            return (self.attack.name, f"{self.attack.aim:,}", *[NOT_TRIED] * 5)
        return (
            self.attack.name,
            f"{self.attack.aim:,}",
            f"{self.tries:,}",
            f"{len(self.failures):,}",
            f"{self.processor_s:.2f} s",
            f"{self.wall_s:.2f} s",
            f"{self.memory_bytes >> 20} MiB",
        )


def table(results: Sequence[Result]) -> Iterator[str]:
    """Yields the lines of the table for a terminal."""
    return lines([Column(heading) for heading in HEADINGS], [one.cells for one in results])


class NoPlace(ValueError):
    """An error: a page has no place for the table."""


def with_table(page: str, attacks: Sequence[Attack], results: Sequence[Result]) -> str:
    """Returns a page with the rows of what was attacked now; the rows of other attacks stay as they are.

    Raises:
        NoPlace: it lacks the marker comments.
    """
    found = re.search(f"{re.escape(BEGIN)}\n(.*?){re.escape(END)}", page, re.DOTALL)
    if found is None:
        raise NoPlace(f"expected a table between {BEGIN!r} and {END!r}")
    before = {row[0]: row for row in rows(found[1])}
    now = {one.attack.name: one.cells for one in results}
    made = [now.get(one.name) or before.get(one.name) or Result(one).cells for one in attacks]
    text = "\n".join(f"| {' | '.join(row)} |" for row in (HEADINGS, ["---", *["--:"] * 6], *made))
    return f"{page[: found.start()]}{BEGIN}\n{text}\n{END}{page[found.end() :]}"


def rows(text: str) -> list[tuple[str, ...]]:
    """Returns the rows of a table of Markdown, without its headings."""
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in text.splitlines() if line.startswith("|")][
        2:
    ]
