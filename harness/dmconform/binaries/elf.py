"""One ELF shared library, read as the dynamic linker reads it: program headers and the dynamic section.

Its bytes come from strangers. Every count and place is checked against the file before it is used, and work is bounded by
limits that no real library reaches. Section headers, which may be stripped or lie, are not read here (see `sections`).
"""

from __future__ import annotations

import functools
import mmap
import struct
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from elftools.construct.lib.container import Container
from elftools.elf.structs import ELFStructs

from dmconform.binaries.kinds import ELF_MAGIC, FileKind, ProblemKind, file_kind
from dmconform.binaries.machine import Machine, machine_of
from dmconform.binaries.names import printable

NAME_LIMIT_BYTES: Final = 4096
NAMES_LIMIT_BYTES: Final = 4 << 20  # all names of one library together
SYMBOLS_LIMIT: Final = 1_000_000
RELOCATIONS_LIMIT: Final = 2_000_000
LISTED_LIMIT: Final = 200_000  # relocations of which each is kept as a value
SEGMENTS_LIMIT: Final = 1024
DYNAMIC_LIMIT: Final = 4096
VERSIONS_LIMIT: Final = 65_536

_HEADER_BYTES: Final = 64
_SEGMENT_BYTES: Final = 56
_DYNAMIC_BYTES: Final = 16
_SYMBOL: Final = struct.Struct("<IBBHQQ")  # name, info, other, section, value, size
_RELOCATION_BYTES: Final = 24
_PIE: Final = 0x08000000  # in DT_FLAGS_1
_NOW_IN_FLAGS, _NOW_IN_FLAGS_1 = 0x8, 0x1
_LOCAL, _WEAK = 0, 2
_TRIES: Final = 1000  # at places where only chance makes the bytes of an address
_CHOOSES: Final = 10  # a symbol's type


class Malformed(Exception):
    """An error: the bytes are not what was expected; the message is one sentence with both."""

    def __init__(
        self,
        message: str,
        kind: ProblemKind = ProblemKind.MALFORMED,
        *,
        file: FileKind = FileKind.SHARED_LIBRARY,
        architecture: str = "",
    ) -> None:
        """Makes the error.

        Args:
            message: what was expected, and what was observed.
            kind: what is wrong.
            file: what the file is.
            architecture: what it is for, in words, where that is wrong.
        """
        super().__init__(message)
        self.kind = kind
        self.file = file
        self.architecture = architecture


class Segment(NamedTuple):
    """A part of the file that is mapped to memory."""

    address: int
    offset: int
    size: int  # in the file
    writable: bool
    executable: bool
    memory: int  # its size in memory, which is more where zeros follow


class Symbol(NamedTuple):
    """An entry of the dynamic symbol table."""

    name_offset: int
    weak: bool
    defined: bool
    found: bool  # a look-up by name finds it, if it is defined
    address: int
    size: int
    chooses: bool  # it is a function that the dynamic linker calls, to have another one for the name


class RawSymbol(NamedTuple):
    """An entry of the dynamic symbol table, as numbers."""

    name_offset: int
    binding: int
    type: int
    visibility: int
    section: int
    value: int


class Relocation(NamedTuple):
    """A place that the dynamic linker fills in."""

    address: int
    type: int
    symbol: int  # index
    addend: int


class Version(NamedTuple):
    """A version that a library must bring."""

    number: int  # by which symbols refer to it
    name: str
    library: str
    weak: bool
    record: int  # the version of the record's own form
    hash: int
    raw_name: bytes


class Library:
    """A shared library over its bytes.

    Raises:
        Malformed: here and in every method: the bytes are not those of a shared library for a machine in `machines`.
    """

    def __init__(
        self, data: mmap.mmap, *, executable_too: bool = False, machines: Collection[Machine] = (Machine.X86_64,)
    ) -> None:
        self.data = data
        self._names_bytes = 0
        _check_kind(data, executable_too)
        self.machine = _machine(data, machines)
        structs = _structs()
        self.header = structs.Elf_Ehdr.parse(data[:_HEADER_BYTES])
        self._check_header()
        headers = [
            structs.Elf_Phdr.parse(data[at : at + _SEGMENT_BYTES])
            for at in range(self.header.e_phoff, self.header.e_phoff + self.header.e_phnum * _SEGMENT_BYTES, _SEGMENT_BYTES)
        ]
        self.segments = tuple(self._segment(one) for one in headers if one.p_type == "PT_LOAD")
        if not self.segments:
            raise Malformed("expected a shared library, this ELF file has no part that is loaded")
        self.interpreter = next((self._text(one) for one in headers if one.p_type == "PT_INTERP"), b"")
        self.unwind_table = next((one.p_vaddr for one in headers if one.p_type == "PT_GNU_EH_FRAME"), None)
        relro = next((one for one in headers if one.p_type == "PT_GNU_RELRO"), None)
        self.constant_end = 0 if relro is None else relro.p_vaddr + relro.p_memsz  # of what is only written to by the linker
        own = next((one for one in headers if one.p_type == "PT_TLS"), None)
        self.thread_local = (
            (0, 0) if own is None else (own.p_vaddr, own.p_filesz)
        )  # where each thread's own data is copied from
        dynamic = next((one for one in headers if one.p_type == "PT_DYNAMIC"), None)
        if dynamic is None:
            raise Malformed("expected a shared library, this ELF file has no dynamic section")
        if not dynamic.p_filesz and not any(one.size for one in self.segments if one.executable):
            raise _other_kind(FileKind.DEBUG_INFORMATION)
        self.needed_offsets: list[int] = []
        self.dynamic: dict[str | int, int] = {}
        self.behind_dynamic = 0  # where in the file what follows its last entry begins
        self._read_dynamic(structs, dynamic)
        if self.dynamic.get("DT_FLAGS_1", 0) & _PIE and not executable_too:
            raise _other_kind(FileKind.EXECUTABLE)

    # Header and dynamic section

    def _check_header(self) -> None:
        header = self.header
        if self.data[6] != 1:
            raise Malformed(f"expected version 1 of the ELF format, this file says {self.data[6]}")
        if header.e_phentsize != _SEGMENT_BYTES or header.e_phnum > SEGMENTS_LIMIT:
            raise Malformed(
                f"expected up to {SEGMENTS_LIMIT} program headers of {_SEGMENT_BYTES} bytes, this ELF file claims "
                f"{header.e_phnum} of {header.e_phentsize}"
            )
        end = header.e_phoff + header.e_phnum * _SEGMENT_BYTES
        if end > len(self.data):
            raise _truncated("program headers end", end, len(self.data))

    def _segment(self, header: Container) -> Segment:
        end = header.p_offset + header.p_filesz
        if end > len(self.data):
            raise _truncated("a loaded part ends", end, len(self.data))
        writable, executable = bool(header.p_flags & 2), bool(header.p_flags & 1)
        memory = max(header.p_filesz, header.p_memsz)
        return Segment(header.p_vaddr, header.p_offset, header.p_filesz, writable, executable, memory)

    def _text(self, header: Container) -> bytes:
        """Returns the text that a part of the file holds; empty where it is longer than a name."""
        if header.p_filesz > NAME_LIMIT_BYTES:
            return b""
        return self.data[header.p_offset : header.p_offset + header.p_filesz].rstrip(b"\0")

    def _read_dynamic(self, structs: ELFStructs, header: Container) -> None:
        offset, room = self._room(header.p_vaddr, "the dynamic section")
        room = min(room, header.p_memsz)
        for number in range(room // _DYNAMIC_BYTES):
            if number >= DYNAMIC_LIMIT:
                raise _too_much(f"expected a dynamic section of up to {DYNAMIC_LIMIT} entries, this one goes on")
            at = offset + number * _DYNAMIC_BYTES
            entry = structs.Elf_Dyn.parse(self.data[at : at + _DYNAMIC_BYTES])
            if entry.d_tag == "DT_NULL":
                self.behind_dynamic = at + _DYNAMIC_BYTES
                return
            if entry.d_tag == "DT_NEEDED":
                self.needed_offsets.append(entry.d_val)
            self.dynamic[entry.d_tag] = entry.d_val
        raise Malformed("expected an entry that ends the dynamic section, there is none")

    @property
    def binds_now(self) -> bool:
        """Whether the dynamic linker looks for all symbols when it loads the library."""
        return bool(
            self.dynamic.get("DT_FLAGS", 0) & _NOW_IN_FLAGS
            or self.dynamic.get("DT_FLAGS_1", 0) & _NOW_IN_FLAGS_1
            or "DT_BIND_NOW" in self.dynamic
        )

    # Places

    def _room(self, address: int, what: str) -> tuple[int, int]:
        """Returns where in the file an address is, and how many bytes of its segment follow from there."""
        for segment in self.segments:
            inside = address - segment.address
            if 0 <= inside < segment.size:
                return segment.offset + inside, segment.size - inside
        raise Malformed(f"{what}: expected in a loaded part of the file, its address is {address:#x}")

    def table(self, address: int, size: int, what: str) -> memoryview:
        """Returns bytes that must all be there; `what` they are is for the message."""
        offset, room = self._room(address, what)
        if size > room:
            raise Malformed(f"{what}: expected {size} bytes at {address:#x}, {room} are left there")
        return memoryview(self.data)[offset : offset + size]

    def bytes_at(self, address: int, size: int) -> bytes:
        """Returns up to `size` bytes from an address; none where it is not in the file."""
        try:
            offset, room = self._room(address, "bytes")
        except Malformed:
            return b""
        return self.data[offset : offset + min(size, room)]

    def is_code(self, address: int) -> bool:
        """Returns whether an address is in a part that may be executed."""
        return any(start <= address < end for start, end in self._code)

    @functools.cached_property
    def _code(self) -> tuple[tuple[int, int], ...]:
        """Where the parts that may be executed begin and end."""
        return tuple((one.address, one.address + one.size) for one in self.segments if one.executable)

    # Strings

    @functools.cached_property
    def _strings(self) -> tuple[int, int]:
        """The range of the string table in the file."""
        size = self.dynamic.get("DT_STRSZ", 0)
        offset, room = self._room(self._required("DT_STRTAB"), "the string table")
        if size > room:
            raise _truncated("its string table ends", offset + size, len(self.data))
        return offset, offset + size

    def _required(self, tag: str) -> int:
        if tag not in self.dynamic:
            raise Malformed(f"expected {tag} in the dynamic section, there is none")
        return self.dynamic[tag]

    def raw_name(self, offset: int) -> bytes:
        """Returns a string of the string table."""
        start, end = self._strings
        if not 0 <= offset < end - start:
            raise _no_name(offset, end - start)
        begin = start + offset
        stop = self.data.find(b"\0", begin, min(end, begin + NAME_LIMIT_BYTES + 1))
        if stop < 0:
            raise _too_much(f"expected names of up to {NAME_LIMIT_BYTES} bytes, there is a longer one")
        self._names_bytes += stop - begin
        if self._names_bytes > NAMES_LIMIT_BYTES:
            raise _too_much(f"expected up to {NAMES_LIMIT_BYTES} bytes of names, there are more")
        return self.data[begin:stop]

    def name(self, offset: int) -> str:
        """Returns a string of the string table, fit to be printed."""
        return printable(self.raw_name(offset))

    def name_starts_with(self, offset: int, prefix: bytes) -> bool:
        """Returns whether a string begins so; cheaper than reading it."""
        start, end = self._strings
        if offset >= end - start:
            raise _no_name(offset, end - start)
        begin = start + offset
        return begin + len(prefix) <= end and self.data[begin : begin + len(prefix)] == prefix

    # Symbols

    @functools.cached_property
    def _counts(self) -> tuple[int, int]:
        """The first symbol that a look-up by name can find, and how many symbols the hash table knows of."""
        if "DT_GNU_HASH" in self.dynamic:
            return self._count_by_gnu_hash(self.dynamic["DT_GNU_HASH"])
        if "DT_HASH" in self.dynamic:
            head = self.table(self.dynamic["DT_HASH"], 8, "the hash table")
            buckets, chains = struct.unpack("<II", head)
            self.table(self.dynamic["DT_HASH"], 8 + 4 * (buckets + chains), "the hash table")
            return 1, chains
        raise Malformed("expected DT_GNU_HASH or DT_HASH in the dynamic section, there is neither")

    def _count_by_gnu_hash(self, address: int) -> tuple[int, int]:
        what = "the hash table"
        buckets, first, blooms, _ = struct.unpack("<IIII", self.table(address, 16, what))
        at = address + 16 + 8 * blooms
        last = max(self.table(at, 4 * buckets, what).cast("I"), default=0) if buckets else 0
        if last < first:
            return first, first
        chains = at + 4 * buckets
        offset, room = self._room(chains + 4 * (last - first), what)
        for number in range(min(room // 4, SYMBOLS_LIMIT)):
            if self.data[offset + 4 * number] & 1:  # the lowest bit ends a chain
                return first, last + number + 1
        raise Malformed(f"{what}: expected an end of its last chain, there is none")

    @property
    def symbol_count(self) -> int | None:
        """How many symbols there are; None where the hash table, which knows of no definition, does not show it."""
        first, count = self._counts
        return count if count > first or "DT_GNU_HASH" not in self.dynamic else None

    @functools.cached_property
    def _symbol_table(self) -> tuple[int, int]:
        """The offset of the symbols in the file, and how many could be there at most."""
        offset, room = self._room(self._required("DT_SYMTAB"), "the symbol table")
        return offset, room // _SYMBOL.size

    def _entry(self, index: int) -> tuple[int, int, int, int, int, int]:
        offset, most = self._symbol_table
        if index >= most:
            raise Malformed(f"symbol {index} is asked for, the symbol table has room for {most}")
        return _SYMBOL.unpack_from(self.data, offset + index * _SYMBOL.size)

    def place_of_symbol(self, index: int) -> slice:
        """Returns where in the file the entry of a symbol is."""
        start = self._symbol_table[0] + index * _SYMBOL.size
        return slice(start, start + _SYMBOL.size)

    def raw_symbol(self, index: int) -> RawSymbol:
        """Returns one symbol by its number, as it is in the table."""
        name, info, other, section, value, _ = self._entry(index)
        return RawSymbol(name, info >> 4, info & 0xF, other & 3, section, value)

    def symbol(self, index: int) -> Symbol:
        """Returns one symbol by its number."""
        name, info, other, section, value, size = self._entry(index)
        binding = info >> 4
        found = binding != _LOCAL and other & 3 in (0, 3) and index >= self._counts[0]
        return Symbol(name, binding == _WEAK, section != 0, found, value, size, info & 0xF == _CHOOSES)

    def symbols(self) -> Iterator[Symbol]:
        """Yields all symbols that the hash table knows of, from number 1 on."""
        count = self._counts[1]
        if count > SYMBOLS_LIMIT:
            raise _too_much(f"expected up to {SYMBOLS_LIMIT} symbols, {count} are claimed")
        for index in range(1, count):
            yield self.symbol(index)

    def exports(self) -> Iterator[Symbol]:
        """Returns the symbols that others find in it."""
        return (one for one in self.symbols() if one.defined and one.found)

    # Relocations

    def _relocation_table(self, start: str, size: str) -> memoryview:
        if start not in self.dynamic or not self.dynamic.get(size):
            return memoryview(b"").cast("Q")
        length = self.dynamic[size]
        if length % _RELOCATION_BYTES:
            raise Malformed(f"{size} is {length}, expected relocations of {_RELOCATION_BYTES} bytes each")
        table = self.table(self.dynamic[start], length, "the relocations").cast("Q")
        if len(table) // 3 > RELOCATIONS_LIMIT:
            raise _too_much(f"expected up to {RELOCATIONS_LIMIT} relocations, {len(table) // 3} are claimed")
        return table

    @functools.cached_property
    def relocation_tables(self) -> tuple[memoryview, ...]:
        """The relocations, and those of calls: of each three words, which are a place, what fills it in, and an addend."""
        return (self._relocation_table("DT_RELA", "DT_RELASZ"), self._relocation_table("DT_JMPREL", "DT_PLTRELSZ"))

    @functools.cached_property
    def _relocation_starts(self) -> tuple[int, ...]:
        """Where in the file the tables of relocations begin."""
        places = (self.dynamic.get(tag, 0) for tag in ("DT_RELA", "DT_JMPREL"))
        return tuple(
            self._room(place, "the relocations")[0] if len(table) else 0
            for place, table in zip(places, self.relocation_tables, strict=True)
        )

    @functools.cached_property
    def referenced(self) -> dict[int, bool]:
        """The symbols that relocations refer to, by number: whether something else than a call needs the symbol."""
        found: dict[int, bool] = {}
        jump_slot = self.machine.value.jump_slot
        most = self._symbol_table[1] if any(self.relocation_tables) else 0
        for table in self.relocation_tables:
            for info in table[1::3]:
                if symbol := info >> 32:
                    if symbol >= most:
                        raise Malformed(f"symbol {symbol} is asked for, the symbol table has room for {most}")
                    found[symbol] = found.get(symbol, False) or info & 0xFFFFFFFF != jump_slot
        return found

    def relocation_at(self, place: int) -> Relocation | None:
        """Returns the last relocation that fills in a place."""
        if not 0 <= place < 1 << 64:
            return None
        wanted = place.to_bytes(8, "little")
        for table, start in reversed(list(zip(self.relocation_tables, self._relocation_starts, strict=True))):
            end = start + 8 * len(table)
            for _ in range(_TRIES):
                at = self.data.rfind(wanted, start, end)
                if at < 0:
                    break
                number, inside = divmod(at - start, _RELOCATION_BYTES)
                if not inside:
                    return _relocation(*table[3 * number : 3 * number + 3])
                end = at + len(wanted) - 1
        return None

    @property
    def relocation_count(self) -> int:
        """How many relocations there are; of packed ones, none counts."""
        return sum(len(table) for table in self.relocation_tables) // 3

    @functools.cached_property
    def relocations(self) -> dict[int, Relocation]:
        """All relocations by the place they fill in; empty for a library with more than are listed."""
        if self.relocation_count > LISTED_LIMIT:
            return {}
        return {
            place: _relocation(place, info, addend)
            for table in self.relocation_tables
            for place, info, addend in zip(table[0::3], table[1::3], table[2::3], strict=True)
        }

    # Versions

    @functools.cached_property
    def versions(self) -> tuple[Version, ...]:
        """The versions it asks other libraries for. As the dynamic linker does, the counts are not looked at."""
        what = "the needed versions"
        found: list[Version] = []
        for at, (record, _, file, aux, _) in self._chain("DT_VERNEED", "<HHIII", what):
            library = self.name(file)
            for _, (hashed, flags, index, name, _) in self._linked(at + aux, "<IHHII", what):
                raw = self.raw_name(name)
                found.append(Version(index & 0x7FFF, printable(raw), library, bool(flags & 2), record, hashed, raw))
                if len(found) > VERSIONS_LIMIT:
                    raise _too_much(f"{what}: expected up to {VERSIONS_LIMIT}, there are more")
        return tuple(found)

    @functools.cached_property
    def defined_versions(self) -> frozenset[str]:
        """The versions that it brings."""
        return frozenset(name for _, name in self._definitions)

    @property
    def highest_defined_version(self) -> int:
        """The highest number of a version that it brings; 0 without any."""
        return max((number for number, _ in self._definitions), default=0)

    @functools.cached_property
    def _definitions(self) -> tuple[tuple[int, str], ...]:
        """The versions that it brings, with their numbers."""
        what = "the defined versions"
        found: list[tuple[int, str]] = []
        for at, (_, _, number, count, _, aux, _) in self._chain("DT_VERDEF", "<HHHHIII", what):
            if count:
                name, _ = struct.unpack("<II", self.table(at + aux, 8, what))
                found.append((number & 0x7FFF, self.name(name)))
        return tuple(found)

    def _chain(self, tag: str, form: str, what: str) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yields the records of a table that is there, each with its address."""
        return self._linked(self.dynamic[tag], form, what) if tag in self.dynamic else iter(())

    def _linked(self, at: int, form: str, what: str) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yields records up to one whose last field, the distance to the next, is nothing."""
        size = struct.calcsize(form)
        for _ in range(VERSIONS_LIMIT):
            record = struct.unpack(form, self.table(at, size, what))
            yield at, record
            if not record[-1]:
                return
            at += record[-1]
        raise _too_much(f"{what}: expected up to {VERSIONS_LIMIT}, there are more")

    def version_of(self, symbol: int) -> Version | None:
        """Returns the version in which a symbol is required."""
        index = self.version_index(symbol) & 0x7FFF
        return self._versions_by_number.get(index) if index > 1 else None

    def version_index(self, symbol: int) -> int:
        """Returns the number of a symbol's version, with a bit for one that is hidden; 0 where it has none."""
        if "DT_VERSYM" not in self.dynamic:
            return 0
        return int.from_bytes(self.bytes_at(self.dynamic["DT_VERSYM"] + 2 * symbol, 2), "little")

    @functools.cached_property
    def _versions_by_number(self) -> dict[int, Version]:
        return {one.number: one for one in self.versions}


def _relocation(place: int, info: int, addend: int) -> Relocation:
    return Relocation(place, info & 0xFFFFFFFF, info >> 32, addend if addend < 1 << 63 else addend - (1 << 64))


def _no_name(offset: int, size: int) -> Malformed:
    return Malformed(f"a name has the offset {offset} in the string table, which has {size} bytes")


def _too_much(message: str) -> Malformed:
    return Malformed(message, ProblemKind.TOO_MUCH)


def _check_kind(data: mmap.mmap, executable_too: bool) -> None:
    """Raises Malformed unless the first bytes are of the expected kind."""
    kind = file_kind(data)
    if executable_too:
        if data[: len(ELF_MAGIC)] != ELF_MAGIC:
            raise Malformed(f"expected an ELF file, this is {kind.value}", ProblemKind.NO_LIBRARY, file=kind)
        if kind not in (FileKind.SHARED_LIBRARY, FileKind.EXECUTABLE):
            raise Malformed(f"expected an executable, this is {kind.value}", ProblemKind.NO_LIBRARY, file=kind)
    elif kind is not FileKind.SHARED_LIBRARY:
        raise _other_kind(kind)
    if len(data) < _HEADER_BYTES:
        raise _truncated("an ELF header ends", _HEADER_BYTES, len(data))


def _other_kind(kind: FileKind) -> Malformed:
    return Malformed(kind.sentence, ProblemKind.NO_LIBRARY, file=kind)


def _machine(data: mmap.mmap, machines: Collection[Machine]) -> Machine:
    """Returns the machine that a file is for.

    Raises:
        Malformed: it is none of those expected.
    """
    found = machine_of(data[:_HEADER_BYTES])
    if isinstance(found, Machine) and found in machines:
        return found
    seen = found.word if isinstance(found, Machine) else found
    wanted = " or ".join(one.word for one in machines)
    unknown = "" if isinstance(found, Machine) else "; Envoy has no release for it"
    raise Malformed(
        f"expected a library for Linux on {wanted}, this one is for {seen}{unknown}",
        ProblemKind.ARCHITECTURE,
        architecture=seen,
    )


@functools.cache
def _structs() -> ELFStructs:
    structs = ELFStructs(little_endian=True, elfclass=64)
    structs.create_basic_structs()
    structs.create_advanced_structs("ET_DYN", "EM_X86_64", "ELFOSABI_SYSV")
    return structs


def _truncated(what: str, end: int, size: int) -> Malformed:
    return Malformed(f"truncated: {what} at {end}, the file has {size} bytes", ProblemKind.TRUNCATED)
