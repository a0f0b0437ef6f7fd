"""Finds and ends what an Envoy has started: by its place in the tree of processes, and by a mark in the environment.

The tree is certain where the root is a subreaper, to which orphans fall. The mark is for what has left the tree because that
process was killed; a process that replaces its environment has none. It travels in archives of cells: it imports nothing that
does not.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

MARK: Final = "DMCONFORM_ENVOY"
_ROUNDS: Final = 50  # what forks while it is looked for is found in the next round


def new_mark() -> str:
    """Returns the value of the mark for one Envoy."""
    return secrets.token_hex(12)


def end_marked(mark: str) -> None:
    """Kills all processes that have a mark."""
    end_found(lambda: _marked(mark))


def end_descendants(root: int, but: Collection[int] = ()) -> None:
    """Kills all that a process has started, and not the process, nor some of its children with what these have started."""
    end_found(lambda: descendants(root, but))


def descendants(root: int, but: Collection[int] = ()) -> Iterator[int]:
    """Yields the processes below one, without some and what is below these."""
    waiting = [root]
    while waiting:
        for one in children(waiting.pop()):
            if one not in but:
                yield one
                waiting.append(one)


def children(pid: int) -> list[int]:
    """Returns the children of a process, of all its threads; none if it has ended."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (thread / "children").read_text(encoding="ascii").split())
    return found


def end_found(find: Callable[[], Iterable[int]]) -> None:
    """Kills all processes that a function finds. They are stopped first, so that none can start others meanwhile."""
    found: set[int] = set()
    for _ in range(_ROUNDS):
        new = set(find()) - found
        if not new:
            break
        found |= new
        _signal(new, signal.SIGSTOP)
    _signal(found, signal.SIGKILL)


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
