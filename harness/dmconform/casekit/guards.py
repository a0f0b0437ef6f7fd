"""Runtime guards: names in a host's binary by which a configuration turns a change of behaviour on or off."""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable
from typing import Any, Final

from dmconform.casekit.records import host_program
from dmconform.matrix.cell import Cell

PREFIX: Final = "envoy.reloadable_features."
_NAME: Final = re.compile(rb"envoy\.reloadable_features\.([a-z0-9_]+)")


def runtime_guards(cell: Cell) -> frozenset[str]:
    """Returns the names of the guards in the binary of the cell's host, without their prefix; it is read, not run."""
    with (
        host_program(cell).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        return frozenset(found[1].decode() for found in _NAME.finditer(content))


def guarded(name: str, value: bool | None) -> Callable[[dict[str, Any]], None]:
    """Returns what sets a guard in a bootstrap configuration; None leaves it as it is by default."""

    def alter(bootstrap: dict[str, Any]) -> None:
        if value is not None:
            bootstrap["layered_runtime"] = {"layers": [{"name": "guards", "static_layer": {PREFIX + name: value}}]}

    return alter
