"""A library that no system has, and a module that needs it: to see where the dynamic linker looks for such a library.

The module is a copy of one that needs libgcc_s and says its own name (DT_SONAME): both are overwritten in place.
"""

from __future__ import annotations

import ctypes
import shutil
import struct
from pathlib import Path
from typing import Final

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

from dmconform.envoy.outcomes import Blocked

_INSTEAD_OF: Final = "libgcc_s.so.1"
NEEDED_LIBRARY: Final = "libneeds.so.1"
"""The library: libgcc_s under another name, of the same length."""
_RUNPATH_TAG: Final = 29
_ENTRY_BYTES: Final = 16
_TAG = struct.Struct("<q")


def write_needed_library(folder: Path) -> Path:
    """Writes the library into a folder.

    Raises:
        Blocked: this machine has no libgcc_s.
    """
    try:
        ctypes.CDLL(_INSTEAD_OF)
    except OSError as error:
        raise Blocked(f"needs {_INSTEAD_OF} to make a library from: {error}") from None
    lines = Path("/proc/self/maps").read_text().splitlines()
    source = next(line.split(maxsplit=5)[5] for line in lines if line.endswith(f"/{_INSTEAD_OF}"))
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(source, folder / NEEDED_LIBRARY))


def write_module_that_needs_it(module: Path, target: Path, runpath: str | None = None) -> None:
    """Writes a copy of a module that needs the library; `runpath` is at most as long as the module's own name.

    Raises:
        Blocked: the module is not of the kind that can be changed.
    """
    data = bytearray(module.read_bytes())
    with module.open("rb") as file:
        elf = ELFFile(file)
        dynamic = next(one for one in elf.iter_segments() if isinstance(one, DynamicSegment))
        entries = dynamic["p_offset"]
        tags = [(tag["d_tag"], tag["d_val"]) for tag in dynamic.iter_tags()]
        strings = next(iter(elf.address_offsets(dict(tags)["DT_STRTAB"])))

    def text(offset: int) -> str:
        return bytes(data[strings + offset :]).partition(b"\0")[0].decode()

    needed = [offset for tag, offset in tags if tag == "DT_NEEDED" and text(offset) == _INSTEAD_OF]
    own = [(index, offset) for index, (tag, offset) in enumerate(tags) if tag == "DT_SONAME"]
    if not needed or not own or len(text(own[0][1])) < len(runpath or ""):
        raise Blocked(f"expected {module.name} to need {_INSTEAD_OF} and to have a name of its own, it does not")

    def put(offset: int, new: str) -> None:
        data[strings + offset : strings + offset + len(new) + 1] = new.encode() + b"\0"

    put(needed[0], NEEDED_LIBRARY)
    if runpath is not None:
        index, offset = own[0]
        put(offset, runpath)
        _TAG.pack_into(data, entries + index * _ENTRY_BYTES, _RUNPATH_TAG)
    target.write_bytes(data)
