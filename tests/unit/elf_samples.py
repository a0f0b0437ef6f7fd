"""Writes small shared libraries for x86-64 and aarch64, as a linker would, so that tests know every byte of them.

By hand, as the tests of the reader need files that a linker, or a library that edits such files, would never write.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

INIT = "envoy_dynamic_module_on_program_init"
X86_64, AARCH64 = 62, 183
# Relocations: GLOB_DAT, JUMP_SLOT, RELATIVE.
TYPES = {X86_64: (6, 7, 8), AARCH64: (1025, 1026, 1027)}
PAGE = 0x1000
CODE_AT, DATA_AT = 3 * PAGE, 4 * PAGE
# Tags of the dynamic section.
NEEDED, HASH, STRTAB, SYMTAB, RELA, RELASZ, RELAENT, STRSZ, SYMENT = 1, 4, 5, 6, 7, 8, 9, 10, 11
SONAME, RUNPATH, PLTGOT, PLTREL, JMPREL, PLTRELSZ, FLAGS = 14, 29, 3, 20, 23, 2, 30
GNU_HASH, FLAGS_1, VERSYM, VERNEED, VERNEEDNUM = 0x6FFFFEF5, 0x6FFFFFFB, 0x6FFFFFF0, 0x6FFFFFFE, 0x6FFFFFFF
VERDEF, VERDEFNUM = 0x6FFFFFFC, 0x6FFFFFFD

RETURN_ADDRESS = "lea"  # `program_init` is: lea STRING(%rip), %rax; ret
RETURN_LOADED = "mov"  # it loads a pointer that the dynamic linker fills in: mov POINTER(%rip), %rax; ret
CALL_OTHER = "call"  # it calls a function that is RETURN_ADDRESS
RETURN_NULL = "null"  # xor %eax, %eax; ret
CHOOSE = "choose"  # a branch before RETURN_ADDRESS, so that it does more than return


@dataclass(frozen=True)
class Wanted:
    """An undefined symbol. `called`: only calls need it, so that lazy binding puts it off."""

    name: str
    weak: bool = False
    called: bool = True
    version: str | None = None
    library: str = "libc.so.6"


@dataclass(frozen=True)
class Sample:
    """What is in the library. `abi` is in its constants; `init` says how `program_init` comes to it."""

    defined: tuple[str, ...] = (INIT,)
    wanted: tuple[Wanted, ...] = ()
    needed: tuple[str, ...] = ("libc.so.6",)
    runpath: str | None = None
    soname: str | None = None
    bind_now: bool = False
    nodelete: bool = False
    pie: bool = False
    abi: str = "v0.1.0"
    init: str = RETURN_ADDRESS
    gnu_hash: bool = True
    constants: bytes = b""
    data: bytes = b""
    machine: int = X86_64
    versions: tuple[str, ...] = ()  # that it defines


def write(sample: Sample) -> bytes:
    """The bytes of the library. Code and data are at `CODE_AT` and `DATA_AT`, unless the tables before them are too large."""
    try:
        return b"".join(_Writer(sample, CODE_AT).parts())
    except _DoNotFit as tables:
        return b"".join(_Writer(sample, -(-tables.end // PAGE) * PAGE).parts())


class _DoNotFit(ValueError):
    """The tables go on behind the place of the code."""

    def __init__(self, end: int) -> None:
        super().__init__("the tables do not fit")
        self.end = end


class _Strings:
    def __init__(self) -> None:
        self.data = bytearray(b"\0")
        self.places: dict[str, int] = {}

    def add(self, text: str) -> int:
        if text not in self.places:
            self.places[text] = len(self.data)
            self.data += text.encode() + b"\0"
        return self.places[text]


def _gnu_hash(name: str) -> int:
    value = 5381
    for byte in name.encode():
        value = (value * 33 + byte) & 0xFFFFFFFF
    return value


def _sysv_hash(name: str) -> int:
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high & 0xFFFFFFFF
    return value


class _Writer:
    """Three parts, each mapped where it is in the file: constants and tables, code, data."""

    def __init__(self, sample: Sample, code_at: int) -> None:
        self.sample = sample
        self.code_at = code_at
        self.strings = _Strings()
        self.glob_dat, self.jump_slot, self.relative = TYPES[sample.machine]

    def parts(self) -> Iterator[bytes]:
        sample = self.sample
        code_at = self.code_at
        data_at = code_at + -(-(96 + 16 * len(sample.defined)) // PAGE) * PAGE
        pointers = {one.name: data_at + 0x800 + 8 * number for number, one in enumerate(sample.wanted)}
        string_pointer = data_at + 0x7F0
        strings_of_dynamic = [(NEEDED, self.strings.add(name)) for name in sample.needed]
        strings_of_dynamic += [
            (tag, self.strings.add(text)) for tag, text in ((SONAME, sample.soname), (RUNPATH, sample.runpath)) if text
        ]
        symbols = self._symbols(code_at)
        versions, needs, need_count = self._versions()
        defined_versions = self._defined_versions()
        for one in sample.wanted:
            self.strings.add(one.name)
        at = 64 + 4 * 56
        tables: list[bytes] = []
        places: dict[str, int] = {}
        constants = sample.abi.encode() + b"\0" + sample.constants
        relative = struct.pack("<QQq", string_pointer, self.relative, 0)
        for name, table in (
            ("symbols", symbols),
            ("strings", bytes(self.strings.data)),
            ("hash", self._hash()),
            ("versions", versions),
            ("needs", needs),
            ("defined versions", defined_versions),
            ("relocations", relative + self._relocations(pointers, called=False)),
            ("calls", self._relocations(pointers, called=True)),
            ("constants", constants),
        ):
            padding = -at % 8
            places[name] = at + padding
            tables.append(b"\0" * padding + table)
            at += padding + len(table)
        # Now it is known where the string is.
        fixed = struct.pack("<QQq", string_pointer, self.relative, places["constants"])
        tables[6] = tables[6].replace(relative, fixed)
        if at > code_at:
            raise _DoNotFit(at)
        dynamic = [
            *strings_of_dynamic,
            (GNU_HASH if sample.gnu_hash else HASH, places["hash"]),
            (STRTAB, places["strings"]),
            (STRSZ, len(self.strings.data)),
            (SYMTAB, places["symbols"]),
            (SYMENT, 24),
            (RELA, places["relocations"]),
            (RELASZ, places["calls"] - places["relocations"]),
            (RELAENT, 24),
        ]
        calls = sum(one.called for one in sample.wanted)
        if calls:
            dynamic += [(JMPREL, places["calls"]), (PLTRELSZ, 24 * calls), (PLTREL, RELA), (PLTGOT, data_at + 0x7C0)]
        if need_count:
            dynamic += [(VERSYM, places["versions"]), (VERNEED, places["needs"]), (VERNEEDNUM, need_count)]
        if sample.versions:
            dynamic += [(VERDEF, places["defined versions"]), (VERDEFNUM, len(sample.versions))]
        if sample.bind_now:
            dynamic += [(FLAGS, 8)]
        flags_1 = 1 * sample.bind_now | 8 * sample.nodelete | 0x08000000 * sample.pie
        dynamic += [(FLAGS_1, flags_1), (0, 0)]
        dynamic_bytes = b"".join(struct.pack("<QQ", tag, value) for tag, value in dynamic)
        code = self._code(code_at, places["constants"], string_pointer)
        data = dynamic_bytes.ljust(0x800, b"\0") + b"\0" * 8 * len(pointers) + sample.data
        headers = [
            (1, 4, 0, at),  # PT_LOAD, readable
            (1, 5, code_at, len(code)),
            (1, 6, data_at, len(data)),
            (2, 6, data_at, len(dynamic_bytes)),  # PT_DYNAMIC
        ]
        yield struct.pack(
            "<4sBBBBQHHIQQQIHHHHHH",
            b"\x7fELF",
            2,
            1,
            1,
            0,
            0,
            3,
            sample.machine,
            1,
            0,
            64,
            0,
            0,
            64,
            56,
            len(headers),
            64,
            0,
            0,
        )
        for kind, flags, place, size in headers:
            yield struct.pack("<IIQQQQQQ", kind, flags, place, place, place, size, size, PAGE if kind == 1 else 8)
        yield from tables
        yield b"\0" * (code_at - at)
        yield code.ljust(data_at - code_at, b"\0")
        yield data

    def _symbols(self, code_at: int) -> bytes:
        """The null symbol, what is wanted, what is defined."""
        table = bytearray(24)
        for one in self.sample.wanted:
            table += struct.pack("<IBBHQQ", self.strings.add(one.name), (2 if one.weak else 1) << 4, 0, 0, 0, 0)
        for number, name in enumerate(self.sample.defined):
            place = code_at if name == INIT else code_at + 64 + 16 * number
            table += struct.pack("<IBBHQQ", self.strings.add(name), 1 << 4 | 2, 0, 7, place, 16)
        return bytes(table)

    def _hash(self) -> bytes:
        first, names = 1 + len(self.sample.wanted), self.sample.defined
        if not self.sample.gnu_hash:
            # One bucket: the defined symbols one after the other.
            chain = [0] * (first + len(names))
            for index in range(first, first + len(names) - 1):
                chain[index] = index + 1
            return struct.pack(f"<III{len(chain)}I", 1, len(chain), first if names else 0, *chain)
        values = [_gnu_hash(name) & ~1 for name in names]
        if values:
            values[-1] |= 1
        head = struct.pack("<IIIIQI", 1, first, 1, 0, (1 << 64) - 1, first if names else 0)
        return head + struct.pack(f"<{len(values)}I", *values)

    def _relocations(self, pointers: dict[str, int], *, called: bool) -> bytes:
        kind = self.jump_slot if called else self.glob_dat
        return b"".join(
            struct.pack("<QQq", pointers[one.name], number << 32 | kind, 0)
            for number, one in enumerate(self.sample.wanted, 1)
            if one.called is called
        )

    def _versions(self) -> tuple[bytes, bytes, int]:
        """Which version each symbol has, the versions by library, and of how many libraries."""
        numbers: dict[tuple[str, str], int] = {}
        for one in self.sample.wanted:
            if one.version:
                numbers.setdefault((one.library, one.version), len(numbers) + 2 + len(self.sample.versions))
        of_symbols = [0, *(numbers.get((one.library, one.version or ""), 1) for one in self.sample.wanted)]
        of_symbols += [1] * len(self.sample.defined)
        libraries = list(dict.fromkeys(library for library, _ in numbers))
        needs = b""
        for place, library in enumerate(libraries):
            own = [(version, number) for (file, version), number in numbers.items() if file == library]
            after = 0 if place == len(libraries) - 1 else 16 + 16 * len(own)
            needs += struct.pack("<HHIII", 1, len(own), self.strings.add(library), 16, after)
            for number, (version, index) in enumerate(own):
                following = 0 if number == len(own) - 1 else 16
                needs += struct.pack("<IHHII", _sysv_hash(version), 0, index, self.strings.add(version), following)
        return struct.pack(f"<{len(of_symbols)}H", *of_symbols), needs, len(libraries)

    def _defined_versions(self) -> bytes:
        """Each with one name, as a linker writes them but for what they inherit."""
        table = b""
        for number, version in enumerate(self.sample.versions, 1):
            after = 0 if number == len(self.sample.versions) else 28
            table += struct.pack("<HHHHIII", 1, number == 1, number, 1, _sysv_hash(version), 20, after)
            table += struct.pack("<II", self.strings.add(version), 0)
        return table

    def _code(self, at: int, string: int, pointer: int) -> bytes:
        filling = b"\xc3" * (64 + 16 * len(self.sample.defined))
        if self.sample.machine == AARCH64:
            return self._arm_code(at, string, pointer) + filling
        return self._x86_code(at, string, pointer) + filling

    def _arm_code(self, at: int, string: int, pointer: int) -> bytes:
        def page(place: int, target: int) -> int:
            pages = (target >> 12) - (place >> 12)
            return 0x90000000 | (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5  # adrp x0

        def address(place: int) -> tuple[int, ...]:
            return page(place, string), 0x91000000 | (string & 0xFFF) << 10, 0xD65F03C0  # add x0, x0; ret

        words: tuple[int, ...]
        match self.sample.init:
            case "lea":
                words = address(at)
            case "mov":
                words = (page(at, pointer), 0xF9400000 | (pointer & 0xFFF) // 8 << 10, 0xD65F03C0)  # ldr x0, [x0]; ret
            case "call":
                words = (0x14000004,)  # b, over four instructions
            case "choose":
                words = (0xB4000060, *address(at + 4))  # cbz x0
            case _:
                words = (0xD2800000, 0xD65F03C0)  # mov x0, #0; ret
        words = (*words, *[0xD503201F] * (4 - len(words)), *address(at + 16), 0xD503201F)
        return struct.pack(f"<{len(words)}I", *words)

    def _x86_code(self, at: int, string: int, pointer: int) -> bytes:
        def relative(opcode: bytes, place: int, target: int) -> bytes:
            return opcode + struct.pack("<i", target - place - len(opcode) - 4)

        lea, mov, call, ret = b"\x48\x8d\x05", b"\x48\x8b\x05", b"\xe8", b"\xc3"
        match self.sample.init:
            case "lea":
                code = relative(lea, at, string) + ret
            case "mov":
                code = relative(mov, at, pointer) + ret
            case "call":
                code = relative(call, at, at + 16) + ret
            case "choose":
                code = b"\x74\x08" + relative(lea, at + 2, string) + ret  # je
            case _:
                code = b"\x31\xc0" + ret
        other = relative(lea, at + 16, string) + ret
        return code.ljust(16, b"\xcc") + other.ljust(16, b"\xcc")


def header(data: bytes, **fields: int) -> bytes:
    """An ELF file with other values in its header, by the names that `places` has."""
    places = {
        "elf_class": (4, "B"),
        "order": (5, "B"),
        "version": (6, "B"),
        "system": (7, "B"),
        "kind": (16, "<H"),
        "machine": (18, "<H"),
    }
    places |= {"segment_table": (32, "<Q"), "segment_size": (54, "<H"), "segments": (56, "<H")}
    changed = bytearray(data)
    for name, value in fields.items():
        offset, form = places[name]
        struct.pack_into(form, changed, offset, value)
    return bytes(changed)


def dynamic(data: bytes, changes: Sequence[tuple[int, int]]) -> bytes:
    """A written sample with other values in its dynamic section, by tag."""
    changed = bytearray(data)
    wanted = dict(changes)
    for at in range(DATA_AT, DATA_AT + 0x800, 16):
        tag, _ = struct.unpack_from("<QQ", changed, at)
        if tag == 0:
            break
        if tag in wanted:
            struct.pack_into("<Q", changed, at + 8, wanted.pop(tag))
    if wanted:
        raise ValueError(f"no entries with the tags {sorted(wanted)}")
    return bytes(changed)


def value_of(data: bytes, tag: int) -> int:
    """The value of an entry of a written sample's dynamic section."""
    for at in range(DATA_AT, DATA_AT + 0x800, 16):
        found, value = struct.unpack_from("<QQ", data, at)
        if found == tag:
            return int(value)
    raise ValueError(f"no entry with the tag {tag}")
