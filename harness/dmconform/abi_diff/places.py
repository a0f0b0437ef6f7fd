"""Where a header has its declarations: the line of a function or type by its name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_BYTES: Final = 4 << 20  # as for what parses headers
_DECLARED = re.compile(rb"^(?![ \t]*(?:\*|//|/\*)).*?\b(envoy_dynamic_module_\w+)\s*(?:\(|;|\[)", re.MULTILINE)
_POINTER = re.compile(rb"^typedef\b[^;]*?\(\s*\*\s*(envoy_dynamic_module_\w+)\s*\)", re.MULTILINE)


@dataclass(frozen=True)
class HeaderPlaces:
    """The lines of a header's declarations; without a file where there is no header."""

    file: str = ""
    lines: dict[str, int] = field(default_factory=dict)

    def line(self, name: str) -> int:
        """Returns the line of a declaration; 0 where the header has none."""
        return self.lines.get(name, 0)


def places_in(operand: str) -> HeaderPlaces:
    """Returns the places in the header that an operand of the command line names; none where it names something else."""
    path = Path(operand)
    if not path.is_file():
        return HeaderPlaces()
    with path.open("rb") as file:
        text = file.read(_BYTES)
    lines: dict[str, int] = {}
    for pattern in (_DECLARED, _POINTER):
        at, line = 0, 1
        for found in pattern.finditer(text):
            line += text.count(b"\n", at, found.start(1))
            at = found.start(1)
            lines.setdefault(found[1].decode("ascii", "replace"), line)
    return HeaderPlaces(operand, lines)
