"""Looks for bytes in what a library loads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dmconform.binaries.elf import Library

LIMIT_BYTES: Final = 256 << 20  # searched of one library at most, so that its parts cannot all be the same large one


def parts(library: Library, *, constant: bool = False) -> Iterator[tuple[int, int]]:
    """Yields where in the file the loaded parts begin and end; `constant`: only those that are neither code nor written to."""
    left = LIMIT_BYTES
    for one in library.segments:
        if constant and (one.executable or one.writable):
            continue
        size = min(one.size, left)
        left -= size
        yield one.offset, one.offset + size


def find(library: Library, text: bytes) -> int | None:
    """Returns where in the file a loaded part holds some bytes first."""
    return next((at for start, end in parts(library) if (at := library.data.find(text, start, end)) >= 0), None)


def holds(library: Library, text: bytes) -> bool:
    """Returns whether a loaded part holds some bytes."""
    return find(library, text) is not None


def holds_match(library: Library, pattern: re.Pattern[bytes]) -> bool:
    """Returns whether a loaded part holds something that matches."""
    return any(pattern.search(library.data, start, end) for start, end in parts(library))


def constants(library: Library, pattern: re.Pattern[bytes]) -> set[str]:
    """Yields what the group of a pattern, ASCII, matches in the constant parts."""
    return {
        found[1].decode()
        for start, end in parts(library, constant=True)
        for found in pattern.finditer(library.data, start, end)
    }
