"""Looks for bytes in what a library loads."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from typing import Final

from dmconform.binaries.elf import Library

WINDOW_BYTES: Final = 16 << 20
OVERLAP_BYTES: Final = 1 << 14  # longer than anything that is looked for
KEPT_BYTES: Final = 32 << 20  # a file up to this size stays in memory
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


def windows(library: Library, *, constant: bool = False) -> Iterator[tuple[int, int]]:
    """Yields the parts in pieces that overlap; of a large file, a piece is out of memory again when the next one is in use."""
    for start, end in parts(library, constant=constant):
        for at in range(start, end, WINDOW_BYTES) or [start]:
            yield at, min(at + WINDOW_BYTES + OVERLAP_BYTES, end)
            forget(library.data, at, WINDOW_BYTES)


def forget(data: mmap.mmap, start: int, size: int) -> None:
    """Takes a piece of a large file out of memory; it is read again where it is used again."""
    first = start // mmap.PAGESIZE * mmap.PAGESIZE
    if len(data) > KEPT_BYTES and first < len(data):
        data.madvise(mmap.MADV_DONTNEED, first, min(size, len(data) - first))


def find(library: Library, text: bytes) -> int | None:
    """Returns where in the file a loaded part holds some bytes first."""
    return next((at for start, end in windows(library) if (at := library.data.find(text, start, end)) >= 0), None)


def holds(library: Library, text: bytes) -> bool:
    """Returns whether a loaded part holds some bytes."""
    return find(library, text) is not None


def holds_match(library: Library, pattern: re.Pattern[bytes]) -> bool:
    """Returns whether a loaded part holds something that matches."""
    return any(pattern.search(library.data, start, end) for start, end in windows(library))


def constants(library: Library, pattern: re.Pattern[bytes]) -> set[str]:
    """Yields what the group of a pattern, ASCII, matches in the constant parts."""
    return {
        found[1].decode()
        for start, end in windows(library, constant=True)
        for found in pattern.finditer(library.data, start, end)
    }
