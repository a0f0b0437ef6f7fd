"""Looks for a symbol by its name as the dynamic linker does: through the hash table, which may not find what is defined."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from dmconform.binaries.elf import Library, Malformed

_STEPS: Final = 1 << 16  # along one chain
_HASH_BITS: Final = (1 << 32) - 1
# What the dynamic linker takes for a definition, by a symbol's binding and type.
_BINDINGS: Final = (1, 2, 10)
_TYPES: Final = (0, 1, 2, 5, 6, 10)
_ABSOLUTE: Final = 0xFFF1
_OF_THREAD: Final = 6
_HIDDEN: Final = 0x8000
_GLOBAL_VERSION: Final = 1


def gnu_hash(name: bytes) -> int:
    """Returns the hash of a name in the table that linkers write today."""
    value = 5381
    for byte in name:
        value = (value * 33 + byte) & _HASH_BITS
    return value


def elf_hash(name: bytes) -> int:
    """Returns the hash of a name in the older table, and of a version."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high & _HASH_BITS
    return value


class Lookup:
    """A library's hash table.

    Raises:
        Malformed: here and in every method: the table is not whole.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._gnu = library.dynamic.get("DT_GNU_HASH")
        what = "the hash table"
        if self._gnu is not None:
            self._buckets, self._first, self.blooms, self._shift = struct.unpack("<IIII", library.table(self._gnu, 16, what))
            self._filter = library.table(self._gnu + 16, 8 * self.blooms, what).cast("Q")
            start = self._gnu + 16 + 8 * self.blooms
            self._starts = library.table(start, 4 * self._buckets, what).cast("I") if self._buckets else memoryview(b"")
            self._chains = start + 4 * self._buckets
        else:
            old = library.dynamic["DT_HASH"]
            self.blooms = 1
            self._buckets, count = struct.unpack("<II", library.table(old, 8, what))
            words = library.table(old, 8 + 4 * (self._buckets + count), what).cast("I")
            self._starts, self._links = words[2 : 2 + self._buckets], words[2 + self._buckets :]
            symbols = [index for index in words[2:] if index]
            if max(symbols, default=0) >= max(count, 1) or len(set(symbols)) < len(symbols):
                raise Malformed("the hash table: expected each symbol once, one is there twice or is none of the table")

    def finds(self, name: bytes, *, by_name_alone: bool = True) -> bool:
        """Returns whether a definition is found; `by_name_alone`: without a version, as a host does."""
        first = next((index for index in self._candidates(name) if self._matches(index, name, by_name_alone)), None)
        return first is not None and self._is_for_others(first)

    def _candidates(self, name: bytes) -> Iterator[int]:
        """Yields the symbols whose names may be that one."""
        if not self._buckets:
            return
        if self._gnu is None:
            yield from self._old_candidates(name)
            return
        value = gnu_hash(name)
        word = self._filter[value // 64 & (self.blooms - 1)] if self.blooms else 0
        if not word >> (value & 63) & word >> (value >> (self._shift & 63) & 63) & 1:
            return
        index = self._starts[value % self._buckets]
        for _ in range(_STEPS if index >= self._first else 0):
            raw = self._library.bytes_at(self._chains + 4 * (index - self._first), 4)
            found = int.from_bytes(raw, "little")
            if len(raw) == 4 and (found ^ value) >> 1 == 0:
                yield index
            if len(raw) < 4 or found & 1:
                return
            index += 1

    def _old_candidates(self, name: bytes) -> Iterator[int]:
        index = self._starts[elf_hash(name) % self._buckets]
        for _ in range(_STEPS):
            if not index or index >= len(self._links):
                return
            yield index
            index = self._links[index]

    def _matches(self, index: int, name: bytes, by_name_alone: bool) -> bool:
        raw = self._library.raw_symbol(index)
        if raw.type not in _TYPES or not raw.section:
            return False
        if not raw.value and raw.section != _ABSOLUTE and raw.type != _OF_THREAD:
            return False
        # A hidden version is only found by who asks for that version.
        if by_name_alone and self._library.version_index(index) > _HIDDEN | _GLOBAL_VERSION:
            return False
        return self._library.raw_name(raw.name_offset) == name

    def _is_for_others(self, index: int) -> bool:
        """Returns whether a definition that matches is taken; where it is not, the linker looks no further in this file."""
        raw = self._library.raw_symbol(index)
        return raw.binding in _BINDINGS and raw.visibility in (0, 3)
