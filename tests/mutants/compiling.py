"""The interposer is compiled: all C files of its folder, and what generators add to them."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Final

from dmconform.core.process import run_ok

from tests.mutants import generators

SOURCES: Final = Path(__file__).parent / "interposer"
_GCC_S: Final = 120.0
_COMPILE: Final = ("gcc", "-std=gnu11", "-O2", "-fPIC", "-shared", "-fvisibility=default", "-Wall", "-Wextra", "-Werror")


def compiled(folder: Path, sources: Path = SOURCES) -> Path:
    """Compiles the interposer and returns the library.

    Args:
        folder: an empty one, for what is made.
        sources: with the C files.

    Raises:
        HarnessError: it cannot be compiled.
    """
    generated = folder / "generated"
    generated.mkdir()
    for one in pkgutil.iter_modules(generators.__path__):
        importlib.import_module(f"{generators.__name__}.{one.name}").write(generated)
    library = folder / "libmutant.so"
    files = sorted([*sources.glob("*.c"), *generated.glob("*.c")])
    words = [*_COMPILE, f"-I{sources}", f"-I{generated}", *map(str, files), "-o", str(library)]
    run_ok(words, _GCC_S, "compile the interposer")
    return library
