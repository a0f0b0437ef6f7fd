"""The references of x86-64 code: calls, jumps, and what an instruction addresses relative to itself.

Instructions are not decoded. An operand relative to the instruction always follows one of eight bytes, and the distance of
a call or jump one of some others, so every place behind such a byte is taken for one. What these bytes mean elsewhere
yields a reference too much, never one too few.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

# What comes before four bytes of distance: a call or jump; a condition's jump; an operand relative to the instruction.
_BEFORE_DISTANCE: Final = re.compile(rb"[\xe8\xe9\x05\x0d\x15\x1d\x25\x2d\x35\x3d]|\x0f[\x80-\x8f]")
_OPERAND: Final = frozenset(b"\x05\x0d\x15\x1d\x25\x2d\x35\x3d")
# What comes before one byte of distance: a short jump, a condition's, a loop's.
_BEFORE_SHORT_DISTANCE: Final = re.compile(rb"[\xeb\x70-\x7f\xe0-\xe3]")
_SHORT_BYTES: Final = 130  # from a short jump to where it can lead
_ADDRESS_TAKEN: Final = re.compile(rb"[\x48-\x4f]\x8d[\x05\x0d\x15\x1d\x25\x2d\x35\x3d]")
# What a linker makes so that a call of a symbol finds it: jmp *POINTER(%rip), maybe after endbr64 or with a prefix.
_STUB: Final = re.compile(rb"(?:\xf3\x0f\x1e\xfa)?\xf2?\xff\x25")
_FIRST_STUB: Final = re.compile(rb"\xff\x35....\xf2?\xff\x25", re.DOTALL)
STUB_BYTES: Final = 16
POINTER_BYTES: Final = 8
_VECTOR_BYTES, _LONGEST_LOAD_BYTES = 16, 64  # that one instruction loads


class RefersBy(enum.Enum):
    """The way in which code refers to a place."""

    BRANCH = enum.auto()  # calls it, or jumps there
    ADDRESS = enum.auto()  # takes its address
    LOAD = enum.auto()  # loads from there


class CodeReference(NamedTuple):
    """A reference. `size` is how many bytes are loaded at most."""

    target: int
    way: RefersBy
    size: int = 0


def references(code: bytes, start: int, low: int, high: int) -> Iterator[CodeReference]:
    """Yields all references of a piece of code to places outside of it.

    Args:
        code: the piece.
        start: its address.
        low: the lowest address that counts.
        high: the address after the highest that counts.
    """
    if _FIRST_STUB.match(code):
        return  # a row of stubs, which are followed one by one
    yield from _short_jumps(code, start)
    end, room = start + len(code), len(code) - 4
    for found in _BEFORE_DISTANCE.finditer(code):
        at = found.end()
        if at > room:
            break
        target = start + at + 4 + int.from_bytes(code[at : at + 4], "little", signed=True)
        if not low <= target < high or start <= target < end:
            continue
        if code[at - 1] not in _OPERAND:
            yield CodeReference(target, RefersBy.BRANCH)
        elif at >= 3 and _ADDRESS_TAKEN.match(code, at - 3):
            yield CodeReference(target, RefersBy.ADDRESS)
        elif size := _loaded(code, at):
            yield CodeReference(target, RefersBy.LOAD, size)


def addresses_taken(code: bytes, start: int) -> Iterator[int]:
    """Yields the addresses that a piece of code takes."""
    for found in _ADDRESS_TAKEN.finditer(code):
        end = found.end() + 4
        yield start + end + int.from_bytes(code[end - 4 : end], "little", signed=True)


def stub_pointer(code: bytes, start: int) -> int | None:
    """Returns the place of the pointer that the stub at an address jumps to; None where there is no stub."""
    found = _STUB.match(code)
    if found is None:
        return None
    end = found.end() + 4
    return start + end + int.from_bytes(code[end - 4 : end], "little", signed=True)


def _short_jumps(code: bytes, start: int) -> Iterator[CodeReference]:
    """Yields the short jumps out of a piece of code, which only those near its ends can do."""
    edge = max(len(code) - _SHORT_BYTES, 0)
    for first, last in ((0, min(_SHORT_BYTES, edge)), (edge, len(code))):
        for found in _BEFORE_SHORT_DISTANCE.finditer(code, first, last):
            at = found.end()
            target = start + at + 1 + int.from_bytes(code[at : at + 1], "little", signed=True)
            if not start <= target < start + len(code):
                yield CodeReference(target, RefersBy.BRANCH)


def _loaded(code: bytes, at: int) -> int:
    """Returns how many bytes of pointers an instruction can load whose distance is at `at`; 0 if it loads none."""
    before = code[max(at - 6, 0) : at].rjust(6, b"\0")  # the last byte says that a distance follows
    if before[2] == 0xC5 or before[1] == 0xC4 or before[0] == 0x62:  # vectors' prefixes
        return _LONGEST_LOAD_BYTES
    if before[3] == 0x0F or (before[2] == 0x0F and before[3] in (0x38, 0x3A)):
        return _VECTOR_BYTES
    # With 64 bits, which calls, jumps and pushes have without a prefix.
    if before[3] & 0xF8 == 0x48 or (before[4] == 0xFF and before[5] in (0x15, 0x25, 0x35)):
        return POINTER_BYTES
    return 0
