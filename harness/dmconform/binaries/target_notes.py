"""What system a module was built for, in words: that is no matter of Envoy or of its releases."""

from __future__ import annotations

import re
from typing import Final

from dmconform.binaries.facts import Libc, ModuleFacts
from dmconform.binaries.machine import Machine
from dmconform.binaries.system import is_other_libc, is_system_library

# What official Envoys are built for; older systems cannot run them.
HOST_GLIBC: Final = (2, 31)
_GLIBC: Final = re.compile(r"GLIBC_((\d+)\.(\d+)[\d.]*)")


def other_libc_sentence(facts: ModuleFacts) -> str:
    """Returns why official Envoys cannot load a module that is built for another C library than theirs."""
    names = ", ".join(name for name in facts.needed if is_other_libc(name))
    whose = "Android" if facts.libc is Libc.BIONIC else "musl"
    return (
        f"it is built for {whose} (it needs {names}), and official Envoys run on glibc, which does not bring that: build it "
        f"for glibc, such as with the Rust target {facts.architecture.replace('-', '_')}-unknown-linux-gnu"
    )


def target_notes(facts: ModuleFacts) -> tuple[str, ...]:
    """Returns what system a module was built for, in sentences that hold for all hosts alike; none for what is no module."""
    if facts.problem is not None:
        return ()
    notes = [f"built for Linux on {facts.architecture}{_libc_words(facts)}"]
    if facts.architecture != Machine.X86_64.word:
        notes.append("its symbols are compared with those of Envoy's releases for x86-64, as only these are on record")
    others = [name for name in facts.needed if not is_system_library(name) and not is_other_libc(name)]
    if others:
        where = f" (it says: in {', '.join(facts.search_paths)})" if facts.search_paths else ""
        notes.append(f"it needs {', '.join(others)}, which the dynamic linker must find{where} on each machine that runs it")
    return tuple(notes)


def _libc_words(facts: ModuleFacts) -> str:
    match facts.libc:
        case Libc.NONE:
            words = ", without a C library"
        case Libc.MUSL:
            words = " with musl, not glibc"
        case Libc.BIONIC:
            words = " with Android's C library, not glibc"
        case Libc.GLIBC:
            floor = facts.glibc_floor and _GLIBC.match(facts.glibc_floor)
            words = f", glibc {floor[1]} or newer" if floor else ", glibc"
            if floor and (int(floor[2]), int(floor[3])) > HOST_GLIBC:
                words += f" (official Envoys run from {HOST_GLIBC[0]}.{HOST_GLIBC[1]} on)"
    return words + (f", libstdc++ with {facts.libstdcxx_floor} or newer" if facts.libstdcxx_floor else "")
