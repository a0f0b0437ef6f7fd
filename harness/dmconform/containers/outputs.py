"""What a job leaves, out of the archive in which it comes: code of many authors has made it, so nothing in it is believed."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import PurePosixPath

from dmconform.containers.files import disk_full
from dmconform.core.errors import HarnessError


def read_outputs(chunks: Iterable[bytes], limit: int) -> dict[str, bytes]:
    """Returns the files of an archive by their path below its first folder; links and devices are left out.

    Args:
        chunks: the archive.
        limit: how many bytes all of it, and all files together, may have.

    Raises:
        HarnessError: it is larger, it cannot be read, or a file has a name that leads elsewhere.
    """
    files: dict[str, bytes] = {}
    size = 0
    with disk_full(tempfile.gettempdir()), tempfile.TemporaryFile() as archive:
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            archive.write(chunk)
        archive.seek(0)
        left = limit
        try:
            with tarfile.open(fileobj=archive, mode="r:") as unpacked:
                for member in unpacked:
                    if not member.isreg():
                        continue
                    left -= member.size
                    if left < 0:  # a sparse file has more than it takes in the archive
                        raise _too_large(limit)
                    content = unpacked.extractfile(member)
                    if content is not None:
                        files[_below_first_folder(member.name)] = content.read()
        except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
            raise HarnessError(f"a job's outputs cannot be read: {type(error).__name__}: {error}") from None
    return files


def _too_large(limit: int) -> HarnessError:
    return HarnessError(f"a job's outputs are larger than the {limit} bytes that are allowed")


def _below_first_folder(name: str) -> str:
    """Returns the rest of a name; nothing for the archive of a single file."""
    rest = name.partition("/")[2]
    if ".." in PurePosixPath(rest).parts or rest.startswith("/") or "\0" in rest:
        raise HarnessError(f"a job's output has a name that leads elsewhere: {name!r}")
    return rest
