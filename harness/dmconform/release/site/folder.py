"""The folder of a site: made beside its place and put there at once. What dmconform did not make is never replaced."""

from __future__ import annotations

import contextlib
import ctypes
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dmconform.core.datafile import read_bounded
from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.interrupts import deferred_interrupts
from dmconform.core.removal import remove_tree
from dmconform.core.trouble import not_written

MARKER: Final = "dmconform-site.txt"
_HEAD: Final = "dmconform site 1"
"""The first line of the marker; the others are the files of the site."""
_MOST_MARKER_BYTES: Final = 1 << 20
_MODE: Final = 0o755
_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2


@contextlib.contextmanager
def site_folder(target: Path) -> Iterator[Path]:
    """Makes a folder to write a site to, and puts it in the place of `target` when the block ends without an error.

    Raises:
        UsageError: there is something at `target` that `dmconform site` has not made.
        HarnessError: it cannot be written.
    """
    target = target.absolute()
    refuse_foreign(target)
    place = f"OUT {target}"
    part: Path | None = None
    try:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with deferred_interrupts():  # whoever has made it removes it
                part = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
        except OSError as error:
            raise not_written(place, error, what="cannot be made") from error
        yield part
        try:
            part.chmod(_MODE)
            _write_marker(part)
            with deferred_interrupts():
                refuse_foreign(target)  # a moment ago, and much may have happened since it was looked at first
                _put(part, target)
        except OSError as error:
            raise not_written(place, error) from error
    finally:
        if part is not None:
            remove_tree(part)  # it is the site that was there before, or one that was not finished


def refuse_foreign(target: Path) -> None:
    """Refuses a place that has something else than a site, or a site with files that are not the site's.

    Raises:
        UsageError: it has.
    """
    if not os.path.lexists(target):
        return
    following = "name a new folder, or move it away"
    if target.is_symlink() or not target.is_dir():
        raise UsageError(f"OUT {target}: expected a new folder or a site, this is a link or a file; {following}")
    there = sorted(_files(target))
    if MARKER not in there:
        if not there and not any(target.iterdir()):
            return
        seen = f"it has {there[0]}" if there else "it has folders"
        raise UsageError(
            f"OUT {target}: expected a new folder or a site that dmconform made, and there is no {MARKER} ({seen}); {following}"
        )
    head, *own = read_bounded(target / MARKER, _MOST_MARKER_BYTES).decode("utf-8", "replace").splitlines() or [""]
    if head != _HEAD:
        raise UsageError(f"OUT {target}: {MARKER} begins with {head[:60]!r}, expected {_HEAD!r}; {following}")
    foreign = sorted({*there} - {*own, MARKER})
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise UsageError(
            f"OUT {target}: has {foreign[0]}{more}, which the site did not have when it was made and would be lost; "
            "move it away"
        )


def _files(folder: Path) -> Iterator[str]:
    """Yields what is below a folder and is no folder, links too, by the place in it."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            yield path.relative_to(folder).as_posix()


def _write_marker(part: Path) -> None:
    lines = "\n".join([_HEAD, *sorted(_files(part))])
    (part / MARKER).write_text(f"{lines}\n", encoding="utf-8")


def _put(part: Path, target: Path) -> None:
    """Puts a folder in the place of another one, which takes its place in turn."""
    if not target.exists():
        part.rename(target)
    elif not _exchanged(part, target):
        old = part.with_suffix(".old")
        target.rename(old)
        try:
            part.rename(target)
        except OSError:
            old.rename(target)
            raise
        if not remove_tree(old):
            raise HarnessError(f"{old}: the former site cannot be removed; remove it")


def _exchanged(part: Path, target: Path) -> bool:
    """Exchanges two folders in one step, where C library and file system can; returns whether they did."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    if rename is None:
        return False
    return bool(rename(_AT_FDCWD, os.fsencode(part), _AT_FDCWD, os.fsencode(target), _RENAME_EXCHANGE) == 0)
