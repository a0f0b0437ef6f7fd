"""Makes the facts about a module out of its bytes; runs in the reader's child process only."""

from __future__ import annotations

import hashlib
import mmap
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from dmconform.binaries.abi_string import INIT, abi_string_of_module
from dmconform.binaries.elf import Library, Malformed
from dmconform.binaries.facts import Binding, Known, Libc, ModuleFacts, NeededVersion, Undefined
from dmconform.binaries.kinds import ProblemKind
from dmconform.binaries.loader import must_load
from dmconform.binaries.machine import Machine
from dmconform.binaries.names import printable
from dmconform.binaries.opened import Opened
from dmconform.binaries.search import WINDOW_BYTES, forget
from dmconform.binaries.sections import sections_of
from dmconform.binaries.signs import signs_of
from dmconform.binaries.system import is_other_libc
from dmconform.core.extension_point import HOOK_PREFIX

UNDEFINED_LIMIT: Final = 10_000  # ten times those of the largest modules
_GLIBC: Final = re.compile(r"libc\.so\.6$|ld-linux")
_NODELETE = 0x8


def module_facts(path: Path, known_abi: Iterable[str]) -> ModuleFacts:
    """Returns what a module's file contains; what is wrong with it is its `problem`."""
    try:
        opened = Opened(path)
    except Malformed as problem:
        return _not_read("", _size(path), problem)
    digest = _sha256(opened.data)
    try:
        return _module_facts(Library(opened.data, machines=tuple(Machine)), digest, tuple(known_abi))
    except Malformed as problem:
        return _not_read(digest, opened.size, problem)


def _sha256(data: mmap.mmap) -> str:
    view = memoryview(data)
    digest = hashlib.sha256(view[:WINDOW_BYTES])
    forget(data, 0, WINDOW_BYTES)
    for at in range(WINDOW_BYTES, len(data), WINDOW_BYTES):
        digest.update(view[at : at + WINDOW_BYTES])
        forget(data, at, WINDOW_BYTES)
    return digest.hexdigest()


def _not_read(digest: str, size: int, problem: Malformed) -> ModuleFacts:
    return ModuleFacts(
        digest, size, str(problem), architecture=problem.architecture, kind=problem.file, problem_kind=problem.kind
    )


def _size(path: Path) -> int:
    try:
        status = path.stat()
    except OSError:
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _module_facts(library: Library, digest: str, known_abi: tuple[str, ...]) -> ModuleFacts:
    hook = HOOK_PREFIX.encode()
    hooks: list[str] = []
    raw_hooks: list[bytes] = []
    exports, mangled, init = 0, False, None
    for symbol in library.exports():
        exports += 1
        mangled = mangled or library.name_starts_with(symbol.name_offset, b"_Z")
        if library.name_starts_with(symbol.name_offset, hook):
            raw_hooks.append(library.raw_name(symbol.name_offset))
            hooks.append(printable(raw_hooks[-1]))
            if hooks[-1] == INIT:
                init = symbol
    undefined = _undefined(library)
    must_load(library, raw_hooks)
    signs = signs_of(library, mangled or any(one.name.startswith(("_Z", "__gxx_")) for one in undefined))
    abi_version, known = abi_string_of_module(library, init, known_abi) if init else (None, Known.UNKNOWN)
    search_path = library.dynamic.get("DT_RUNPATH", library.dynamic.get("DT_RPATH"))
    soname = library.dynamic.get("DT_SONAME")
    needed = tuple(library.name(offset) for offset in library.needed_offsets)
    flags_1 = library.dynamic.get("DT_FLAGS_1", 0)
    return ModuleFacts(
        sha256=digest,
        size_bytes=len(library.data),
        architecture=library.machine.word,
        hooks=tuple(sorted(hooks)),
        exports=exports,
        undefined=undefined,
        abi_version=abi_version,
        abi_version_known=known,
        needed=needed,
        search_paths=() if search_path is None else tuple(library.name(search_path).split(":")),
        binding=Binding.NOW if library.binds_now else Binding.LAZY,
        nodelete=bool(flags_1 & _NODELETE),
        glibc_floor=_floor(library, "GLIBC"),
        libstdcxx_floor=_floor(library, "GLIBCXX"),
        stripped=not any(one.name == b".symtab" for one in sections_of(library)),
        language=signs.language,
        sdk=signs.sdk,
        language_known=signs.known,
        soname=None if soname is None else library.name(soname),
        libc=_libc(library, needed),
        needed_versions=tuple(NeededVersion(one.library, one.name) for one in library.versions if not one.weak),
    )


def _libc(library: Library, needed: Iterable[str]) -> Libc:
    """Returns the C library by which library, program loader or versions it asks for."""
    if any(map(is_other_libc, needed)) or b"ld-musl" in library.interpreter:
        # Android's has the name of musl's, but versions.
        return Libc.BIONIC if any(one.name == "LIBC" for one in library.versions) else Libc.MUSL
    if any(_GLIBC.match(name) for name in needed) or any(one.name.startswith("GLIBC_") for one in library.versions):
        return Libc.GLIBC
    return Libc.NONE


def _undefined(library: Library) -> tuple[Undefined, ...]:
    """Returns the symbols that the dynamic linker will look for: those that a relocation refers to."""
    found: list[Undefined] = []
    for index, at_load in library.referenced.items():
        symbol = library.symbol(index)
        if symbol.defined:
            continue
        if len(found) >= UNDEFINED_LIMIT:
            raise Malformed(f"expected up to {UNDEFINED_LIMIT} undefined symbols, there are more", ProblemKind.TOO_MUCH)
        version = library.version_of(index)
        found.append(
            Undefined(
                library.name(symbol.name_offset),
                weak=symbol.weak,
                at_load=at_load,
                version=version and version.name,
                library=version and version.library,
            )
        )
    return tuple(sorted(found, key=lambda one: one.name))


def _floor(library: Library, family: str) -> str | None:
    """Returns the newest version of a family, such as GLIBC_2.34, that its libraries must bring."""
    numbered = re.compile(rf"{family}_(\d{{1,5}}(?:\.\d{{1,5}}){{1,3}})")
    found = [match for one in library.versions if not one.weak and (match := numbered.fullmatch(one.name))]
    newest = max(found, key=lambda match: [int(part) for part in match[1].split(".")], default=None)
    return newest and newest[0]


def export_names(path: Path) -> frozenset[str]:
    """Returns the symbols that a library defines for others.

    Raises:
        Malformed: it is not a shared library for x86-64.
    """
    library = Library(Opened(path).data)
    return frozenset(library.name(one.name_offset) for one in library.exports())


def defined_versions(path: Path) -> frozenset[str]:
    """Returns the versions that a library brings.

    Raises:
        Malformed: it is not a shared library for x86-64.
    """
    return Library(Opened(path).data).defined_versions
