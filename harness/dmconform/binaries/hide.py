"""Takes symbols away from a compiled module, so that one compilation is enough for modules that lack one hook each."""

from __future__ import annotations

import io
from collections.abc import Iterable

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from dmconform.core.errors import HarnessError


def without_symbols(library: bytes, names: Iterable[str]) -> bytes:
    """The library with the names of these dynamic symbols erased: the dynamic linker finds a symbol by hash and name.

    Raises:
        HarnessError: it does not define one of them, or has no dynamic symbols.
    """
    elf = ELFFile(io.BytesIO(library))
    table = elf.get_section_by_name(".dynsym")
    if not isinstance(table, SymbolTableSection):
        raise HarnessError("a generated module has no dynamic symbols; was it compiled as a shared library?")
    places = {
        symbol.name: table["sh_offset"] + index * table["sh_entsize"]
        for index, symbol in enumerate(table.iter_symbols())
        if symbol["st_shndx"] != "SHN_UNDEF"
    }
    changed = bytearray(library)
    for name in names:
        if name not in places:
            raise HarnessError(f"a generated module does not define {name}, which is to be taken away")
        changed[places[name] : places[name] + 4] = bytes(4)  # st_name: the empty string
    return bytes(changed)
