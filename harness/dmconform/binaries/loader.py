"""What the dynamic linker refuses, and what ends the process that opens a library: glibc's checks, found out by trial.

What is checked here beside is what glibc takes for granted: it follows addresses without a look, and a wrong one ends the
host. Where versions of glibc differ, such as about the alignment of parts, the strictest counts.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from dmconform.binaries.elf import Library, Malformed
from dmconform.binaries.kinds import ProblemKind
from dmconform.binaries.lookup import Lookup, elf_hash
from dmconform.binaries.machine import Machine
from dmconform.binaries.names import printable
from dmconform.binaries.system import HOST_LIBRARIES

PAGE_BYTES: Final = 4096
MEMORY_LIMIT_BYTES: Final = 4 << 30  # of all that a library maps
STATIC_TLS_BYTES: Final = 1664  # what glibc keeps for libraries that are opened later

_HEADER: Final = struct.Struct("<IIQQQQQQ")
_LOAD, _DYNAMIC, _NOTE, _TABLE, _TLS = 1, 2, 4, 6, 7
_UNWINDING, _RELRO, _PROPERTY = 0x6474E550, 0x6474E552, 0x6474E553
_EXECUTABLE, _WRITABLE, _READABLE = 1, 2, 4
_NO_OPEN, _NO_DEFAULT_FOLDERS = 0x40, 0x800  # in DT_FLAGS_1
_TEXT_RELOCATIONS, _STATIC_TLS = 4, 0x10  # in DT_FLAGS
_RELA: Final = 7
_ENTRY_BYTES: Final = 24
_DYNAMIC_BYTES: Final = 16
_FUNCTIONS_LIMIT: Final = 1 << 16
# Which entry of the dynamic section wants which others, and what they must be.
_NEEDS: Final = (
    ("DT_RELA", "DT_RELASZ", None),
    ("DT_RELA", "DT_RELAENT", _ENTRY_BYTES),
    ("DT_PLTREL", "DT_JMPREL", None),
    ("DT_PLTREL", "DT_PLTRELSZ", None),
    ("DT_PLTREL", "DT_PLTREL", _RELA),
    ("DT_JMPREL", "DT_PLTREL", _RELA),
    ("DT_JMPREL", "DT_PLTRELSZ", None),
    ("DT_RELASZ", "DT_RELA", None),
    ("DT_PLTRELSZ", "DT_JMPREL", None),
    ("DT_INIT_ARRAYSZ", "DT_INIT_ARRAY", None),
    ("DT_RELR", "DT_RELRSZ", None),
    ("DT_RELR", "DT_RELRENT", 8),
    ("DT_INIT_ARRAY", "DT_INIT_ARRAYSZ", None),
    ("DT_FINI_ARRAY", "DT_FINI_ARRAYSZ", None),
    ("DT_VERNEED", "DT_VERSYM", None),
    ("DT_VERDEF", "DT_VERSYM", None),
)
_SYMENT_BYTES: Final = 24
_LONGEST_NAME_OF_NUMBER: Final = 0x7FFF


class _Types(NamedTuple):
    """Numbers of relocations."""

    known: frozenset[int]
    calls: frozenset[int]  # of those that lazy binding puts off
    chosen: int  # calls a function at load
    static_tls: frozenset[int]
    tls: frozenset[int]


_TYPES: Final = {
    Machine.X86_64: _Types(
        frozenset((0, 1, 2, 5, 6, 7, 8, 10, 16, 17, 18, 32, 33, 36, 37)),
        frozenset((7, 36, 37)),
        37,
        frozenset((18,)),
        frozenset((16, 18, 36)),
    ),
    Machine.AARCH64: _Types(
        frozenset((0, 257, *range(1024, 1033))),
        frozenset((1026, 1031, 1032)),
        1032,
        frozenset((1030,)),
        frozenset((1028, 1030, 1031)),
    ),
}


class _Part(NamedTuple):
    """A program header."""

    type: int
    flags: int
    offset: int
    address: int
    physical: int
    size: int
    memory: int
    alignment: int

    @property
    def end(self) -> int:
        return self.address + self.memory


def must_load(library: Library, names: Collection[bytes]) -> None:
    """Looks for what makes the dynamic linker refuse a library.

    Args:
        library: the library.
        names: symbols that it defines, and that a host looks for by name.

    Raises:
        Malformed: it refuses it, or the process ends that opens it.
    """
    _Checks(library).run(names)


def _refused(message: str) -> Malformed:
    return Malformed(f"the dynamic linker refuses it: {message}", ProblemKind.REFUSED)


class _Checks:
    """The checks of one library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._dynamic = library.dynamic
        start, count = library.header.e_phoff, library.header.e_phnum
        self._parts = [_Part(*one) for one in _HEADER.iter_unpack(library.data[start : start + count * _HEADER.size])]
        self._loaded = [one for one in self._parts if one.type == _LOAD]
        self._types = _TYPES[library.machine]

    def run(self, names: Collection[bytes]) -> None:
        self._identity()
        self._segments()
        self._other_parts()
        self._entries()
        self._addresses()
        self._flags()
        highest = self._versions()
        self._relocations(highest)
        self._lookups(names)

    # Header and parts

    def _identity(self) -> None:
        ident = self._library.data[:16]
        if ident[8]:
            raise _refused(f"expected version 0 of the ABI of its system, it has {ident[8]}")
        if any(ident[9:]):
            raise _refused("expected zeros at the end of its identification")
        if self._library.header.e_version != "EV_CURRENT":
            raise _refused(f"expected version 1 in its header, it has {self._library.header.e_version}")

    def _segments(self) -> None:
        before: _Part | None = None
        for one in self._loaded:
            if one.alignment % PAGE_BYTES or one.alignment & (one.alignment - 1) or not one.alignment:
                raise _refused(f"expected loaded parts that are aligned to pages, one is aligned to {one.alignment:#x}")
            if (one.address - one.offset) % one.alignment:
                raise _refused(
                    f"expected its parts at addresses that fit their offsets, {one.address:#x} is of {one.offset:#x}"
                )
            if one.size > one.memory:
                raise _refused(f"expected parts that are no larger in the file than in memory, one has {one.size} bytes")
            if one.size < one.memory and not one.flags & _WRITABLE:
                raise _refused("expected zeros behind a part of the file only where it can be written to")
            if before is not None and one.size and one.offset < before.offset + before.size:
                raise _refused(f"expected parts of the file that do not overlap, one at {one.offset:#x} does")
            if before is not None and one.address < before.end:
                raise _refused(f"expected its loaded parts in order, {one.address:#x} follows {before.end:#x}")
            before = one
        assert before is not None, "a library has loaded parts"
        alignment = max(one.alignment for one in self._loaded)
        span = before.end - self._loaded[0].address
        if span + alignment > MEMORY_LIMIT_BYTES:
            raise _refused(f"expected up to {MEMORY_LIMIT_BYTES} bytes of memory, it takes {span}, aligned to {alignment}")

    def _other_parts(self) -> None:
        dynamic = [one for one in self._parts if one.type == _DYNAMIC]
        if len(dynamic) > 1 or not dynamic[0].size:
            raise _refused(f"expected one dynamic section with a size, there are {len(dynamic)}")
        if not self._inside(dynamic[0].address, dynamic[0].size, _WRITABLE):
            raise _refused("expected a dynamic section that can be written to")
        rest = self._library.data[self._library.behind_dynamic : dynamic[0].offset + dynamic[0].size]
        if any(rest[at] for at in range(0, len(rest) // _DYNAMIC_BYTES * _DYNAMIC_BYTES, _DYNAMIC_BYTES)):
            raise _refused("expected no entry behind the end of the dynamic section, there is one")
        for one in self._parts:
            if one.type == _TABLE and not self._holds_headers(one):
                raise _refused(f"expected its program headers at {one.address:#x}, they are elsewhere")
            if (
                one.type in (_NOTE, _PROPERTY, _UNWINDING)
                and one.memory
                and not self._inside(one.address, one.memory, _READABLE)
            ):
                raise _refused(f"expected a note or a table at {one.address:#x}, nothing is loaded there")
            if one.type == _RELRO and one.memory and not self._pages_inside(one):
                raise _refused(f"expected a loaded part at {one.address:#x}, to be protected after relocation")
            if one.type == _TLS:
                self._thread_local(one)

    def _holds_headers(self, table: _Part) -> bool:
        return any(
            one.address <= table.address
            and table.address + self._library.header.e_phnum * _HEADER.size <= one.address + one.size
            and table.address - one.address + one.offset == self._library.header.e_phoff
            for one in self._loaded
        )

    def _thread_local(self, one: _Part) -> None:
        if not one.memory:
            return
        if not one.alignment or one.alignment & (one.alignment - 1):
            raise _refused(f"expected data of threads that is aligned to a power of two, it is to {one.alignment:#x}")
        if one.size > one.memory or one.memory > MEMORY_LIMIT_BYTES:
            raise _refused(f"expected data of threads that fits its size, {one.size} of {one.memory} bytes are in the file")
        if one.size and not self._inside(one.address, one.size, _READABLE):
            raise _refused(f"expected data of threads at {one.address:#x}, nothing is loaded there")

    def _inside(self, address: int, size: int, flag: int) -> bool:
        """Returns whether a range is in a part that may be used so."""
        return any(
            one.address <= address
            and address + size <= one.end
            and one.flags & (flag | _WRITABLE if flag == _READABLE else flag)
            for one in self._loaded
        )

    def _pages_inside(self, protected: _Part) -> bool:
        start, end = protected.address // PAGE_BYTES * PAGE_BYTES, protected.end // PAGE_BYTES * PAGE_BYTES
        return start <= end and any(
            one.address // PAGE_BYTES * PAGE_BYTES <= start and end <= -(-one.end // PAGE_BYTES) * PAGE_BYTES
            for one in self._loaded
        )

    # The dynamic section

    def _entries(self) -> None:
        for tag, other, wanted in _NEEDS:
            if tag not in self._dynamic:
                continue
            if other not in self._dynamic:
                raise _refused(f"expected {other} beside {tag}, there is none")
            if other == "DT_JMPREL" and not self._library.binds_now and "DT_PLTGOT" not in self._dynamic:
                raise _refused("expected DT_PLTGOT beside DT_JMPREL, there is none")
            if wanted is not None and self._dynamic[other] != wanted:
                raise _refused(f"expected {wanted} as {other}, it is {self._dynamic[other]}")

    def _addresses(self) -> None:
        for tag, size, flag in (
            ("DT_STRTAB", "DT_STRSZ", _READABLE),
            ("DT_SYMTAB", "", _READABLE),
            ("DT_INIT", "", _EXECUTABLE),
            ("DT_FINI", "", _EXECUTABLE),
            ("DT_INIT_ARRAY", "DT_INIT_ARRAYSZ", _READABLE),
            ("DT_FINI_ARRAY", "DT_FINI_ARRAYSZ", _READABLE),
            ("DT_PLTGOT", "", _WRITABLE if self._dynamic.get("DT_PLTRELSZ") else 0),
            ("DT_GNU_HASH", "", _READABLE),
            ("DT_HASH", "", _READABLE),
            ("DT_VERSYM", "", _READABLE),
            ("DT_VERNEED", "", _READABLE),
            ("DT_VERDEF", "", _READABLE),
            ("DT_RELA", "DT_RELASZ", _READABLE),
            ("DT_JMPREL", "DT_PLTRELSZ", _READABLE),
            ("DT_RELR", "DT_RELRSZ", _READABLE),
        ):
            address = self._dynamic.get(tag)
            room = self._dynamic.get(size, 0) if size else 8
            if address is not None and flag and room and not self._inside(address, max(room, 1), flag):
                raise _refused(f"{tag} is {address:#x} of {room} bytes, which is no place for that")
        for tag in ("DT_SONAME", "DT_RPATH", "DT_RUNPATH"):
            if tag in self._dynamic:
                self._library.raw_name(self._dynamic[tag])

    def _flags(self) -> None:
        if self._dynamic.get("DT_FLAGS_1", 0) & _NO_OPEN:
            raise _refused("its flags forbid it to be opened by a program (DF_1_NOOPEN)")
        others = {self._library.name(offset) for offset in self._library.needed_offsets}.difference(HOST_LIBRARIES)
        searched = "DT_RUNPATH" in self._dynamic or "DT_RPATH" in self._dynamic
        if self._dynamic.get("DT_FLAGS_1", 0) & _NO_DEFAULT_FOLDERS and others and not searched:
            raise _refused(f"its flags forbid to look for {sorted(others)[0]} in the system's folders (DF_1_NODEFLIB)")

    # Versions

    def _versions(self) -> int:
        """Checks what it asks of other libraries; returns the highest number of a version."""
        needed = {self._library.name(offset) for offset in self._library.needed_offsets}
        highest = 1
        for one in self._library.versions:
            if one.record != 1:
                raise _refused(f"expected version 1 of the records of needed versions, it is {one.record}")
            if one.library not in needed and one.library not in HOST_LIBRARIES:
                raise _refused(f"it needs a version of {one.library}, which it does not need")
            if one.hash != elf_hash(one.raw_name):
                raise _refused(f"expected the hash of the version {one.name}, it is {one.hash:#x}")
            highest = max(highest, one.number)
        return max(highest, self._library.highest_defined_version)

    # Relocations

    def _relocations(self, highest: int) -> None:
        entries, calls = self._library.relocation_tables
        for table, allowed in (
            (entries, self._types.known),
            (calls, self._types.known if self._library.binds_now else self._types.calls),
        ):
            self._types_and_places(table, allowed)
        relative = self._library.machine.value.relative
        counted = min(self._dynamic.get("DT_RELACOUNT", 0), len(entries) // 3)
        if any(info & 0xFFFFFFFF != relative for info in set(entries[1 : 3 * counted : 3])):
            raise _refused(f"expected {counted} relocations of addresses in the library first (DT_RELACOUNT)")
        self._called_at_load()
        count = self._library.symbol_count
        if count is not None and any(index >= count for index in self._library.referenced):
            raise _refused(f"expected relocations by {count} symbols, there is one by another")
        if "DT_VERSYM" in self._dynamic:
            for index in self._library.referenced:
                number = self._library.version_index(index) & _LONGEST_NAME_OF_NUMBER
                if number > highest:
                    raise _refused(f"symbol {index} has version {number}, the highest is {highest}")

    def _called_at_load(self) -> None:
        """Checks the functions that are called when the library is loaded and unloaded: each is written by a relocation."""
        for tag, size in (("DT_INIT_ARRAY", "DT_INIT_ARRAYSZ"), ("DT_FINI_ARRAY", "DT_FINI_ARRAYSZ")):
            start, count = self._dynamic.get(tag, 0), self._dynamic.get(size, 0) // 8
            if count > _FUNCTIONS_LIMIT:
                raise Malformed(f"{size}: expected up to {_FUNCTIONS_LIMIT} functions, there are {count}", ProblemKind.TOO_MUCH)
            written = self._written_between(start, start + 8 * count)
            for place in range(start, start + 8 * count, 8):
                target = written.get(place)
                if place not in written and "DT_RELR" in self._dynamic:
                    target = int.from_bytes(self._library.bytes_at(place, 8), "little")
                if (target is None and place not in written) or (
                    target is not None and not self._inside(target, 1, _EXECUTABLE)
                ):
                    raise _refused(f"expected a function in {tag} at {place:#x}, there is none")

    def _written_between(self, start: int, end: int) -> dict[int, int | None]:
        """Returns the addresses in the library that relocations write in a range; None for what depends on a symbol."""
        relative = self._library.machine.value.relative
        found: dict[int, int | None] = {}
        for table in self._library.relocation_tables if start < end else ():
            for number in [at for at, place in enumerate(table[0::3].tolist()) if start <= place < end]:
                place, info, addend = table[3 * number : 3 * number + 3]
                found[place] = addend if info & 0xFFFFFFFF == relative else None
        return found

    def _types_and_places(self, table: memoryview, allowed: Collection[int]) -> None:
        if not len(table):
            return
        kinds = {info & 0xFFFFFFFF for info in set(table[1::3])}
        if unknown := sorted(kinds - set(allowed)):
            raise _refused(f"expected relocations that it knows, there is one of type {unknown[0]}")
        left = table[0::3].tolist()
        own = self._dynamic.get("DT_PLTGOT", 0) + 8  # two words that the dynamic linker writes for itself
        lazy = not self._library.binds_now and self._dynamic.get("DT_PLTRELSZ")
        if lazy and any(own - 8 < place < own + 16 for place in left):
            raise _refused(f"expected its own words at {own:#x} (DT_PLTGOT), a relocation writes there, too")
        changed = self._dynamic.get("DT_FLAGS", 0) & _TEXT_RELOCATIONS or "DT_TEXTREL" in self._dynamic
        for one in self._loaded:
            if one.flags & _WRITABLE or changed:
                low, high = one.address, one.end - 8
                left = [place for place in left if not low <= place <= high]
        if left and kinds != {0}:
            raise _refused(f"expected relocations in parts that can be written to, one is at {left[0]:#x}")
        if self._types.chosen in kinds:
            for info, addend in zip(table[1::3], table[2::3], strict=True):
                if info & 0xFFFFFFFF == self._types.chosen and not self._inside(addend, 1, _EXECUTABLE):
                    raise _refused(f"expected a function at {addend:#x}, to choose another one")
        if (
            self._types.tls & kinds
            and not self._thread_bytes
            and any(info & 0xFFFFFFFF in self._types.tls and self._is_own(info >> 32) for info in table[1::3])
        ):
            raise _refused("expected data of threads, as relocations lead to that, there is none")
        if self._types.static_tls & kinds and self._thread_bytes > STATIC_TLS_BYTES:
            raise _refused(f"expected up to {STATIC_TLS_BYTES} bytes of threads' own data, it has {self._thread_bytes}")

    def _is_own(self, index: int) -> bool:
        return not index or self._library.symbol(index).defined

    @property
    def _thread_bytes(self) -> int:
        return sum(one.memory for one in self._parts if one.type == _TLS)

    # Symbols

    def _lookups(self, names: Collection[bytes]) -> None:
        lookup = Lookup(self._library)
        if lookup.blooms & (lookup.blooms - 1) or not lookup.blooms:
            raise _refused(f"expected a filter with a power of two of words in its hash table, it has {lookup.blooms}")
        for name in names:
            if not lookup.finds(name):
                raise _refused(f"its hash table does not lead to {printable(name)}, which it defines")
        for name in self._own_names():
            if not lookup.finds(name, by_name_alone=False):
                raise _refused(f"its hash table does not lead to {printable(name)}, which it uses itself")

    def _own_names(self) -> Iterator[bytes]:
        """Yields the symbols that it both defines and looks for when it is loaded."""
        for index, at_load in self._library.referenced.items():
            symbol = self._library.raw_symbol(index)
            if at_load and symbol.section and symbol.binding and symbol.visibility == 0:
                yield self._library.raw_name(symbol.name_offset)
