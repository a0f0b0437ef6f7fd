"""Copies what a report names out of its folder, which may come from another machine: files and folders, and nothing else."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

from dmconform.core.errors import HarnessError


def copy_named(folder: Path, places: Iterable[str], target: Path) -> tuple[str, ...]:
    """Copies files and folders to the same places below `target`; returns what was left out.

    That is every link, as it could lead anywhere, here or where the copy is read, and every pipe, device and socket. What is
    not there is not missed: evidence of cells that pass is not kept.

    Args:
        folder: the report's.
        places: relative to it, and not out of it.
        target: a folder that no other program writes to.

    Raises:
        HarnessError: the disk is full, or two names do not fit together.
    """
    left_out: list[str] = []
    for place in places:
        try:
            left_out += _copy(folder, Path(place), target)
        except OSError as error:
            raise HarnessError(f"{target / place}: cannot be copied from {folder}: {error.strerror}") from error
    return tuple(left_out)


def _copy(folder: Path, place: Path, target: Path) -> list[str]:
    for above in reversed(place.parents):
        if (folder / above).is_symlink() and above != Path():
            return [str(place)]
    try:
        mode = (folder / place).lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return []
    if stat.S_ISREG(mode):
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / place, target / place, follow_symlinks=False)
        return []
    if not stat.S_ISDIR(mode):
        return [str(place)]
    (target / place).mkdir(parents=True, exist_ok=True)
    return [name for one in sorted((folder / place).iterdir()) for name in _copy(folder, place / one.name, target)]
