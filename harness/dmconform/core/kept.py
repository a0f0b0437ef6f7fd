"""Results kept in the cache, as JSON files whose names hold a digest of all that decides them."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from dmconform.core.datafile import load_json
from dmconform.core.errors import DataFileError

T = TypeVar("T", bound=msgspec.Struct)


def find(file: Path, shape: type[T]) -> T | None:
    """Returns what is kept in a file; None where there is nothing, or nothing of that shape."""
    try:
        return load_json(file, shape)
    except DataFileError:
        return None


def keep(file: Path, value: msgspec.Struct) -> None:
    """Writes a file in one step that others see. A second writer writes the same.

    A cache that cannot be written to, such as a full one, keeps nothing: the result is found anew the next time.
    """
    part = file.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(msgspec.json.encode(value))
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)


def digest(places: Iterable[Path], *suffixes: str) -> str:
    """Computes a hash of the content of files, and of the files with one of these suffixes in folders."""
    total = hashlib.sha256()
    for place in places:
        files = [place] if place.is_file() else sorted(one for one in place.rglob("*") if one.suffix in suffixes)
        for file in files:
            total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()[:16]
