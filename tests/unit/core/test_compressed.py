"""A compressed file holds exactly what was compressed, and nothing that it asks for is believed."""

from __future__ import annotations

import lzma
import sys
import tracemalloc
import zlib
from pathlib import Path

import pytest
from dmconform.core import datafile
from dmconform.core.compressed import compress, read_plain_or_compressed
from dmconform.core.errors import DataFileError, ExitCode, HarnessError

DATA = b'{"schema_version": 1}' * 100


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "report.json"


@pytest.mark.parametrize("data", [b"", b"x", DATA])
def test_what_was_compressed_is_read(file: Path, data: bytes) -> None:
    file.write_bytes(compress(data))
    assert read_plain_or_compressed(file) == data
    assert compress(data) == compress(data)
    assert lzma.decompress(compress(data)) == data, "any program that reads xz can read it"


def test_a_plain_file_is_read_as_it_is(file: Path) -> None:
    file.write_bytes(DATA)
    assert read_plain_or_compressed(file) == DATA


def test_the_bound_is_that_of_plain_files(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datafile, "MOST_BYTES", 1000)
    file.write_bytes(compress(b"0" * 1000))
    assert len(read_plain_or_compressed(file)) == 1000
    file.write_bytes(compress(b"0" * 1001))
    with pytest.raises(DataFileError, match=r"too large: expected at most .*1000 bytes\) after decompression"):
        read_plain_or_compressed(file)


def test_a_file_that_would_become_enormous_takes_no_memory(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datafile, "MOST_BYTES", 1 << 20)
    file.write_bytes(lzma.compress(bytes(64 << 20), preset=0))
    assert file.stat().st_size < 100_000
    tracemalloc.start()
    try:
        with pytest.raises(DataFileError, match="too large"):
            read_plain_or_compressed(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def dictionary_of_4_gib(data: bytes) -> bytes:
    """The same stream, in whose header another size of the dictionary is written, with the check sum that belongs to it."""
    header = bytearray(data[12 : 12 + (data[12] + 1) * 4 - 4])
    place = header.index(b"\x21\x01") + 2  # LZMA2, with one byte of properties (The .xz File Format, 5.3.1)
    header[place] = 40
    return data[:12] + header + zlib.crc32(header).to_bytes(4, "little") + data[12 + len(header) + 4 :]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda it: it + b"\n", "1 more bytes follow it"),
        (lambda it: it + bytes(4), "4 more bytes follow it"),
        (lambda it: it + it, "more bytes follow it"),
        (dictionary_of_4_gib, "cannot be decompressed: Memory usage limit exceeded"),
        (lambda it: it[:40] + bytes([it[40] ^ 1]) + it[41:], "cannot be decompressed"),
        (lambda it: it[:12], "truncated"),
    ],
)
def test_what_is_not_one_sound_stream_is_refused(file: Path, change: object, text: str) -> None:
    assert callable(change)
    file.write_bytes(change(compress(DATA)))
    with pytest.raises(DataFileError, match=text) as error:
        read_plain_or_compressed(file)
    assert str(error.value).startswith(f"{file}: ")


def test_every_truncation_is_refused(file: Path) -> None:
    whole = compress(DATA)
    for length in range(6, len(whole)):
        file.write_bytes(whole[:length])
        with pytest.raises(DataFileError, match="truncated"):
            read_plain_or_compressed(file)


def test_a_python_without_lzma_reads_plain_files_and_says_what_to_do(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compressed = compress(DATA)
    monkeypatch.setitem(sys.modules, "lzma", None)
    file.write_bytes(DATA)
    assert read_plain_or_compressed(file) == DATA
    file.write_bytes(compressed)
    with pytest.raises(HarnessError, match="Use another Python, or decompress the file") as error:
        read_plain_or_compressed(file)
    assert error.value.exit_code is ExitCode.ERROR
