"""Why this machine cannot load a module: that is no matter of Envoy or of its releases."""

from __future__ import annotations

import enum
import platform
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from dmconform.binaries.facts import ModuleFacts
from dmconform.binaries.kinds import ProblemKind
from dmconform.binaries.linker_search import FoundLibrary, LinkerSearch
from dmconform.binaries.machine import Machine
from dmconform.binaries.read import versions_of
from dmconform.binaries.system import HOST_LIBRARIES, is_other_libc
from dmconform.binaries.target_notes import other_libc_sentence

_PRELOAD: Final = "LD_PRELOAD"
_MACHINES: Final = {"x86_64": Machine.X86_64, "AMD64": Machine.X86_64, "aarch64": Machine.AARCH64, "arm64": Machine.AARCH64}
_NUMBERED: Final = re.compile(r"([A-Za-z_]+?)_?(\d+(?:\.\d+)*)")


class TargetKind(enum.Enum):
    """What this machine lacks for a module."""

    ARCHITECTURE = "another architecture"
    LIBC = "another C library"
    GLIBC_VERSION = "a newer glibc"
    LIBSTDCXX_VERSION = "a newer libstdc++"
    LIBRARY_VERSION = "a newer library"
    LIBRARY_ABSENT = "a library that is absent"


class TargetProblem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reason why this machine cannot load a module, in one sentence with what to do."""

    kind: TargetKind
    sentence: str


def this_machine() -> Machine | None:
    """Returns what this machine is; None for one that Envoy has no release for."""
    return _MACHINES.get(platform.machine())


def target_problems(facts: ModuleFacts, module: Path, environment: Mapping[str, str]) -> tuple[TargetProblem, ...]:
    """Returns why this machine cannot load a module; nothing of it is run.

    Libraries are looked for as the dynamic linker does. Those that they need in turn are not looked at.

    Args:
        facts: what the module's file says.
        module: the file, whose folder is where it finds libraries beside itself.
        environment: of the hosts.
    """
    machine = this_machine()
    if facts.problem is not None:
        wrong = facts.problem_kind is ProblemKind.ARCHITECTURE
        return (TargetProblem(TargetKind.ARCHITECTURE, facts.problem),) if wrong else ()
    if machine is None or facts.architecture != machine.word:
        own = machine.word if machine else platform.machine()
        text = f"it is for {facts.architecture}, this machine is {own}: check it on a machine with {facts.architecture}"
        return (TargetProblem(TargetKind.ARCHITECTURE, text),)
    return _Libraries(machine, facts, module, environment).problems()


class _Libraries:
    """The libraries that a module needs, as they are on this machine."""

    def __init__(self, machine: Machine, facts: ModuleFacts, module: Path, environment: Mapping[str, str]) -> None:
        self._facts = facts
        self._preloaded = {Path(file).name for file in environment.get(_PRELOAD, "").replace(":", " ").split()}
        own = LinkerSearch.of(machine, module, facts.search_paths, environment)
        # The host has loaded its own libraries by the time it opens a module.
        of_host = LinkerSearch.of(machine, module, (), environment)
        names = [name for name in dict.fromkeys(facts.needed) if name not in self._preloaded]
        self._found = {name: (of_host if name in HOST_LIBRARIES else own).find(name) for name in names}

    def problems(self) -> tuple[TargetProblem, ...]:
        strange = [name for name, found in self._found.items() if is_other_libc(name) and not _usable(found)]
        other_libc = [TargetProblem(TargetKind.LIBC, other_libc_sentence(self._facts))] if strange else []
        absent = [
            TargetProblem(TargetKind.LIBRARY_ABSENT, self._absent(name, found))
            for name, found in self._found.items()
            if name not in strange and not _usable(found)
        ]
        return (*other_libc, *self._versions(), *absent)

    def _absent(self, name: str, found: FoundLibrary | None) -> str:
        if found is not None:
            return f"it needs {name}, and {found.path}, which the dynamic linker comes to first, is no library: take it away"
        written = f"{', '.join(self._facts.search_paths)} and " if self._facts.search_paths else ""
        return (
            f"it needs {name}, which is absent here (searched in {written}the system's folders): install it, or name its "
            "folder with --env LD_LIBRARY_PATH=FOLDER"
        )

    def _versions(self) -> Iterator[TargetProblem]:
        asked = dict.fromkeys(one.library for one in self._facts.needed_versions)
        found = {name: one.path for name in asked if (one := self._found.get(name)) and one.usable}
        brought = dict(zip(found, versions_of(list(found.values())), strict=True))
        for library, versions in brought.items():
            if not versions:
                continue  # without versions of its own, it passes as having all
            wanted = [one.version for one in self._facts.needed_versions if one.library == library]
            missing = [version for version in wanted if version not in versions]
            if missing:
                newest = max(missing, key=_order)
                text = (
                    f"it needs {newest} of {library}, this machine's goes up to {_newest_like(newest, versions)} "
                    f"({found[library]}): check it on a newer system, or build it on an older one"
                )
                yield TargetProblem(_KINDS.get(library, TargetKind.LIBRARY_VERSION), text)


_KINDS: Final = dict.fromkeys(HOST_LIBRARIES, TargetKind.GLIBC_VERSION) | {"libstdc++.so.6": TargetKind.LIBSTDCXX_VERSION}


def _usable(found: FoundLibrary | None) -> bool:
    return found is not None and found.usable


def _order(version: str) -> tuple[str, list[int]]:
    """Returns what sorts versions of a family by their numbers."""
    match = _NUMBERED.fullmatch(version)
    return (match[1], [int(part) for part in match[2].split(".")]) if match else (version, [])


def _newest_like(version: str, versions: frozenset[str]) -> str:
    """Returns the newest version of the same family."""
    family = _order(version)[0]
    return max((one for one in versions if _order(one)[0] == family), key=_order, default="none of that name")
