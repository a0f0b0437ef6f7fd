"""Where a library's functions begin: from the table that exceptions are unwound with, which is loaded and never stripped."""

from __future__ import annotations

import bisect
from typing import Final

from dmconform.binaries.elf import Library, Malformed

LIMIT: Final = 4_000_000
# Version 1, and how compilers write it: a pointer of 4 bytes, a count of 4 bytes, pairs of 4 bytes relative to the table.
_FORM: Final = b"\x01\x1b\x03\x3b"
_HEAD_BYTES: Final = 12
_UNKNOWN_BYTES: Final = 256  # looked at of a function whose end is not known


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
