"""What an ELF shared library says of itself: the glibc it needs, and the libraries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from harness.errors import HarnessError

_GLIBC = re.compile(r"GLIBC_(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True)
class Needs:
    """What a library needs from the machine it is loaded on."""

    glibc: tuple[int, ...]  # (2, 34); empty if it needs no versioned symbol of glibc
    libraries: tuple[str, ...]

    @property
    def glibc_floor(self) -> str:
        """Such as `GLIBC_2.34`, or `none`."""
        return f"GLIBC_{'.'.join(map(str, self.glibc))}" if self.glibc else "none"


def needs_of(path: Path) -> Needs:
    """Reads a shared library.

    Raises:
        HarnessError: it is none.
    """
    try:
        with path.open("rb") as file:
            elf = ELFFile(file)
            newest: tuple[int, ...] = ()
            libraries: list[str] = []
            for section in elf.iter_sections():
                if isinstance(section, GNUVerNeedSection):
                    for _, versions in section.iter_versions():
                        found = (_GLIBC.fullmatch(version.name) for version in versions)
                        numbers = (tuple(int(part) for part in one.groups() if part) for one in found if one)
                        newest = max([newest, *numbers])
            dynamic = elf.get_section_by_name(".dynamic")
            if not isinstance(dynamic, DynamicSection):
                raise HarnessError(f"{path.name}: no shared library: it has no dynamic section")
            libraries = [
                str(tag.needed)  # type: ignore[attr-defined]  # given by pyelftools at run time
                for tag in dynamic.iter_tags("DT_NEEDED")
            ]
    except ELFError as error:
        raise HarnessError(f"{path.name}: no shared library: {error}") from error
    return Needs(newest, tuple(libraries))
