"""Compressed data files: one stream of xz, which is written the same way each time and read with bounds.

Of the formats that the standard library has, xz makes reports smallest: a report of 13 MB has 0.24 MB, with gzip 0.52 MB.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Final

from dmconform.core import datafile
from dmconform.core.errors import DataFileError, HarnessError

_MAGIC: Final = b"\xfd7zXZ\x00"
MOST_DECODER_BYTES: Final = 80 << 20
"""What the decoder may allocate. `xz -9` asks for 65 MiB, this module's own files for 9."""


def compress(data: bytes) -> bytes:
    """Returns `data` as one stream of xz; the same bytes each time with the same version of liblzma.

    Raises:
        HarnessError: this Python has no lzma module.
    """
    lzma = _lzma()
    compressed: bytes = lzma.compress(data, check=lzma.CHECK_SHA256, preset=6 | lzma.PRESET_EXTREME)
    return compressed


def read_plain_or_compressed(path: Path) -> bytes:
    """Returns the bytes of a file, or, if it is compressed, those that it holds; either way at most `MOST_BYTES`.

    The content decides, not the name. Neither the memory nor the size that a compressed file asks for is believed.

    Raises:
        DataFileError: it cannot be read, is not a file or too large, or is not one whole and undamaged stream of xz.
        HarnessError: it is compressed, and this Python has no lzma module.
    """
    data = datafile.read_bounded(path)
    return _decompressed(path, data, datafile.MOST_BYTES) if data.startswith(_MAGIC) else data


def _decompressed(path: Path, data: bytes, most: int) -> bytes:
    lzma = _lzma()
    decoder = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=MOST_DECODER_BYTES)
    try:
        found: bytes = decoder.decompress(data, max_length=most + 1)
    except (lzma.LZMAError, EOFError, MemoryError) as error:
        raise DataFileError(path, f"cannot be decompressed: {error}") from None
    if len(found) > most:
        raise DataFileError(path, f"too large: expected at most {most >> 20} MiB ({most} bytes) after decompression")
    if not decoder.eof:
        raise DataFileError(path, "cannot be decompressed: the file is truncated")
    if decoder.unused_data:
        raise DataFileError(path, f"expected one stream of xz; {len(decoder.unused_data)} more bytes follow it")
    return found


def _lzma() -> ModuleType:
    """Imports the standard library's module when it is needed: a Python that was built without liblzma lacks it."""
    try:
        import lzma
    except ImportError:
        raise HarnessError(
            "xz: this Python was built without the lzma module. Use another Python, or decompress the file with xz first"
        ) from None
    return lzma
