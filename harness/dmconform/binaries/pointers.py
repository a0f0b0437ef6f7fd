"""The pointers that the dynamic linker writes into a library: where they are, and what they point to."""

from __future__ import annotations

import bisect
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from dmconform.binaries.elf import SYMBOLS_LIMIT, Library, Malformed

# Types of relocations of x86-64 that write an address.
_ADDRESS, _GLOB_DAT, _JUMP_SLOT, _RELATIVE, _CHOSEN = 1, 6, 7, 8, 37
_SYMBOLIC: Final = (_ADDRESS, _GLOB_DAT, _JUMP_SLOT)
_OF_THREAD: Final = (16, 17, 18, 36)  # what finds a thread's own data
# Packed relative relocations, by number, as not every version of the ELF library has their names.
_RELR, _RELRSZ = 36, 35
_BITS: Final = 63  # words that one entry of packed relocations speaks of


class Pointer(NamedTuple):
    """A pointer. `symbol` is an undefined symbol's name; else `target` is an address in the library."""

    target: int
    symbol: str | None
    single: bool  # one of a linker's table of single pointers, which no code walks along
    of_thread: bool = False  # it leads to a thread's own data, all of which begins as a copy of one part of the library


class Pointers:
    """All pointers that the dynamic linker writes, by place."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._names: dict[int, str] = {}
        self.at: dict[int, Pointer] = {}
        self.chosen: list[int] = []  # functions that are called at load, to choose another one
        for relocation in library.relocations.values():
            if relocation.type == _CHOSEN:
                self.chosen.append(relocation.addend)
            found = self._pointer(relocation.type, relocation.symbol, relocation.addend)
            if found:
                self.at[relocation.address] = found
        for place in _packed(library):
            self.at.setdefault(place, Pointer(_word(library, place), None, single=False))
        self.places = sorted(self.at)
        self.in_table = frozenset(self._in_tables())

    def _in_tables(self) -> Iterator[int]:
        """Yields the places in the linker's tables of single pointers: those beside one that is only ever there."""
        run: list[int] = []
        for place in [*self.places, -1]:
            if run and place != run[-1] + 8:
                if any(self.at[one].single for one in run):
                    yield from run
                run = []
            run.append(place)

    def between(self, start: int, end: int) -> list[int]:
        """Returns the places in a range."""
        return self.places[bisect.bisect_left(self.places, start) : bisect.bisect_left(self.places, end)]

    def _pointer(self, kind: int, index: int, addend: int) -> Pointer | None:
        if kind in (_RELATIVE, _CHOSEN):
            return Pointer(addend, None, single=False)
        if kind in _OF_THREAD:
            return Pointer(0, None, single=True, of_thread=True)
        if kind not in _SYMBOLIC:
            return None
        symbol = self._library.symbol(index)
        single = kind != _ADDRESS
        if symbol.defined:
            if symbol.chooses:
                self.chosen.append(symbol.address)
            return Pointer(symbol.address + (0 if single else addend), None, single)
        if index not in self._names:
            self._names[index] = self._library.name(symbol.name_offset)
        return Pointer(0, self._names[index], single)


def _word(library: Library, place: int) -> int:
    return int.from_bytes(library.bytes_at(place, 8), "little")


def _packed(library: Library) -> list[int]:
    """Returns the places of packed relative relocations."""
    start = library.dynamic.get("DT_RELR", library.dynamic.get(_RELR))
    size = library.dynamic.get("DT_RELRSZ", library.dynamic.get(_RELRSZ))
    if start is None or not size:
        return []
    places: list[int] = []
    following = 0
    for (entry,) in struct.iter_unpack("<Q", library.table(start, size - size % 8, "the packed relocations")):
        if entry & 1:  # a bit for each of the words that follow
            places.extend(following + 8 * bit for bit in range(_BITS) if entry >> (bit + 1) & 1)
            following += 8 * _BITS
        else:
            places.append(entry)
            following = entry + 8
        if len(places) > SYMBOLS_LIMIT:
            raise Malformed(f"expected up to {SYMBOLS_LIMIT} packed relocations, there are more")
    return places
