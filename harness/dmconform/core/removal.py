"""Removes folders that strangers' code has written to, however deep they are, whatever rights and names are in them.

It travels in archives of cells: it imports nothing that does not.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

_OWN: Final = 0o700
_ROUNDS: Final = 3  # a process that ends at this moment may write once more


def remove_tree(folder: Path) -> bool:
    """Removes a folder and all that is in it; returns whether it is gone.

    `shutil.rmtree` calls itself for each level, and ends with an error in a folder of a thousand levels. Here, what is deeper
    is moved up before it is emptied. Links are removed, and not followed. What cannot be removed, such as a mount, is left.
    """
    for _ in range(_ROUNDS):
        with contextlib.suppress(OSError):
            _make_own(folder)
            top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                _empty(top)
            finally:
                os.close(top)
        with contextlib.suppress(OSError):
            if folder.is_symlink() or not folder.is_dir():
                folder.unlink(missing_ok=True)
            else:
                folder.rmdir()
        if not os.path.lexists(folder):
            return True
    return False


def _empty(top: int) -> None:
    waiting: list[str | bytes] = [name for name in _names(top) if not _remove_file(name, top)]
    number = 0
    while waiting:
        name = waiting.pop()
        with contextlib.suppress(OSError):
            _make_own(name, top)
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
            try:
                for one in _names(inner):
                    if _remove_file(one, inner):
                        continue
                    with contextlib.suppress(OSError):
                        _make_own(one, inner)
                        while os.path.lexists(f"/proc/self/fd/{top}/{number}"):
                            number += 1
                        os.rename(one, str(number), src_dir_fd=inner, dst_dir_fd=top)
                        waiting.append(str(number))
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=top)


def _names(folder: int) -> list[bytes]:
    with os.scandir(folder) as entries:
        return [os.fsencode(entry.name) for entry in entries]


def _remove_file(name: bytes, folder: int) -> bool:
    """Removes a file of a folder; False if it is a folder itself."""
    with contextlib.suppress(OSError):
        if stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
            return False
        os.unlink(name, dir_fd=folder)
    return True


def _make_own(name: str | bytes | Path, folder: int | None = None) -> None:
    """Gives its owner all rights to a folder, if it is one and no link."""
    found = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY, dir_fd=folder)
    try:
        os.chmod(f"/proc/self/fd/{found}", _OWN)  # noqa: PTH101 - not by its name, which may be that of a link by now
    finally:
        os.close(found)
