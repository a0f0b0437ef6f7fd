"""Changes built modules, so that they do what no probe does: lack a symbol, crash, hang, act at load."""

from __future__ import annotations

from pathlib import Path

import lief

CRASH = b"\x0f\x0b"  # ud2
HANG = b"\xeb\xfe"  # jmp to itself
RETURN_NULL = b"\x31\xc0\xc3"  # xor %eax, %eax; ret


def renamed_symbol(module: Path, target: Path, old: str, new: str) -> Path:
    """A copy that asks for another symbol."""
    binary = _parsed(module)
    symbol = binary.get_dynamic_symbol(old)
    assert symbol is not None, f"expected {module} to name {old}"
    symbol.name = new
    binary.write(target)
    return target


def changed_function(module: Path, target: Path, symbol: str, code: bytes) -> Path:
    """A copy in which a function that the module defines begins with other machine code."""
    binary = _parsed(module)
    found = binary.get_dynamic_symbol(symbol)
    assert found is not None and found.value, f"expected {module} to define {symbol}"
    binary.patch_address(found.value, list(code))
    binary.write(target)
    return target


def with_constructor(module: Path, target: Path, makes: Path) -> Path:
    """A copy that makes an empty file as soon as it is loaded; what it does later is anybody's guess."""
    binary = _parsed(module)
    entry = binary.get(lief.ELF.DynamicEntry.TAG.INIT)
    assert entry is not None, f"expected {module} to have DT_INIT"
    path = bytes(makes) + b"\0"
    # lea 15(%rip), %rdi (behind the code); mov $0600, %esi; mov $85 (creat), %eax; syscall; ret
    code = b"\x48\x8d\x3d\x0d\x00\x00\x00" + b"\xbe\x80\x01\x00\x00" + b"\xb8\x55\x00\x00\x00" + b"\x0f\x05" + b"\xc3"
    binary.patch_address(entry.value, list(code + path))
    binary.write(target)
    return target


def _parsed(module: Path) -> lief.ELF.Binary:
    binary = lief.ELF.parse(module)
    assert binary is not None, f"expected {module} to be an ELF file"
    return binary
