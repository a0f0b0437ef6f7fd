"""Locks between runs that share a cache: the kernel's, which end with the process that holds them, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from dmconform.core.errors import HarnessError

POLL_S = 0.05


@contextlib.contextmanager
def open_lock(path: Path) -> Iterator[int]:
    """Opens a lock file; closing it gives the lock up."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def only_one(path: Path, timeout_s: float, doing: str) -> Iterator[None]:
    """Lets one run at a time do something.

    Raises:
        HarnessError: another run takes longer than that.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_lock(path) as lock:
        if not lock_within(lock, fcntl.LOCK_EX, timeout_s):
            raise HarnessError(f"another run has been {doing} for more than {timeout_s:.0f} s, and holds {path}")
        yield


def lock_within(descriptor: int, kind: int, timeout_s: float) -> bool:
    """Takes a lock, waiting for it at most so long. A lock held before is given up in any case."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_S)
        else:
            return True


def unlock(descriptor: int) -> None:
    """Gives a lock up."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)


def is_locked(descriptor: int) -> bool:
    """Returns whether another process holds the lock exclusively. Releases one that this process holds."""
    if not lock_within(descriptor, fcntl.LOCK_SH, 0):
        return True
    unlock(descriptor)
    return False
