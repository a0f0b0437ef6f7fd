"""What `envoy_dynamic_module_on_program_init` returns, out of its machine code, which is not run.

The function returns a pointer to the ABI string. x86-64 code without a fixed address makes such a pointer with `lea`
relative to the instruction, or loads it from a place that the dynamic linker fills in. So: the strings of an ABI string's
shape that the function can name are looked for, then those of the functions it calls or takes the address of, and so on.
The first level that names any decides, and only if it names exactly one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dmconform.binaries.elf import Library
from dmconform.binaries.functions import Functions

_STRING: Final = re.compile(rb"(v\d{1,5}\.\d{1,5}\.\d{1,5}|[0-9a-f]{64})\0")
_STRING_BYTES: Final = 65
_LEVELS: Final = 4
_FUNCTIONS: Final = 256  # looked at in all
_FUNCTION_BYTES: Final = 16 << 10
_RELATIVE, _GLOB_DAT, _JUMP_SLOT, _ADDRESS = 8, 6, 7, 1
# lea and mov of 64 bits relative to the instruction, direct call and jump, and both through a pointer. Looked for at every
# byte, as where instructions begin is not known; what a wrong byte yields is neither a string nor a function.
_REFERENCES: Final = re.compile(
    rb"(?=(?:[\x48\x4c](?P<move>[\x8b\x8d])[\x05\x0d\x15\x1d\x25\x2d\x35\x3d]|(?P<call>[\xe8\xe9])|\xff(?P<far>[\x15\x25]))"
    rb"(?P<distance>[\x00-\xff]{4}))"
)


def returned_abi_string(library: Library, start: int, size: int) -> str | None:
    """Returns the ABI string that the function at `start` returns; None where the code does not show it.

    `size` is what its symbol says of its length; 0 if nothing.
    """
    functions = Functions(library)
    level, seen = [start], {start}
    for _ in range(_LEVELS):
        strings: set[bytes] = set()
        following: list[int] = []
        for function in level:
            known = size if function == start else 0
            end = function + min(known, _FUNCTION_BYTES) if known else functions.end(function, _FUNCTION_BYTES)
            for target in _references(library, function, end):
                named = _named_string(library, target)
                if named:
                    strings.add(named)
                elif target not in seen and len(seen) < _FUNCTIONS and functions.begins_at(target):
                    seen.add(target)
                    following.append(target)
        if strings:
            return strings.pop().decode() if len(strings) == 1 else None
        level = following
    return None


def _references(library: Library, start: int, end: int) -> Iterator[int]:
    """Yields the addresses that the code names, or loads from a place it names."""
    code = library.bytes_at(start, end - start)
    for found in _REFERENCES.finditer(code):
        place = start + found.end("distance") + int.from_bytes(found["distance"], "little", signed=True)
        if found["move"] == b"\x8b" or found["far"]:
            yield _pointer(library, place)
        else:
            yield place


def _pointer(library: Library, place: int) -> int:
    """Returns what a pointer holds after the dynamic linker has set it; 0 where it is not known."""
    relocation = library.relocations.get(place)
    if relocation is None:
        raw = library.bytes_at(place, 8)  # packed relative relocations leave the address in place
        return int.from_bytes(raw, "little") if len(raw) == 8 else 0
    if relocation.type == _RELATIVE:
        return relocation.addend
    if relocation.type in (_GLOB_DAT, _JUMP_SLOT, _ADDRESS):
        symbol = library.symbol(relocation.symbol)
        return symbol.address + (relocation.addend if relocation.type == _ADDRESS else 0) if symbol.defined else 0
    return 0


def _named_string(library: Library, target: int) -> bytes | None:
    """Returns the string at an address, or at what a pointer at that address holds."""
    for place in (target, _pointer(library, target)):
        found = _STRING.match(library.bytes_at(place, _STRING_BYTES)) if place else None
        if found:
            return found[1]
        if library.is_code(target):
            return None
    return None
