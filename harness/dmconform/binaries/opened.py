"""Opens a file that may be anything, and maps it to memory."""

from __future__ import annotations

import errno
import mmap
import os
import stat
from pathlib import Path
from typing import Final

from dmconform.binaries.elf import Malformed
from dmconform.binaries.kinds import FileKind, ProblemKind

FILE_LIMIT_BYTES: Final = 1 << 30
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


# Errors of a machine that lacks something, or whose disk or network does.
_OF_MACHINE: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EIO, errno.ESTALE, errno.ENOBUFS)


class Opened:
    """A regular file mapped to memory.

    Raises:
        Malformed: it cannot be read, is something else than a file, empty, or larger than any module.
    """

    def __init__(self, path: Path) -> None:
        try:
            # Without O_NONBLOCK, opening a named pipe waits for a writer.
            file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        except OSError as error:
            raise _unreadable(error) from None
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
                raise Malformed(f"expected a file, this is {kind}", ProblemKind.UNREADABLE)
            self.size = status.st_size
            if self.size == 0:
                raise Malformed(FileKind.EMPTY.sentence, ProblemKind.NO_LIBRARY, file=FileKind.EMPTY)
            if self.size > FILE_LIMIT_BYTES:
                raise Malformed(
                    f"expected a file of up to {FILE_LIMIT_BYTES} bytes, this one has {self.size}", ProblemKind.TOO_MUCH
                )
            self.data = mmap.mmap(file, self.size, access=mmap.ACCESS_READ)
        except OSError as error:
            raise _unreadable(error) from None
        finally:
            os.close(file)


def _unreadable(error: OSError) -> Malformed:
    kind = ProblemKind.READER if error.errno in _OF_MACHINE else ProblemKind.UNREADABLE
    return Malformed(f"expected a file that can be read: {error.strerror}", kind)
