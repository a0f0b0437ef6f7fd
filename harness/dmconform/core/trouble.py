"""Trouble of the machine, distinguished from a defect of the harness: no room on a disk, no processes, no memory."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import Final

from dmconform.core.errors import HarnessError, UsageError

FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
"""What a write ends with where there is no room, on the disk or within a limit."""
SCARCE: Final = frozenset((errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM))
"""What starting a program ends with where the machine has not enough of something, whatever the program is."""
ROOM_BYTES: Final = 1 << 16
"""At least what a host needs for its log and its addresses."""
_NEXT: Final = {
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "end what has many files open",
    errno.EAGAIN: "raise the limit of processes (ulimit -u), or end some",
    errno.ENOMEM: "give it more memory",
    errno.EIO: "look at the disk",
    errno.EACCES: "give it the right to do so",
    errno.EPERM: "give it the right to do so",
    errno.EROFS: "name a place that can be written to",
    **dict.fromkeys(FULL, "free room there"),
}


def is_full(error: BaseException) -> bool:
    """Returns whether an error says that there is no room to write to."""
    return isinstance(error, OSError) and error.errno in FULL


def has_no_room(folder: Path) -> bool:
    """Returns whether a folder has no room for what a host writes: then nothing that fails there is the host's fault."""
    scrap = folder / ".room"
    try:
        scrap.write_bytes(bytes(ROOM_BYTES))
    except OSError as error:
        return is_full(error)
    finally:
        with contextlib.suppress(OSError):
            scrap.unlink(missing_ok=True)
    return False


def machine_trouble(error: BaseException) -> str | None:
    """Returns what the machine refused and what to do about it; None where an error is not for want of something."""
    if isinstance(error, OSError) and error.errno in _NEXT:
        names = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes | os.PathLike)]
        return f"{': '.join([*names, os.strerror(error.errno)])}; {_NEXT[error.errno]}"
    if isinstance(error, MemoryError):
        return "there is no memory left; give it more"
    if isinstance(error, RuntimeError) and _NO_THREAD in str(error):
        return "no more threads can be started; raise the limit of processes (ulimit -u), or end some"
    return None


_NO_THREAD: Final = "can't start new thread"
# As C, Go, Rust and Python say it.
_SCARCE_WORDS: Final = (
    *(os.strerror(number) for number in sorted(SCARCE)),
    "failed to create new OS thread",
    _NO_THREAD,
)


def scarcity_of(error: BaseException) -> str | None:
    """Returns what the machine lacked where an error, or what it was raised for, is for want of something; else None."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        if not isinstance(one, OSError) or one.errno in SCARCE or is_full(one):
            trouble = machine_trouble(one)
            if trouble is not None:
                return trouble
        one = one.__cause__ or one.__context__
    return None


def scarcity_in(printed: str) -> str | None:
    """Returns the last line of a program's output that says that the machine lacked something; None where none does."""
    lines = (line for line in reversed(printed.splitlines()) if any(words in line for words in _SCARCE_WORDS))
    return next((line.strip()[:_LINE_CHARACTERS] for line in lines), None)


_LINE_CHARACTERS: Final = 300
_WRONG_NAME: Final = frozenset(
    (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)
)


def not_written(place: str, error: OSError, *, what: str = "cannot be written") -> HarnessError:
    """Returns the error for a file that cannot be written: one of usage only where the name that was given is the mistake.

    Args:
        place: what the message begins with: the option, the file.
        error: what writing ended with.
        what: the verb of the message.
    """
    if error.errno in _WRONG_NAME:
        return UsageError(f"{place}: {what}: {error.strerror}")
    following = _NEXT.get(error.errno or 0)
    return HarnessError(f"{place}: {what}: {error.strerror}{f'; {following}' if following else ''}")
