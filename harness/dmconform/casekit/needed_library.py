"""A library that no system has, and a module that needs it: to see where the dynamic linker looks for such a library."""

from __future__ import annotations

import ctypes
import shutil
from pathlib import Path
from typing import Final

from dmconform.binaries.rename_needed import rename_needed
from dmconform.envoy.outcomes import Blocked

_INSTEAD_OF: Final = "libgcc_s.so.1"
NEEDED_LIBRARY: Final = "libneeds.so.1"
"""The library: libgcc_s under another name."""


def write_needed_library(folder: Path) -> Path:
    """Writes the library into a folder.

    Raises:
        Blocked: this machine has no libgcc_s.
    """
    try:
        ctypes.CDLL(_INSTEAD_OF)
    except OSError as error:
        raise Blocked(f"needs {_INSTEAD_OF} to make a library from: {error}") from None
    lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    source = next(line.split(maxsplit=5)[5] for line in lines if line.endswith(f"/{_INSTEAD_OF}"))
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(source, folder / NEEDED_LIBRARY))


def write_module_that_needs_it(module: Path, target: Path, runpath: str | None = None) -> None:
    """Writes a copy of a module that needs the library in the place of libgcc_s.

    Raises:
        Blocked: the module is not of the kind that can be changed.
    """
    if not rename_needed(module, target, _INSTEAD_OF, NEEDED_LIBRARY, runpath):
        raise Blocked(f"expected {module.name} to need {_INSTEAD_OF}, it does not")
