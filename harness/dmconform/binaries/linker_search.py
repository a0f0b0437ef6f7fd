"""Where the dynamic linker of this machine finds a library: the folders it looks into, in its order, and its cache.

Only names and the first bytes of files are looked at; nothing is loaded.
"""

from __future__ import annotations

import enum
import functools
import os
import stat
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmconform.binaries.kinds import ELF_MAGIC
from dmconform.binaries.machine import Machine, machine_of

LIBRARY_PATH: Final = "LD_LIBRARY_PATH"
CACHE: Final = Path("/etc/ld.so.cache")
CACHE_LIMIT_BYTES: Final = 64 << 20
_CACHE_MAGIC: Final = b"glibc-ld.so.cache1.1"
_CACHE_HEAD_BYTES: Final = 48
_CACHE_ENTRY: Final = struct.Struct("<iIIIQ")  # flags, name, path, release of the system, processor
_CACHE_FLAGS: Final = {Machine.X86_64: 0x0303, Machine.AARCH64: 0x0A03}
_FOLDER_OF_MACHINE: Final = {Machine.X86_64: "x86_64-linux-gnu", Machine.AARCH64: "aarch64-linux-gnu"}
_PLATFORM: Final = {Machine.X86_64: "x86_64", Machine.AARCH64: "aarch64"}
_HEAD_BYTES: Final = 20


class Fit(enum.Enum):
    """What the dynamic linker does with a file that has a library's name."""

    TAKEN = "taken"
    PASSED_OVER = "passed over"  # for another machine, or not to be opened
    NO_ELF = "refused"  # it is no ELF file: the search ends there


@dataclass(frozen=True)
class FoundLibrary:
    """A file that has the name of a needed library; `usable`: the dynamic linker takes it."""

    path: Path
    usable: bool


@dataclass(frozen=True)
class LinkerSearch:
    """The places where the dynamic linker looks, in order; `cached` are files by name."""

    machine: Machine
    folders: tuple[Path, ...]
    cached: Mapping[str, tuple[Path, ...]]
    system: tuple[Path, ...]

    @classmethod
    def of(
        cls, machine: Machine, module: Path, search_paths: Iterable[str], environment: Mapping[str, str], cache: Path = CACHE
    ) -> LinkerSearch:
        """Returns the search for libraries that a module needs.

        Args:
            machine: this machine.
            module: the module's file, whose folder `$ORIGIN` is.
            search_paths: its RUNPATH or RPATH, as written.
            environment: of the host; LD_LIBRARY_PATH counts.
            cache: the file that `ldconfig` writes.
        """
        home = str(module.resolve().parent)
        written = [part for path in search_paths for part in path.split(":")]
        given = environment.get(LIBRARY_PATH, "").replace(";", ":").split(":")
        expanded = [_expanded(part, home, machine) for part in (*given, *written)]
        # What is relative depends on the folder that a host is started in, where no library is.
        folders = tuple(dict.fromkeys(Path(part) for part in expanded if part.startswith("/")))
        triplet = _FOLDER_OF_MACHINE[machine]
        system = (f"/lib/{triplet}", f"/usr/lib/{triplet}", "/lib64", "/usr/lib64", "/lib", "/usr/lib")
        return cls(machine, folders, _cached(cache, machine), tuple(map(Path, system)))

    def find(self, name: str) -> FoundLibrary | None:
        """Returns the file that the dynamic linker comes to for a name; None where there is none."""
        for path in self._candidates(name):
            match fit(path, self.machine):
                case Fit.TAKEN:
                    return FoundLibrary(path, usable=True)
                case Fit.NO_ELF:
                    return FoundLibrary(path, usable=False)
                case Fit.PASSED_OVER:
                    continue
        return None

    def _candidates(self, name: str) -> Iterator[Path]:
        if "/" in name:
            yield Path(name)
            return
        yield from (folder / name for folder in self.folders)
        yield from self.cached.get(name, ())
        yield from (folder / name for folder in self.system)


def fit(path: Path, machine: Machine) -> Fit:
    """Returns what the dynamic linker does with a file; opens nothing that could block."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError):
        return Fit.PASSED_OVER
    try:
        head = os.read(file, _HEAD_BYTES) if stat.S_ISREG(os.fstat(file).st_mode) else b""
    except OSError:
        return Fit.PASSED_OVER
    finally:
        os.close(file)
    if not head.startswith(ELF_MAGIC) or len(head) < _HEAD_BYTES:
        return Fit.NO_ELF
    return Fit.TAKEN if machine_of(head) is machine else Fit.PASSED_OVER


def _expanded(part: str, home: str, machine: Machine) -> str:
    """Returns a search path with the dynamic linker's own variables replaced."""
    values = {"ORIGIN": home, "LIB": f"lib/{_FOLDER_OF_MACHINE[machine]}", "PLATFORM": _PLATFORM[machine]}
    for name, value in values.items():
        part = part.replace(f"${{{name}}}", value).replace(f"${name}", value)
    return part


@functools.cache
def _cached(cache: Path, machine: Machine) -> Mapping[str, tuple[Path, ...]]:
    """Returns the files that the cache of the dynamic linker names for a machine; none where its form is not known."""
    try:
        with cache.open("rb") as file:
            data = file.read(CACHE_LIMIT_BYTES)
    except OSError:
        return {}
    begin = data.find(_CACHE_MAGIC)
    if begin < 0 or len(data) < begin + _CACHE_HEAD_BYTES:
        return {}
    data = data[begin:]
    (count,) = struct.unpack_from("<I", data, len(_CACHE_MAGIC))
    end = min(_CACHE_HEAD_BYTES + count * _CACHE_ENTRY.size, len(data))
    end -= (end - _CACHE_HEAD_BYTES) % _CACHE_ENTRY.size
    found: dict[str, list[Path]] = {}
    for flags, name, path, _, _ in _CACHE_ENTRY.iter_unpack(data[_CACHE_HEAD_BYTES:end]):
        if flags == _CACHE_FLAGS[machine]:
            found.setdefault(_text(data, name), []).append(Path(_text(data, path)))
    return {name: tuple(paths) for name, paths in found.items()}


def _text(data: bytes, at: int) -> str:
    return os.fsdecode(data[at : max(data.find(b"\0", at), at)])
