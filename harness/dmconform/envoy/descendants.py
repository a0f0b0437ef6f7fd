"""Ends what an Envoy's modules have started: processes that outlive it, in sessions apart too.

They are found by a mark in the environment that they were given; a process that replaces its environment is not found.
It travels in archives of cells: it imports nothing that does not.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MARK: Final = "DMCONFORM_ENVOY"
_ROUNDS: Final = 50  # what forks while it is looked for is found in the next round


def new_mark() -> str:
    """Returns the value of the mark for one Envoy."""
    return secrets.token_hex(12)


def end_descendants(mark: str) -> int:
    """Kills all processes that have a mark; returns how many there were.

    They are stopped first, so that none can start others meanwhile.
    """
    found: set[int] = set()
    for _ in range(_ROUNDS):
        new = set(_marked(mark)) - found
        if not new:
            break
        found |= new
        _signal(new, signal.SIGSTOP)
    _signal(found, signal.SIGKILL)
    return len(found)


def _signal(processes: set[int], number: signal.Signals) -> None:
    for pid in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _marked(mark: str) -> Iterator[int]:
    words = f"{MARK}={mark}".encode()
    for entry in (one.name for one in os.scandir("/proc")):
        if entry.isdecimal():
            with contextlib.suppress(OSError):  # it has ended, or is another user's
                if words in Path("/proc", entry, "environ").read_bytes().split(b"\0"):
                    yield int(entry)
