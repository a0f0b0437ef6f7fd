"""Reads and writes files that a stranger's code may have replaced by something else: a link, a pipe, a device, a huge file."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

LIMIT_BYTES: Final = 64 << 20  # an Envoy's own bound of a file


def read_regular(path: Path, limit_bytes: int = LIMIT_BYTES) -> bytes:
    """Reads a file without following a link, and without waiting for a writer of a pipe.

    Raises:
        FileNotFoundError: there is none.
        OSError: it is something else than a file, or larger than the limit.
    """
    with os.fdopen(_opened(path, os.O_RDONLY), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit_bytes:
            raise OSError(f"{path}: expected up to {limit_bytes} bytes, it has {size}")
        return file.read(limit_bytes)


def read_lines(path: Path) -> list[bytes]:
    """Returns the lines of a file as `read_regular` reads it; none where there is no file."""
    try:
        return read_regular(path).splitlines()
    except FileNotFoundError:
        return []


def append_regular(path: Path, data: bytes) -> None:
    """Appends to a file, which is made if there is none.

    Raises:
        OSError: it cannot be written, or is something else than a file.
    """
    with os.fdopen(_opened(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "ab") as file:
        file.write(data)


def open_regular(path: Path) -> int:
    """Opens a file for reading, without following a link and without waiting; whoever calls it closes it.

    Raises:
        OSError: there is none, or it is something else than a file.
    """
    return _opened(path, os.O_RDONLY)


def _opened(path: Path, flags: int) -> int:
    """Opens a file without following a link and without blocking; refuses what is none."""
    replaced = f"{path}: expected a file, it was replaced by something else"
    try:
        file = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY, 0o644)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):  # a link; a pipe without a reader; a folder
            raise OSError(replaced) from None
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(replaced)
    return file


def replace_regular(path: Path, data: bytes) -> None:
    """Puts a new file in the place of whatever is there, at once.

    Raises:
        OSError: it cannot be written, or there is a folder in its place.
    """
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with os.fdopen(file, "wb") as sink:
        sink.write(data)
    part.replace(path)
