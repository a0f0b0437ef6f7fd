"""Takes symbols away from a compiled module, so that one compilation is enough for modules that lack one hook each."""

from __future__ import annotations

import mmap
from collections.abc import Collection

from dmconform.binaries.elf import Library, Malformed
from dmconform.core.errors import HarnessError


def without_symbols(library: bytes, names: Collection[str]) -> bytes:
    """Returns the library without these dynamic symbols; without any names it is the library itself.

    Their entries in the symbol table become empty ones. A look-up comes to them by the hash of the name, and passes them over.

    Raises:
        HarnessError: it does not define one of them, or is not an ELF file.
    """
    if not names:
        return library
    wanted = {name.encode() for name in names}
    data = mmap.mmap(-1, max(len(library), 1))
    data[: len(library)] = library
    try:
        places = _places(Library(data), wanted)
    except Malformed as problem:
        raise HarnessError(f"a generated module is not a shared library: {problem}") from None
    for name in sorted(wanted - places.keys()):
        raise HarnessError(f"a generated module does not define {name.decode()}, which is to be taken away")
    for place in places.values():
        data[place] = bytes(place.stop - place.start)
    return data[:]


def _places(library: Library, wanted: set[bytes]) -> dict[bytes, slice]:
    """Returns where in the file the symbols are that a library defines, of those that are wanted."""
    found: dict[bytes, slice] = {}
    for index, symbol in enumerate(library.symbols(), start=1):
        if symbol.defined and symbol.found and (name := library.raw_name(symbol.name_offset)) in wanted:
            found[name] = library.place_of_symbol(index)
    return found
