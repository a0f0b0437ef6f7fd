"""An archive that is the same byte for byte when it is made twice from the same contents; and its unpacking."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dmconform.core.errors import HarnessError

SUMS_FILE = "SHA256SUMS"


@dataclass(frozen=True)
class Content:
    """A file of an archive."""

    data: bytes
    is_program: bool = False


def with_sums(contents: Mapping[str, Content]) -> dict[str, Content]:
    """Returns the same with a file of the hashes of all others, as `sha256sum --check` reads it."""
    lines = [f"{hashlib.sha256(content.data).hexdigest()}  {name}\n" for name, content in sorted(contents.items())]
    return {**contents, SUMS_FILE: Content("".join(lines).encode())}


def write_archive(file: Path, top: str, contents: Mapping[str, Content]) -> None:
    """Writes a `.tar.gz` in which everything is below the folder `top`; names sorted, no times, no owners.

    Raises:
        HarnessError: the file cannot be written.
    """
    part = file.with_name(f"{file.name}.part")
    try:
        with (
            part.open("wb") as sink,
            gzip.GzipFile(filename="", mode="wb", fileobj=sink, mtime=0, compresslevel=6) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for name, content in sorted(contents.items()):
                entry = tarfile.TarInfo(f"{top}/{name}")
                entry.size = len(content.data)
                entry.mode = 0o755 if content.is_program else 0o644
                archive.addfile(entry, io.BytesIO(content.data))
        part.replace(file)
    except OSError as error:
        raise HarnessError(
            f"{file}: the archive cannot be written: {error.strerror}; free room there, or name another"
        ) from error
    finally:
        part.unlink(missing_ok=True)  # also after an interrupt


def unpack(file: Path, folder: Path) -> None:
    """Unpacks an archive that `write_archive` made into a folder that exists."""
    with tarfile.open(file) as archive:
        # An attribute and no argument: the Python of Debian 12 (3.11.2) has neither, and takes no notice of this one.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder)
