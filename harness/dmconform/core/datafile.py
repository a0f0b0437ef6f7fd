"""One way to read a data file: bounded, decoded into frozen structs, or refused with its name and the place of the mistake."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from dmconform.core.errors import DataFileError

T = TypeVar("T")

MOST_BYTES: Final = 64 << 20
"""A report of 20,000 cells has about 25 MB. What is decoded can take some times as much memory as the file has bytes."""
MOST_TOML_BYTES: Final = 4 << 20


def load_toml(path: Path, shape: type[T]) -> T:
    """Reads a TOML file into `shape`.

    Raises:
        DataFileError: it cannot be read, or has an unknown key or a value that does not fit.
    """
    return _decoded(path, msgspec.toml.decode, read_bounded(path, MOST_TOML_BYTES), shape)


def load_json(path: Path, shape: type[T]) -> T:
    """Reads a JSON file into `shape`; errors as `load_toml`."""
    return decode_json(path, read_bounded(path), shape)


def decode_json(path: Path, data: bytes, shape: type[T]) -> T:
    """What is in a file that was read already; errors as `load_toml`."""
    return _decoded(path, msgspec.json.decode, data, shape)


def convert(path: Path, value: object, shape: type[T]) -> T:
    """What was decoded from a file without its shape; errors as `load_toml`."""
    return _decoded(path, msgspec.convert, value, shape)


def read_bounded(path: Path, most: int | None = None) -> bytes:
    """All bytes of a file, at most `most` (`MOST_BYTES`). Nothing that is no file is waited for or read without end.

    Raises:
        DataFileError: there is none, it cannot be read, or it is no file or too large.
    """
    most = MOST_BYTES if most is None else most
    try:
        # Without waiting: a named pipe that nobody writes to would not even open.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise DataFileError(path, "expected a file, this is something else")
            data = file.read(most + 1)
    except FileNotFoundError:
        raise DataFileError(path, "there is no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a zero in the name
        raise DataFileError(path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > most:
        raise DataFileError(path, f"too large: expected at most {most >> 20} MiB ({most} bytes)")
    return data


def _decoded(path: Path, decode: Callable[..., Any], data: object, shape: type[T]) -> T:
    try:
        decoded: T = decode(data, type=shape)
    except RecursionError:
        raise DataFileError(path, "lists or objects in it are nested too deep") from None
    except (ValueError, msgspec.DecodeError) as error:  # ValueError: no UTF-8, or a number of thousands of digits
        raise DataFileError(path, str(error)) from error
    return decoded
