"""The machines that Envoy is released for, and the numbers of their relocations."""

from __future__ import annotations

import enum
from typing import Final, NamedTuple


class _Numbers(NamedTuple):
    word: str
    elf: int  # in the header of an ELF file
    absolute: int  # a place that holds a symbol's address plus an addend
    glob_dat: int  # a place that holds a symbol's address
    jump_slot: int  # the same for a call: the one relocation that lazy binding puts off
    relative: int  # a place that holds an address in the library itself


class Machine(enum.Enum):
    """A kind of processor."""

    X86_64 = _Numbers("x86-64", 62, 1, 6, 7, 8)
    AARCH64 = _Numbers("aarch64", 183, 257, 1025, 1026, 1027)

    @property
    def word(self) -> str:
        """Returns its name, as in `ModuleFacts.architecture`."""
        return self.value.word


_MACHINES: Final = {one.value.elf: one for one in Machine}
# How people call others, by the number in the header.
_OTHERS: Final = {
    2: "SPARC", 3: "x86", 8: "MIPS", 20: "PowerPC", 21: "PowerPC", 22: "IBM Z", 40: "ARM", 43: "SPARC", 50: "IA-64",
    62: "x86-64", 183: "ARM", 243: "RISC-V", 247: "eBPF", 258: "LoongArch",
}  # fmt: skip
_BITS: Final = {1: "32-bit", 2: "64-bit"}
_ORDERS: Final = {1: "little-endian", 2: "big-endian"}
_SYSTEMS: Final = {1: "HP-UX", 2: "NetBSD", 6: "Solaris", 9: "FreeBSD", 12: "OpenBSD", 17: "CloudABI"}
_OF_LINUX: Final = (0, 3)


def machine_of(head: bytes) -> Machine | str:
    """Returns the machine of an ELF file by its first 20 bytes; in words where Envoy has no release for it."""
    bits, order, system = head[4], head[5], head[7]
    number = int.from_bytes(head[18:20], "big" if order == 2 else "little")
    if system not in _OF_LINUX:
        return f"{_SYSTEMS.get(system, f'system {system}')} on {_OTHERS.get(number, f'machine {number}')}"
    if (bits, order) == (2, 1) and number in _MACHINES:
        return _MACHINES[number]
    form = f"{_BITS.get(bits, f'class {bits}')}, {_ORDERS.get(order, f'byte order {order}')}"
    return f"{_OTHERS.get(number, f'machine {number}')} ({form})"
