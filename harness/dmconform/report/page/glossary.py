"""The words of the page, as `docs/glossary.md` has them."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from dmconform.core import paths

FILE = paths.DATA / "docs" / "glossary.md"
_ROW = re.compile(r"^\| (?P<term>[^|]+) \| (?P<meaning>[^|]+) \|")
_HEADS = ("term", "relation", "outcome", "judgement")


@dataclass(frozen=True)
class Word:
    """A word and its meaning."""

    term: str
    meaning: str


@functools.cache
def glossary() -> tuple[Word, ...]:
    """Returns all words of the glossary in its order, without the marks of Markdown; none where the file is missing."""
    if not FILE.is_file():
        return ()
    found = []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        row = _ROW.match(line)
        if row and row["term"] not in _HEADS and not row["term"].startswith("---"):
            found.append(Word(_plain(row["term"]), _plain(row["meaning"])))
    return tuple(found)


def _plain(text: str) -> str:
    return re.sub(r"[`*]", "", text).strip()
