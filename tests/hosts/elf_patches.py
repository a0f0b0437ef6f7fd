"""Changes built modules byte by byte, so that they do what no probe does: lack a symbol, crash, hang, act at load."""

from __future__ import annotations

from pathlib import Path

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

CRASH = b"\x0f\x0b"  # ud2
HANG = b"\xeb\xfe"  # jmp to itself
RETURN_NULL = b"\x31\xc0\xc3"  # xor %eax, %eax; ret


def renamed_symbol(module: Path, target: Path, old: str, new: str) -> Path:
    """A copy that asks for another symbol; both names have one length."""
    data = module.read_bytes()
    assert len(old) == len(new)
    assert old.encode() + b"\0" in data, f"expected {module} to name {old}"
    target.write_bytes(data.replace(old.encode() + b"\0", new.encode() + b"\0"))
    return target


def changed_function(module: Path, target: Path, symbol: str, code: bytes) -> Path:
    """A copy in which a function that the module defines begins with other machine code."""
    with module.open("rb") as file:
        elf = ELFFile(file)
        table = elf.get_section_by_name(".dynsym")
        assert isinstance(table, SymbolTableSection)
        found = table.get_symbol_by_name(symbol)
        assert found, f"expected {module} to define {symbol}"
        address = found[0]["st_value"]
    return _written(module, target, address, code)


def with_constructor(module: Path, target: Path, makes: Path) -> Path:
    """A copy that makes an empty file as soon as it is loaded; what it does later is anybody's guess."""
    with module.open("rb") as file:
        dynamic = next(one for one in ELFFile(file).iter_segments() if isinstance(one, DynamicSegment))
        address = next(tag["d_val"] for tag in dynamic.iter_tags("DT_INIT"))
    path = bytes(makes) + b"\0"
    # lea 15(%rip), %rdi (behind the code); mov $0600, %esi; mov $85 (creat), %eax; syscall; ret
    code = b"\x48\x8d\x3d\x0d\x00\x00\x00" + b"\xbe\x80\x01\x00\x00" + b"\xb8\x55\x00\x00\x00" + b"\x0f\x05" + b"\xc3"
    return _written(module, target, address, code + path)


def _written(module: Path, target: Path, address: int, code: bytes) -> Path:
    data = bytearray(module.read_bytes())
    with module.open("rb") as file:
        offset = next(iter(ELFFile(file).address_offsets(address)))
    data[offset : offset + len(code)] = code
    target.write_bytes(data)
    return target
