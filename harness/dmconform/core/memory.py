"""A bound of memory for reading what a stranger wrote: a few kilobytes can ask for gigabytes."""

from __future__ import annotations

import contextlib
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dmconform.core.errors import HarnessError

MOST_BYTES: Final = 72 << 20
"""What is made of a file may take so much, besides the bytes of the file. A report of 20,000 cells takes a third of it."""
_STATM: Final = Path("/proc/self/statm")
_DATA: Final = 5  # the number of pages that the kernel counts for this limit is the sixth there


@contextlib.contextmanager
def bounded_memory(file: Path, most: int = MOST_BYTES) -> Iterator[None]:
    """Bounds the memory that the block takes more than there is now, for this whole process: no other thread may need it.

    Raises:
        HarnessError: the block needs more; `file` is what it reads.
    """
    before = soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _taken() + most
    bound = min(wanted, *(sys.maxsize if one == resource.RLIM_INFINITY else one for one in before))
    resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))
    try:
        yield
    except MemoryError:
        if bound < wanted:
            raise  # the caller's own limit
        raise HarnessError(f"{file}: too much for the reader: it takes more than {most >> 20} MiB of memory") from None
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _taken() -> int:
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[_DATA])
    except OSError:  # there is no such file system: no bound then
        return sys.maxsize >> 1
    return pages * resource.getpagesize()
