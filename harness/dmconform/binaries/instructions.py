"""The few machine instructions that name an address, on each machine, and functions that only return one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from dmconform.binaries.machine import Machine


class NamedAddress(NamedTuple):
    """An address that code names. `loaded`: it takes the pointer that is there."""

    address: int
    loaded: bool


class Returned(NamedTuple):
    """All that a function does. `by_call`: it returns what the function at that address returns."""

    reference: NamedAddress
    by_call: bool


def references(machine: Machine, code: bytes, start: int) -> Iterator[NamedAddress]:
    """Yields the addresses that code at `start` names."""
    return _x86_references(code, start) if machine is Machine.X86_64 else _arm_references(code, start)


def only_returns(machine: Machine, code: bytes, start: int) -> Returned | None:
    """Returns what a function at `start` returns, where it does nothing else; None for any other function."""
    return _x86_returns(code, start) if machine is Machine.X86_64 else _arm_returns(code, start)


# lea and mov of 64 bits relative to the instruction, direct call and jump, and both through a pointer. Looked for at every
# byte, as where instructions begin is not known; what a wrong byte yields is neither a string nor a function.
_X86_REFERENCES: Final = re.compile(
    rb"(?=(?:[\x48\x4c](?P<move>[\x8b\x8d])[\x05\x0d\x15\x1d\x25\x2d\x35\x3d]|(?P<call>[\xe8\xe9])|\xff(?P<far>[\x15\x25]))"
    rb"(?P<distance>[\x00-\xff]{4}))"
)
# What compilers put before and after: endbr64, the frame, and a stack that is aligned for a call.
_X86_HEAD: Final = rb"(?:\xf3\x0f\x1e\xfa)?(?:\x55\x48\x89\xe5)?"
_X86_TAIL: Final = rb"[\x5d\xc9]?(?:\xf3)?\xc3"
_X86_ADDRESS: Final = re.compile(
    _X86_HEAD + rb"\x48(?P<move>[\x8b\x8d])\x05(?P<distance>[\x00-\xff]{4})" + _X86_TAIL, re.DOTALL
)
_X86_CALL: Final = re.compile(
    _X86_HEAD
    + rb"(?:(?:\x50|\x48\x83\xec.)?(?:\xe8|\xff(?P<far_call>\x15))(?P<call>.{4})(?:\x59|\x48\x83\xc4.)?"
    + _X86_TAIL
    + rb"|\x5d?(?:\xe9|\xff(?P<far_jump>\x25))(?P<jump>.{4}))",
    re.DOTALL,
)


def _x86_references(code: bytes, start: int) -> Iterator[NamedAddress]:
    for found in _X86_REFERENCES.finditer(code):
        place = _behind(start, found, "distance")
        yield NamedAddress(place, loaded=found["move"] == b"\x8b" or bool(found["far"]))


def _x86_returns(code: bytes, start: int) -> Returned | None:
    if found := _X86_ADDRESS.match(code):
        return Returned(NamedAddress(_behind(start, found, "distance"), loaded=found["move"] == b"\x8b"), by_call=False)
    if found := _X86_CALL.match(code):
        place = _behind(start, found, "call" if found["call"] else "jump")
        return Returned(NamedAddress(place, loaded=bool(found["far_call"] or found["far_jump"])), by_call=True)
    return None


def _behind(start: int, found: re.Match[bytes], distance: str) -> int:
    """Returns the address that is a distance away from the end of the instruction."""
    return start + found.end(distance) + int.from_bytes(found[distance], "little", signed=True)


_ARM_FRAME: Final = frozenset(
    (
        0xD503245F,  # bti c
        0xD503233F,  # paciasp
        0xD50323BF,  # autiasp
        0xD503201F,  # nop
        0xA9BF7BFD,  # stp x29, x30, [sp, #-16]!
        0x910003FD,  # mov x29, sp
        0xA8C17BFD,  # ldp x29, x30, [sp], #16
    )
)
_ARM_RETURN: Final = 0xD65F03C0


def _arm_references(code: bytes, start: int) -> Iterator[NamedAddress]:
    """Yields what pairs of `adrp` with `add` or `ldr`, and `adr`, `bl` and `b` name."""
    for reference, _, _ in _arm_named(code, start):
        yield reference


def _arm_returns(code: bytes, start: int) -> Returned | None:
    named = list(_arm_named(code[: 4 * 16], start))
    for reference, by_call, last in named:
        words = [int.from_bytes(code[at : at + 4], "little") for at in range(0, last, 4)]
        # Before and in the pair, nothing but the frame and `adrp x0`.
        if not all(word in _ARM_FRAME or word & 0x9F00001F == 0x90000000 for word in words):
            return None
        jumps = by_call and int.from_bytes(code[last : last + 4], "little") >> 26 == 0b000101
        if jumps or _arm_ends(code, last + 4):
            return Returned(reference, by_call)
        return None
    return None


def _arm_ends(code: bytes, at: int) -> bool:
    for place in range(at, at + 4 * 4, 4):
        word = int.from_bytes(code[place : place + 4], "little")
        if word == _ARM_RETURN:
            return True
        if word not in _ARM_FRAME:
            return False
    return False


def _arm_named(code: bytes, start: int) -> Iterator[tuple[NamedAddress, bool, int]]:
    """Yields what code names, whether that is a function it goes to, and where the instruction is that completes it."""
    pages: dict[int, int] = {}
    for at in range(0, len(code) - 3, 4):
        word, place = int.from_bytes(code[at : at + 4], "little"), start + at
        target, source = word & 31, word >> 5 & 31
        if word & 0x9F000000 == 0x90000000:  # adrp
            pages[target] = (place & ~0xFFF) + (_signed(word >> 5 & 0x7FFFF, 19) * 4 + (word >> 29 & 3) << 12)
        elif word & 0x9F000000 == 0x10000000:  # adr
            yield NamedAddress(place + _signed(word >> 5 & 0x7FFFF, 19) * 4 + (word >> 29 & 3), loaded=False), False, at
        elif word & 0xFFC00000 == 0x91000000 and source in pages:  # add with 12 bits
            yield NamedAddress(pages[source] + (word >> 10 & 0xFFF), loaded=False), False, at
        elif word & 0xFFC00000 == 0xF9400000 and source in pages:  # ldr of 64 bits
            yield NamedAddress(pages[source] + (word >> 10 & 0xFFF) * 8, loaded=True), False, at
        elif word >> 26 in (0b100101, 0b000101):  # bl, b
            yield NamedAddress(place + _signed(word & 0x3FFFFFF, 26) * 4, loaded=False), True, at


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value
