"""Makes the facts about an Envoy binary out of its bytes; runs in the reader's child process only."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

from dmconform.binaries.abi_string import INIT, abi_string_of_host
from dmconform.binaries.elf import Library
from dmconform.binaries.facts import HostFacts
from dmconform.binaries.opened import Opened
from dmconform.binaries.search import constants, holds
from dmconform.core.extension_point import CALLBACK_PREFIX, HOOK_PREFIX

# A separate string, not a part of one: a host's Rust code and its built-in modules hold the names of more hooks, which
# nothing looks up.
_HOOK: Final = re.compile(rb"\0(" + HOOK_PREFIX.encode() + rb"[a-z0-9_]{1,200})(?=\0)")
_AFTER_MODULE: Final = f"_{HOOK_PREFIX}"
_RELEASE: Final = re.compile(rb"\0(1\.[3-9]\d\.\d{1,3}(?:-[a-z][0-9a-z.-]{0,20})?)(?=\0)")
# How a host speaks of a module with another ABI string.
_WARNS: Final = b"Dynamic module ABI version {} is deprecated"
_REFUSES: Final = b"ABI version mismatch: got "


def host_facts(path: Path, release: str | None, known_abi: Collection[str]) -> HostFacts:
    """Returns what an Envoy binary offers to modules.

    Raises:
        Malformed: it is not an executable for x86-64.
    """
    library = Library(Opened(path).data, executable_too=True)
    exports = {library.name(one.name_offset): one for one in library.exports()}
    callbacks = frozenset(name for name in exports if name.startswith(CALLBACK_PREFIX))
    suffix = f"_{INIT}"
    static = frozenset(name.removesuffix(suffix) for name in exports if name.endswith(suffix))
    hooks_of_static = frozenset(name for name in exports if _is_hook_of(static, name))
    return HostFacts(
        release=release or _only(constants(library, _RELEASE)),
        callbacks=callbacks,
        hooks=frozenset(constants(library, _HOOK)),
        other_exports=frozenset(exports) - callbacks - hooks_of_static,
        abi_version=abi_string_of_host(library, [exports[f"{one}{suffix}"] for one in sorted(static)], known_abi),
        refuses_other_abi=_refuses(library),
        bind_now=library.binds_now,
        static_modules=static,
    )


def _is_hook_of(static: Collection[str], name: str) -> bool:
    """Returns whether a symbol is a hook of one of the static modules, whose names may hold what hooks begin with."""
    at = name.find(_AFTER_MODULE)
    while at >= 0 and name[:at] not in static:
        at = name.find(_AFTER_MODULE, at + 1)
    return at >= 0


def _only(found: set[str]) -> str:
    """Returns the only element; empty where there is not exactly one."""
    return found.pop() if len(found) == 1 else ""


def _refuses(library: Library) -> bool | None:
    """Returns what it does with a module that has another ABI string, by the words it has for that."""
    if holds(library, _WARNS):
        return False
    return True if holds(library, _REFUSES) else None
