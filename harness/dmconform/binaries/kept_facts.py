"""Facts about binaries, kept in the cache: a file's content does not change, so it is read once.

An entry is known by the SHA-256 of the file and by the code and data that read it, so that a change of these reads anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from dmconform.binaries.facts import HostFacts, ModuleFacts
from dmconform.core import kept, paths
from dmconform.core.values import Host, ModuleFile

FOLDER = "facts"
# What decides what is read out of a file, besides the file.
_READERS = (paths.PACKAGE / "binaries", paths.PACKAGE / "core" / "extension_point.py", paths.HOSTS_FILE)


def module_facts(modules: Sequence[ModuleFile], cache_folder: Path) -> tuple[ModuleFacts, ...]:
    """Returns what modules' files contain, in the order given; one process reads those that the cache lacks."""
    found = [kept.find(_file(cache_folder, one.sha256), ModuleFacts) for one in modules]
    missing = [one for one, facts in zip(modules, found, strict=True) if facts is None]
    if missing:
        from dmconform.binaries.read import read_modules  # slow to import; warm runs do without

        read = dict(zip((one.sha256 for one in missing), read_modules([Path(one.path) for one in missing]), strict=True))
        for sha256, facts in read.items():
            if facts.problem is None:
                kept.keep(_file(cache_folder, sha256), facts)
        found = [facts or read[one.sha256] for one, facts in zip(modules, found, strict=True)]
    return tuple(facts for facts in found if facts is not None)


def host_facts(host: Host, cache_folder: Path) -> HostFacts:
    """Returns what an Envoy binary that is not a known release offers to modules.

    Raises:
        UsageError: it is not an executable for x86-64.
    """
    file = _file(cache_folder, host.sha256)
    found = kept.find(file, HostFacts)
    if found is None:
        from dmconform.binaries.read import read_host  # as above

        found = read_host(Path(host.binary), host.release_text)
        kept.keep(file, found)
    return found


def _file(cache_folder: Path, sha256: str) -> Path:
    return cache_folder / FOLDER / f"{sha256}-{_reader()}.json"


@cache
def _reader() -> str:
    """Returns a value that depends on all that decides what is read out of a file."""
    return kept.digest(_READERS, ".py")
