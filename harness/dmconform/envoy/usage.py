"""What an Envoy and all that it has started take of the machine, and how much they may take.

It travels in archives of cells: it imports nothing that does not.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_BLOCK_BYTES: Final = 512  # of `st_blocks`


@dataclass(frozen=True)
class Bounds:
    """What one Envoy and all that it has started may take, together."""

    memory_bytes: int = 4 << 30
    processes: int = 256
    tasks: int = 2048  # with threads; only a control group can count them
    folder_bytes: int = 1 << 30  # of its folder
    folder_entries: int = 50_000

    def exceeded_by(self, pids: Collection[int]) -> str | None:
        """Returns which bound processes exceed, in words that follow "more than"; None if none."""
        if len(pids) > self.processes:
            return f"{self.processes} processes"
        # Resident memory counts shared pages for each process that has them: it is quick, and never too small.
        if sum(map(_resident, pids)) > self.memory_bytes and sum(map(_proportional, pids)) > self.memory_bytes:
            return f"{self.memory_bytes >> 20} MiB of memory"
        return None

    def exceeded_in(self, folder: Path) -> str | None:
        """Returns which bound a folder exceeds, in words that follow "more than"; None if none."""
        size = 0
        for count, one in enumerate(_entries(folder)):
            with contextlib.suppress(OSError):
                size += one.stat(follow_symlinks=False).st_blocks * _BLOCK_BYTES
            if count >= self.folder_entries:
                return f"{self.folder_entries} files in its folder"
            if size > self.folder_bytes:
                return f"{self.folder_bytes >> 20} MiB in its folder"
        return None


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yields all below a folder, without following links."""
    waiting = [os.fspath(folder)]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as found:
            for one in found:
                yield one
                if one.is_dir(follow_symlinks=False):
                    waiting.append(one.path)


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
    return 0


def _proportional(pid: int) -> int:
    """Returns the memory of a process, in which a page that n processes share counts as 1/n."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    return 0
