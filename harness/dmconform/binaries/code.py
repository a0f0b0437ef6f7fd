"""What `envoy_dynamic_module_on_program_init` returns, out of its machine code, which is not run.

The function returns a pointer to the ABI string. Where it does nothing else, that string is read, whatever it is. Otherwise
the strings of an ABI string's shape that it can name are looked for, then those of the functions it calls or takes the
address of, and so on. The first level that names any decides, and only if it names exactly one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from dmconform.binaries.elf import Library
from dmconform.binaries.facts import Known
from dmconform.binaries.functions import Functions
from dmconform.binaries.instructions import NamedAddress, only_returns, references
from dmconform.binaries.names import printable

_STRING: Final = re.compile(rb"(v\d{1,5}\.\d{1,5}\.\d{1,5}|[0-9a-f]{64})\0")
_STRING_BYTES: Final = 65
# A string that a function may return instead: long enough that other constants are none.
_OTHER: Final = re.compile(rb"[\x20-\x7e]{4,255}\0")
_LONGEST_BYTES: Final = 256
_LEVELS: Final = 4
_CALLS: Final = 8  # of functions that only return what another returns
_FUNCTIONS: Final = 256  # looked at in all
_FUNCTION_BYTES: Final = 16 << 10
_SHORT_BYTES: Final = 64  # of a function that only returns


class ReturnedString(NamedTuple):
    """What the code shows of the string that a function returns.

    `names_others`: there is no string of an ABI string's shape near it, and it names other strings. What it returns is then
    likely one of those, and a string of that shape elsewhere in the file is no sign.
    """

    text: str | None = None
    known: Known = Known.UNKNOWN
    names_others: bool = False


def returned_abi_string(library: Library, start: int, size: int, usual: Collection[str] = ()) -> ReturnedString:
    """Returns the ABI string that the function at `start` returns, as far as the code shows it.

    Args:
        library: the library that has the function.
        start: its address.
        size: what its symbol says of its length; 0 if nothing.
        usual: the strings of known hosts. Another one that the function names may be one that it does not return.
    """
    if (plain := _plainly_returned(library, start)) is not None:
        return ReturnedString(plain, Known.READ)
    functions = Functions(library)
    level, seen = [start], {start}
    others = False
    for number in range(_LEVELS):
        strings: set[bytes] = set()
        following: list[int] = []
        for function in level:
            known = size if function == start else 0
            end = function + min(known, _FUNCTION_BYTES) if known else functions.end(function, _FUNCTION_BYTES)
            for target in _targets(library, function, end):
                named = _named_string(library, target)
                if named:
                    strings.add(named)
                elif target not in seen and len(seen) < _FUNCTIONS and functions.begins_at(target):
                    seen.add(target)
                    following.append(target)
                elif number == 0 and not others:
                    others = _is_other_string(library, target)
        if strings:
            text = strings.pop().decode() if len(strings) == 1 else None
            sure = Known.READ if text in usual else Known.INFERRED
            return ReturnedString(text, Known.UNKNOWN if text is None else sure)
        level = following
    return ReturnedString(names_others=others)


def _plainly_returned(library: Library, start: int) -> str | None:
    """Returns the string that a function returns, if neither it nor those it calls for that do anything else."""
    function = start
    for _ in range(_CALLS):
        found = only_returns(library.machine, library.bytes_at(function, _SHORT_BYTES), function)
        if found is None:
            return None
        target = _target(library, found.reference)
        if not found.by_call:
            text, end, _ = library.bytes_at(target, _LONGEST_BYTES).partition(b"\0")
            return printable(text) if text and end and not library.is_code(target) else None
        function = target
    return None


def _targets(library: Library, start: int, end: int) -> Iterator[int]:
    """Yields the addresses that the code names, or loads from a place it names."""
    code = library.bytes_at(start, end - start)
    return (_target(library, one) for one in references(library.machine, code, start))


def _target(library: Library, reference: NamedAddress) -> int:
    return _pointer(library, reference.address) if reference.loaded else reference.address


def _pointer(library: Library, place: int) -> int:
    """Returns what a pointer holds after the dynamic linker has set it; 0 where it is not known."""
    numbers = library.machine.value
    relocation = library.relocation_at(place)
    if relocation is None:
        raw = library.bytes_at(place, 8)  # packed relative relocations leave the address in place
        return int.from_bytes(raw, "little") if len(raw) == 8 else 0
    if relocation.type == numbers.relative:
        return relocation.addend
    if relocation.type in (numbers.glob_dat, numbers.jump_slot, numbers.absolute):
        symbol = library.symbol(relocation.symbol)
        return symbol.address + (relocation.addend if relocation.type == numbers.absolute else 0) if symbol.defined else 0
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


def _is_other_string(library: Library, target: int) -> bool:
    return not library.is_code(target) and _OTHER.match(library.bytes_at(target, _LONGEST_BYTES)) is not None
