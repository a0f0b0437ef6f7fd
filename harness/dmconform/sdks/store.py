"""The cache of built modules: one folder per key, complete or absent, checked by hash when it is read."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec
from filelock import FileLock

from dmconform.binaries.facts import ModuleFacts
from dmconform.binaries.read import read_modules
from dmconform.containers.files import disk_full, write_files
from dmconform.containers.toolchain import ToolchainIdentity
from dmconform.core.datafile import load_json
from dmconform.core.errors import DataFileError, HarnessError
from dmconform.core.timeouts import STORE_S
from dmconform.core.values import ModuleFile
from dmconform.hosts.obtain import sha256_of

NEWEST_GLIBC = (2, 36)
"""What Debian 12 has; a module that needs a newer one would not load there."""
ALLOWED_LIBRARIES = frozenset(
    ("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "libgcc_s.so.1", "ld-linux-x86-64.so.2")
)


class StoredBuild(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of `build.json` beside the modules."""

    source: str
    build_s: float
    toolchain: ToolchainIdentity
    modules: tuple[ModuleFile, ...]  # `path` is the file's name here
    repository: str = ""  # of an official SDK's sources, without machine paths; empty in builds from before that was noted


def find(folder: Path) -> StoredBuild | None:
    """Returns what is stored in a folder, with full paths.

    None where there is nothing, or its bytes are not the recorded ones.
    """
    try:
        stored = load_json(folder / "build.json", StoredBuild)
        modules = tuple(msgspec.structs.replace(one, path=str(folder / one.path)) for one in stored.modules)
        if any(sha256_of(Path(one.path)) != one.sha256 for one in modules):
            return None
    except (DataFileError, OSError):
        return None
    return msgspec.structs.replace(stored, modules=modules)


def keep(
    folder: Path,
    names: tuple[str, ...],
    outputs: Mapping[str, bytes],
    log: bytes,
    source: str,
    build_s: float,
    toolchain: ToolchainIdentity,
    repository: str = "",
) -> StoredBuild:
    """Stores what a build left: modules of these names.

    Args:
        folder: the place of the build in the cache.
        names: the modules that must be there, without `lib` and `.so`.
        outputs: contents of files by path; those in folders are left out.
        log: the output of the build.
        source: where the SDK's source came from.
        build_s: seconds that the build took.
        toolchain: what it was built with.
        repository: that the sources came from, as others may read it.

    Raises:
        HarnessError: a module is missing, is not a shared library, or needs what it must not; or the disk is full.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        FileLock(f"{folder}.lock", timeout=STORE_S),
        disk_full(folder),
        tempfile.TemporaryDirectory(dir=folder.parent, prefix="build-") as scratch,
    ):
        there = find(folder)
        if there is not None:
            return there  # another run was faster, and may be using it already
        part = Path(scratch) / "whole"
        write_files(part, {name: content for name, content in outputs.items() if "/" not in name} | {"build.log": log})
        modules = _describe(part, names)
        stored = StoredBuild(source, build_s, toolchain, modules, repository)
        write_files(part, {"build.json": msgspec.json.format(msgspec.json.encode(stored))})
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    found = find(folder)
    if found is None:
        raise HarnessError(f"{folder}: what was just written cannot be read again; is the disk sound?")
    return found


def _describe(folder: Path, names: tuple[str, ...]) -> tuple[ModuleFile, ...]:
    paths = [folder / f"lib{name}.so" for name in names]
    for path in paths:
        if not path.exists():
            raise HarnessError(f"the build left no {path.name}; sdks/PROBES.md says which modules there must be")
    facts = read_modules(paths)
    return tuple(_accept(*one) for one in zip(names, paths, facts, strict=True))


def _accept(name: str, path: Path, facts: ModuleFacts) -> ModuleFile:
    if facts.problem is not None:
        raise HarnessError(f"{path.name}: not a shared library: {facts.problem}")
    floor = facts.glibc_floor or "none"
    if facts.glibc_floor and tuple(int(part) for part in floor.removeprefix("GLIBC_").split(".")) > NEWEST_GLIBC:
        raise HarnessError(f"{path.name} needs {floor}, expected at most GLIBC_{'.'.join(map(str, NEWEST_GLIBC))} (Debian 12)")
    foreign = [library for library in facts.needed if library not in ALLOWED_LIBRARIES]
    if foreign:
        raise HarnessError(f"{path.name} needs {', '.join(foreign)}, which sdks/PROBES.md does not allow; link it statically")
    return ModuleFile(name, path.name, facts.sha256, facts.size_bytes, floor, facts.needed)
