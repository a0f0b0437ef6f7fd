"""Which argument registers the machine code of an exported function reads, and which those are that its signature passes.

For x86-64. A function reads no register that its signature does not fill: it would read what nobody passed. The other way
round, a parameter that is not read says nothing. Only the first block of each function is looked at, up to the first jump,
call or return: until there, no other code has run.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
from dmconform.abi.layout import Layouts
from dmconform.abi.spelling import parse_type
from dmconform.abi.types import Abi, Alias, Function, FunctionKind, Struct
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

_LOOKED_AT: Final = 480  # bytes of a function
_SLOT: Final = 512  # what it has in the disassembled file: an instruction that is cut off must not reach into the next one
_DISASSEMBLE_S: Final = 60.0
_NOP: Final = b"\x90"
_IN_REGISTERS: Final = 6
_LARGEST_IN_REGISTERS: Final = 16  # bytes of a struct; a larger one is passed in memory
_NAMES: Final = (
    ("rdi", "edi", "di", "dil"),
    ("rsi", "esi", "si", "sil"),
    ("rdx", "edx", "dx", "dl"),
    ("rcx", "ecx", "cx", "cl"),
    ("r8", "r8d", "r8w", "r8b"),
    ("r9", "r9d", "r9w", "r9b"),
)
_NUMBERS: Final = {name: number for number, names in enumerate(_NAMES) for name in names}
_LINE = re.compile(r"^ *([0-9a-f]+):\t(\S+) *(.*)$", re.MULTILINE)
_WORD = re.compile(r"[a-z0-9]+")
_ONLY_WRITES: Final = ("mov", "lea", "pop", "set", "cvt")
_ENDS: Final = ("j", "call", "ret", "ud2", "int3")


def passed(abi: Abi, function: Function) -> int:
    """How many of the six registers for whole numbers and pointers the signature of a function fills."""
    layouts, types = Layouts(abi), {one.name: one for one in abi.types}
    returns = _registers(function.returns or "void", layouts, types)
    used = 1 if returns is None else 0  # the address for a result that is too large
    for param in function.params or ():
        needed = _registers(param.type, layouts, types)
        if needed is not None and used + needed <= _IN_REGISTERS:
            used += needed
    return used


def _registers(text: str, layouts: Layouts, types: Mapping[str, object]) -> int | None:
    """How many registers a value takes; None where it is passed in memory."""
    parsed = parse_type(text)
    if not parsed.is_pointer:
        if parsed.base in ("void", "float", "double"):
            return 0
        known = types.get(parsed.base)
        if isinstance(known, Alias):
            return _registers(known.type, layouts, types)
        if isinstance(known, Struct):
            size = layouts.size(text)
            return -(-size // 8) if size <= _LARGEST_IN_REGISTERS else None
    return 1


def registers_read(binary: Path, abi: Abi, folder: Path) -> dict[str, frozenset[int]]:
    """The registers that the first block of each callback reads before it writes them, by the callback's name.

    Args:
        binary: an Envoy.
        abi: names the callbacks.
        folder: for what is disassembled.
    """
    if shutil.which("objdump") is None:
        pytest.fail("this test needs the program `objdump`: `python -m tests.ensure_packages hosts` installs it with gcc")
    code = _first_bytes(binary, abi.names(FunctionKind.CALLBACK))
    joined = folder / "code"
    joined.write_bytes(b"".join(each + _NOP * (_SLOT - len(each)) for each in code.values()))
    words = ["objdump", "-D", "-b", "binary", "-m", "i386:x86-64", "-M", "intel", "--no-show-raw-insn", str(joined)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=_DISASSEMBLE_S, check=True)
    lines: dict[int, list[tuple[int, str, str]]] = {}
    for found in _LINE.finditer(done.stdout):
        slot, at = divmod(int(found[1], 16), _SLOT)
        lines.setdefault(slot, []).append((at, found[2], found[3]))
    sizes = {name: len(each) for name, each in code.items()}
    return {name: _read(lines[slot], sizes[name]) for slot, name in enumerate(code)}


def _first_bytes(binary: Path, names: frozenset[str]) -> dict[str, bytes]:
    with binary.open("rb") as file:
        elf = ELFFile(file)
        table = elf.get_section_by_name(".dynsym")
        assert isinstance(table, SymbolTableSection)
        places = {one.name: (one["st_value"], one["st_size"]) for one in table.iter_symbols() if one.name in names}
        segments = [one for one in elf.iter_segments() if one["p_type"] == "PT_LOAD"]
        found = {}
        for name, (address, size) in sorted(places.items()):
            (segment,) = [one for one in segments if 0 <= address - one["p_vaddr"] < one["p_filesz"]]
            file.seek(segment["p_offset"] + address - segment["p_vaddr"])
            found[name] = file.read(min(size, _LOOKED_AT))
    return found


def _read(lines: list[tuple[int, str, str]], size: int) -> frozenset[int]:
    read: set[int] = set()
    written: set[int] = set()
    for at, operation, rest in lines:
        if at >= size or operation.startswith(_ENDS):
            break
        operands = [one.strip() for one in re.split(r"[#<]", rest)[0].split(",")]
        if operation in ("xor", "sub") and len(operands) == 2 and operands[0] == operands[1]:  # sets it to zero
            written |= {_NUMBERS[operands[0]]} if operands[0] in _NUMBERS else set()
            continue
        read |= set(_sources(operation, operands)) - written
        if operands[0] in _NUMBERS and operation not in ("cmp", "test", "push"):
            written.add(_NUMBERS[operands[0]])
    return frozenset(read)


def _sources(operation: str, operands: list[str]) -> Iterator[int]:
    for place, one in enumerate(operands):
        if "[" in one:
            yield from (_NUMBERS[word] for word in _WORD.findall(one.partition("[")[2]) if word in _NUMBERS)
        elif one in _NUMBERS and (place or not operation.startswith(_ONLY_WRITES)):
            yield _NUMBERS[one]
