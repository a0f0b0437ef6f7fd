"""What the libraries bring that every Envoy has loaded: those of glibc."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ctypes

# What Envoy's binaries need; all names in these that a module may want have a version, but a module can ask without one.
HOST_LIBRARIES: Final = ("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-linux-x86-64.so.2")
# What a compiler adds. They are on every machine that runs modules of their language.
COMPILER_LIBRARIES: Final = ("libgcc_s.so.1", "libstdc++.so.6")


# glibc's part that has another name on another machine.
_LINKER: Final = "ld-linux-aarch64.so.1"
# The C library of musl, under its own name or that of distributions that are made of it. Android's has musl's name.
_OTHER_LIBC: Final = re.compile(r"libc\.so|libc\.musl-.+|ld-musl-.+")

_GLIBC_VERSION: Final = re.compile(r"GLIBC_(?P<numbers>\d{1,3}(\.\d{1,3})+)")


def is_system_library(name: str) -> bool:
    """Returns whether a needed library is glibc's or a compiler's own."""
    return name in HOST_LIBRARIES or name in COMPILER_LIBRARIES or name == _LINKER


def is_other_libc(name: str) -> bool:
    """Returns whether a needed library is a C library that no official Envoy has loaded, such as musl's."""
    return _OTHER_LIBC.fullmatch(name) is not None


def system_brings(name: str, needed: Collection[str]) -> bool:
    """Returns whether glibc, or a compiler's library that the module needs, has a symbol, as they are on this machine."""
    return any(_has(library, name) for library in HOST_LIBRARIES) or any(
        _has(library, name) for library in COMPILER_LIBRARIES if library in needed
    )


def glibc_lacks(library: str, name: str, version: str | None) -> bool:
    """Returns whether no glibc has a symbol of a version: this machine's has the version, and not the symbol.

    A version that is newer than this machine's glibc is not judged, and neither is another library.
    """
    wanted = _GLIBC_VERSION.fullmatch(version or "")
    here = _glibc_here()
    if library not in HOST_LIBRARIES or wanted is None or here is None or tuple(map(int, wanted["numbers"].split("."))) > here:
        return False
    return not any(_has_version(one, name, wanted[0]) for one in HOST_LIBRARIES)


@functools.cache
def _glibc_here() -> tuple[int, ...] | None:
    try:
        found = re.fullmatch(r"glibc (?P<numbers>\d+(\.\d+)+)", os.confstr("CS_GNU_LIBC_VERSION") or "")
    except (ValueError, OSError):
        return None
    return tuple(map(int, found["numbers"].split("."))) if found else None


@functools.lru_cache(maxsize=1 << 17)
def _has_version(library: str, name: str, version: str) -> bool:
    import ctypes  # seldom needed

    loaded = _load(library)
    if loaded is None:
        return False
    find = ctypes.CDLL(None).dlvsym
    find.restype, find.argtypes = ctypes.c_void_p, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p)
    return bool(find(loaded._handle, name.encode(errors="surrogateescape"), version.encode()))


@functools.lru_cache(maxsize=1 << 19)  # the same names are asked for with every host
def _has(library: str, name: str) -> bool:
    loaded = _load(library)
    if loaded is None:
        return False
    try:
        loaded[name]
    except (AttributeError, ValueError):
        return False
    return True


@functools.cache
def _load(library: str) -> ctypes.CDLL | None:
    import ctypes  # seldom needed

    try:
        return ctypes.CDLL(library)
    except OSError:
        return None
