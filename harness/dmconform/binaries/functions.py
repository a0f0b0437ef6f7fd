"""Where a library's functions begin: from the table that exceptions are unwound with, which is loaded and never stripped."""

from __future__ import annotations

import bisect
import struct
from collections.abc import Iterator
from typing import Final

from dmconform.binaries.elf import Library, Malformed

LIMIT: Final = 4_000_000
# Version 1, and how compilers write it: a pointer of 4 bytes, a count of 4 bytes, pairs of 4 bytes relative to the table.
_FORM: Final = b"\x01\x1b\x03\x3b"
_HEAD_BYTES: Final = 12
_UNKNOWN_BYTES: Final = 256  # looked at of a function whose end is not known
# An entry as compilers write it: its length, its common part, where the function begins relative to here, how long it is.
_ENTRY: Final = struct.Struct("<IIiI")


class Functions:
    """The functions of a library. Where there is no such table, any code may be one."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._starts = _starts(library)

    def begins_at(self, address: int) -> bool:
        """Returns whether a function begins at an address."""
        if not self._starts:
            return self._library.is_code(address)
        at = bisect.bisect_left(self._starts, address)
        return at < len(self._starts) and self._starts[at] == address

    def end(self, start: int, longest: int) -> int:
        """Returns where the function at `start` ends at the latest."""
        if not self._starts:
            return start + min(_UNKNOWN_BYTES, longest)
        following = bisect.bisect_right(self._starts, start)
        end = self._starts[following] if following < len(self._starts) else start + longest
        return min(end, start + longest)


def _starts(library: Library) -> list[int]:
    """Returns where they begin, sorted; empty where the table is missing or of another form than usual."""
    place = library.unwind_table
    head = b"" if place is None else library.bytes_at(place, _HEAD_BYTES)
    if place is None or len(head) < _HEAD_BYTES or head[:4] != _FORM:
        return []
    count = int.from_bytes(head[8:12], "little")
    if count > LIMIT:
        return []
    try:
        table = library.table(place + _HEAD_BYTES, 8 * count, "the unwinding table").cast("i")
    except Malformed:
        return []
    return sorted(place + relative for relative in table[0::2])


class FunctionRanges:
    """The functions of a library with their ends, as the same table has them, and the code between them."""

    def __init__(self, library: Library) -> None:
        self._code = [one for one in library.segments if one.executable]
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(_ranges(library)):
            if not self._starts or start > self._starts[-1]:
                self._starts.append(start)
                self._ends.append(end)
        # Where one would go on into the next, it ends there.
        self._ends[:-1] = [min(end, start) for end, start in zip(self._ends[:-1], self._starts[1:], strict=True)]

    @property
    def known(self) -> bool:
        """Whether there is such a table."""
        return bool(self._starts)

    def begins_at(self, address: int) -> bool:
        """Returns whether a function begins at an address."""
        at = bisect.bisect_left(self._starts, address)
        return at < len(self._starts) and self._starts[at] == address

    def at(self, address: int) -> tuple[int, int] | None:
        """Returns the function that begins at an address, or the code without a function that the address is in.

        None in the middle of a function.
        """
        index = bisect.bisect_right(self._starts, address) - 1
        if index >= 0 and self._starts[index] == address:
            return address, self._ends[index]
        if index >= 0 and address < self._ends[index]:
            return None
        segment = next((one for one in self._code if one.address <= address < one.address + one.size), None)
        if segment is None:
            return None
        start = max(segment.address, self._ends[index] if index >= 0 else 0)
        end = segment.address + segment.size
        return start, min(end, self._starts[index + 1]) if index + 1 < len(self._starts) else end


def _ranges(library: Library) -> Iterator[tuple[int, int]]:
    """Yields where functions begin and end; up to the next one where an entry is of another form than usual."""
    place = library.unwind_table
    starts = _starts(library)
    if place is None or not starts:
        return
    table = library.table(place + _HEAD_BYTES, 8 * len(starts), "the unwinding table").cast("i")
    for relative, entry in zip(table[0::2], table[1::2], strict=True):
        start, at = place + relative, place + entry
        raw = library.bytes_at(at, _ENTRY.size)
        length, _, begin, size = _ENTRY.unpack(raw) if len(raw) == _ENTRY.size else (0, 0, 0, 0)
        sound = length >= 12 and at + 8 + begin == start and size > 0
        yield start, start + size if sound else 1 << 63
