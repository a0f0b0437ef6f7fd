"""Loads `conformance/abi/MINOR.json`, and writes it.

A file with an unknown key, with a value of the wrong type, or with entries that do not fit together, is refused with the place
of the mistake.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Final

import msgspec

from dmconform.abi.consistency import problems
from dmconform.abi.types import Abi, AbiType, Function
from dmconform.core import paths
from dmconform.core.datafile import load_json
from dmconform.core.errors import DataFileError
from dmconform.core.versions import Minor

_MINOR: Final = re.compile(r"\d+\.\d+")
_SHOWN: Final = 5  # mistakes of a file in one message


def known_minors(folder: Path = paths.ABI) -> tuple[Minor, ...]:
    """Returns the minors that have ABI data, oldest first."""
    return tuple(sorted(Minor.parse(path.stem) for path in folder.glob("*.json") if _MINOR.fullmatch(path.stem)))


def load_every_abi(folder: Path = paths.ABI) -> dict[str, Abi]:
    """Returns the ABI of every known minor, oldest first, by the minor's text; raises as `load_abi`."""
    return {str(minor): load_abi(folder, str(minor)) for minor in known_minors(folder)}


def load_abi(folder: Path, minor: str) -> Abi:
    """Reads `FOLDER/MINOR.json`.

    Raises:
        DataFileError: the file is missing, unreadable, not of the format, or not consistent in itself.
    """
    path = folder / f"{minor}.json"
    if not path.exists():
        known = ", ".join(map(str, known_minors(folder))) or "none"
        raise DataFileError(path, f"there is no ABI data for {minor}; known: {known}")
    abi = load_abi_file(path)
    if abi.envoy != minor:
        raise DataFileError(path, f'"envoy" is {abi.envoy}; expected {minor}, as the file is called')
    return abi


def load_abi_file(path: Path) -> Abi:
    """Reads a file of the format, whatever it is called; raises as `load_abi`."""
    stat = path.stat() if path.is_file() else None
    return _checked(path, (stat.st_ino, stat.st_mtime_ns, stat.st_size) if stat else ())


@functools.lru_cache(maxsize=16)  # a run needs each file several times, and to check one takes longer than to read it
def _checked(path: Path, _: tuple[int, ...]) -> Abi:
    abi = load_json(path, Abi)
    found = problems(abi)
    if found:
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise DataFileError(path, "; ".join(found[:_SHOWN]) + more)
    return abi


def abi_json(abi: Abi) -> str:
    """Returns the text of its file: one type or function a line, so that a change shows as the lines that it is about."""

    def entries(key: str, items: tuple[AbiType, ...] | tuple[Function, ...]) -> str:
        lines = ",\n".join(f"  {_spaced(item)}" for item in items)
        return f' "{key}": [\n{lines}\n ]' if items else f' "{key}": []'

    head = ("envoy", "measured_on", "abi_version", "sources")
    parts = [*(f' "{key}": {_spaced(getattr(abi, key))}' for key in head), entries("types", abi.types)]
    return "{\n" + ",\n".join([*parts, entries("functions", abi.functions)]) + "\n}\n"


def _spaced(value: object) -> str:
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
