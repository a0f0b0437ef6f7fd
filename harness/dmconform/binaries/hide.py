"""Takes symbols away from a compiled module, so that one compilation is enough for modules that lack one hook each."""

from __future__ import annotations

from collections.abc import Collection

from dmconform.core.errors import HarnessError


def without_symbols(library: bytes, names: Collection[str]) -> bytes:
    """Returns the library without these dynamic symbols; without any names it is the library itself.

    Raises:
        HarnessError: it does not define one of them, or is not an ELF file.
    """
    import lief  # slow

    binary = lief.ELF.parse(library)
    if binary is None:
        raise HarnessError("a generated module is not an ELF file; was it compiled as a shared library?")
    for name in names:
        symbol = binary.get_dynamic_symbol(name)
        if symbol is None or not symbol.exported:
            raise HarnessError(f"a generated module does not define {name}, which is to be taken away")
        binary.remove_dynamic_symbol(symbol)
    return binary.write_to_bytes() if names else library
