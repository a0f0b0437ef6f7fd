"""Makes a library need another library in the place of one; in a separate process, as LIEF takes 60 MB and more.

Its arguments: the library, the copy to write, the needed library's name, its new name, and a search path to add, or nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from dmconform.core.errors import HarnessError
from dmconform.core.paths import IMPORT_ROOT
from dmconform.core.process import run_program, tail
from dmconform.core.timeouts import BINARY_READ_S

NOT_NEEDED: Final = 3
"""The exit code where the library does not need what is to be renamed."""
_CHILD: Final = (
    sys.executable,
    "-I",
    "-c",
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import dmconform.binaries.rename_needed as r; sys.exit(r.main())",
)


def rename_needed(library: Path, target: Path, needed: str, instead: str, runpath: str | None = None) -> bool:
    """Writes a copy of a library that needs another one; returns False where it does not need what is to be renamed.

    Args:
        library: a shared library.
        target: the copy.
        needed: the name of the library that it needs.
        instead: the name of the library that the copy needs.
        runpath: where the copy's libraries are searched for besides.

    Raises:
        HarnessError: it could not be done.
    """
    words = [*_CHILD, str(IMPORT_ROOT), str(library), str(target), needed, instead, *([] if runpath is None else [runpath])]
    done = run_program(words, timeout_s=BINARY_READ_S)
    if done.exit_code not in (0, NOT_NEEDED):
        raise HarnessError(f"{library}: its needed libraries were not changed: code {done.exit_code}. {tail(done.output)}")
    return done.exit_code == 0


def main() -> int:
    """Does it, in the separate process; returns the exit code."""
    import lief  # slow, and large

    library, target, name, instead, *runpath = sys.argv[1:]
    binary = lief.ELF.parse(library)
    needed = binary.get_library(name) if binary is not None else None
    if binary is None or needed is None:
        return NOT_NEEDED
    needed.name = instead
    for versions in binary.symbols_version_requirement:
        if versions.name == name:
            versions.name = instead
    for path in runpath:
        binary.add(lief.ELF.DynamicEntryRunPath(path))
    binary.write(target)
    return 0
