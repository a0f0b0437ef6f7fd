"""The files that a module needs beside itself: libraries that do not come with the system, found as the dynamic linker does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from dmconform.binaries.facts import ModuleFacts
from dmconform.binaries.linker_search import LIBRARY_PATH, LinkerSearch
from dmconform.binaries.read import read_modules
from dmconform.binaries.target import this_machine
from dmconform.check.running import CheckJob

_PRELOAD: Final = "LD_PRELOAD"
_MOST: Final = 200  # libraries of one module


def companions(job: CheckJob) -> tuple[Path, ...]:
    """Returns the libraries that a module needs, and what these need in turn; those of the system too.

    A library that it opens by name while it runs is not found so.
    """
    environments = [{**job.environment, **use.environment} for use in job.uses]
    found: dict[Path, None] = {}
    for environment in environments:
        preloaded = [Path(file) for file in environment.get(_PRELOAD, "").replace(":", " ").split() if file.startswith("/")]
        libraries = environment.get(LIBRARY_PATH, "")
        new = [*preloaded, *_found(job.module, job.facts, job.facts.search_paths, libraries)]
        while new := [path for path in dict.fromkeys(new) if path not in found][: _MOST - len(found)]:
            found |= dict.fromkeys(new)
            new = [
                needed
                for path, facts in zip(new, read_modules(new), strict=True)
                for needed in _found(path, facts, (*facts.search_paths, *_from(job)), libraries)
            ]
    return tuple(found)


def _from(job: CheckJob) -> Iterator[str]:
    """Yields the module's own search paths, as its libraries have them: the copy of a module finds them by LD_LIBRARY_PATH."""
    home = str(job.module.resolve().parent)
    for path in job.facts.search_paths:
        yield path.replace("${ORIGIN}", home).replace("$ORIGIN", home)


def _found(file: Path, facts: ModuleFacts, search_paths: Iterable[str], libraries: str) -> Iterator[Path]:
    machine = this_machine()
    if machine is None:
        return
    search = LinkerSearch.of(machine, file, search_paths, {LIBRARY_PATH: libraries})
    for name in facts.needed:
        library = search.find(name)
        if library is not None:
            yield library.path
