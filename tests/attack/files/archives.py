"""Hostile archives: what a build leaves, as a tar file of anybody's making; and the archive of a cell that somebody edited."""

from __future__ import annotations

import hashlib
import io
import json
import random
import shutil
import struct
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from dmconform.bundle.archive import Content, with_sums
from dmconform.bundle.replay import main as program
from dmconform.containers.outputs import read_outputs
from dmconform.core.errors import ExitCode, HarnessError

from tests.attack.attack import Attack, Try
from tests.attack.files.commands import forked
from tests.attack.files.data import mutated_bytes, mutated_json

LIMIT_BYTES: Final = 1 << 20
_BLOCK: Final = 512
_HUGE: Final = 1 << 40
_NAMES: Final = (
    "out/../../outside",
    "/etc/outside",
    "out/a\0b",
    "out//tmp/outside",
    "out/..",
    "../out",
    "out/" + "d/" * 900 + "deep",
)
_OTHERS: Final = (
    tarfile.SYMTYPE,
    tarfile.LNKTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
    tarfile.FIFOTYPE,
    tarfile.DIRTYPE,
    b"S",
    b"x",
    b"?",
)


def _tar(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as archive:
        for member, data in members:
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def _member(name: str, data: bytes = b"a module") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info, data


def _good() -> bytes:
    return _tar(_member("out/libprobe.so"), _member("out/build.json", b"{}"))


def _changed(chance: random.Random) -> bytes:
    return mutated_bytes(_good(), chance)


def _elsewhere(chance: random.Random) -> bytes:
    form = chance.choice((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
    return _tar(*(_member(name.replace("\0", "0")) for name in chance.choices(_NAMES, k=3)), form=form)


def _of_another_kind(chance: random.Random) -> bytes:
    info, data = _member("out/libprobe.so")
    info.type = chance.choice(_OTHERS)
    info.linkname = chance.choice(("/etc/passwd", "../../etc/passwd", "out/libprobe.so"))
    return _tar((info, data), _member("out/libprobe.so"))


def _header(chance: random.Random) -> bytes:
    """A field of a header, with a checksum that fits."""
    changed = bytearray(_good())
    start, size = chance.choice(((0, 100), (100, 8), (124, 12), (136, 12), (156, 1), (157, 100), (257, 8), (345, 155)))
    value = chance.choice((b"\x80" + b"\xff" * 11, b"\xff" * 12, b"77777777777\0", b"-1\0", b"", chance.randbytes(size)))
    changed[start : start + size] = value[:size].ljust(size, b"\0")
    changed[148:156] = b" " * 8
    changed[148:156] = b"%06o\0 " % sum(changed[:_BLOCK])
    return bytes(changed)


def _sparse(chance: random.Random) -> bytes:
    """A file of a terabyte in a few bytes: GNU's old form, or one of the PAX headers."""
    if chance.random() < 0.5:
        info, _ = _member("out/libprobe.so", b"")
        info.type = tarfile.GNUTYPE_SPARSE
        header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
        header[386:398], header[398:410] = b"00000000000\0", b"00000000000\0"
        header[483:495] = b"\x80" + struct.pack(">Q", _HUGE).rjust(11, b"\0")
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header[:_BLOCK])
        return bytes(header) + bytes(2 * _BLOCK)
    info, data = _member("out/libprobe.so", b"1\n0\n0\n".ljust(_BLOCK, b"\0"))
    info.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.realsize": str(_HUGE),
        "GNU.sparse.name": "out/x",
    }
    return _tar((info, data), form=tarfile.PAX_FORMAT)


def _pax(chance: random.Random) -> bytes:
    info, data = _member("out/libprobe.so")
    key = chance.choice(("size", "path", "mtime", "hdrcharset", "GNU.sparse.size", "GNU.sparse.map", "comment", "uid"))
    info.pax_headers = {key: chance.choice(("-1", str(_HUGE), "nan", "../../outside", "a" * 100_000, "1,2,3", "\udc80", ""))}
    return _tar((info, data), form=tarfile.PAX_FORMAT)


def _many(_: random.Random) -> bytes:
    return _tar(*(_member(f"out/{number}", b"") for number in range(1_500)))


def _large(_: random.Random) -> bytes:
    return _tar(_member("out/libprobe.so", bytes(LIMIT_BYTES)))


_TARS: Final[tuple[Callable[[random.Random], bytes], ...]] = (
    *(_changed, _elsewhere, _of_another_kind, _header, _header, _sparse, _pax, _many, _large),
)


def _outputs(chance: random.Random, folder: Path) -> Try:
    archive = folder / "outputs.tar"
    archive.write_bytes(chance.choice(_TARS)(chance))
    data = archive.read_bytes()

    def act() -> int:
        try:
            files = read_outputs((data[start : start + 1000] for start in range(0, len(data), 1000)), LIMIT_BYTES)
        except HarnessError:
            return ExitCode.ERROR
        assert sum(map(len, files.values())) <= LIMIT_BYTES
        assert not any(name.startswith("/") or ".." in PurePosixPath(name).parts or "\0" in name for name in files)
        return ExitCode.OK

    return forked(act, folder).judged({ExitCode.OK, ExitCode.ERROR})


# --- archives of cells ---

_PROGRAM: Final = b"#!/bin/sh\nexit 0\n"
_FILE: Final = hashlib.sha256(b"bytes {{CELL}}").hexdigest()


def _placed(path: str, kind: str, **more: object) -> dict[str, object]:
    change = {"path": path, "kind": kind, "mode": 0o644, "sha256": _FILE, "target": "", "in_place": False}
    return {**change, "same_as": "", "is_text": True, "is_envoy": False, **more}


def _cell() -> dict[str, Any]:
    changes = [
        _placed("modules", "folder", mode=0o755),
        _placed("modules/libprobe.so", "file"),
        _placed("modules/again.so", "file", same_as="modules/libprobe.so"),
        _placed("link", "link", target="{{CELL}}/modules"),
        _placed("pipe", "fifo"),
        _placed("gone", "gone"),
    ]
    files = {"folder": "", "bootstrap": "configurations/b", "listeners": "configurations/l", "working_folder": "{{CELL}}"}
    how = {"prefix": [], "arguments": ["--x", "{{CELL}}"], "environment": {"A": "{{CELL}}"}, "outcome": "neither"}
    start = {"do": "start", "pause": 0.0, "envoy": 1, **files, **how}
    look = {"do": "look", "pause": 0.0, "envoy": 1, "what": "log", "name": "text", "value": False}
    admin = {"do": "admin", "pause": 0.0, "envoy": 1, "method": "GET", "path": "/stats"}
    end = {"do": "end", "pause": 0.0, "envoy": 1, "ending": "by itself", "exit_code": 0}
    host = {"sha256": hashlib.sha256(_PROGRAM).hexdigest(), "build": "b", "origin": "o"}
    steps = [{"do": "files", "pause": 0.0, "changes": changes}, start, look, admin, end]
    described = {"cell": "a/b/c", "title": "a title", "outcome": "pass", "detail": "", "limits": ["one"], "servers": ["source"]}
    return {"format": 1, **described, "other_clusters": ["other"], "host": host, "steps": steps}


def _cell_archive(chance: random.Random, folder: Path) -> Try:
    """Replays an archive whose `cell.json` was edited; the sums fit mostly. A program that ends at once is its Envoy."""
    place, envoy, outside = folder / "a" / "cell", folder / "envoy", folder / "a" / "outside"
    envoy.write_bytes(_PROGRAM)
    envoy.chmod(0o755)
    contents = {
        "cell.json": Content(mutated_json(_cell(), chance)),
        f"files/{_FILE}": Content(b"bytes {{CELL}}"),
        "configurations/b": Content(json.dumps({"port": "{{PORT source}}", "cell": "{{CELL}}"}).encode()),
        "configurations/l": Content(b"{}"),
    }
    for name, content in with_sums(contents).items():
        data = mutated_bytes(content.data, chance) if name == "SHA256SUMS" and chance.random() < 0.1 else content.data
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    made = _files(folder)

    def act() -> int:
        vars(program)["PAUSE_S"] = 0.1  # what an archive says is bounded by it
        return program.main(place, [str(envoy), "--any-envoy"])

    done = forked(act, folder)
    left = _files(folder) - made
    found = done.judged({program.AS_RECORDED, program.NOT_AS_RECORDED, program.NOT_REPLAYED})
    if b"\x1b" in done.printed:
        found = replace(found, failure=found.failure or "an escape sequence in its output")
    if left or outside.exists():
        found = replace(found, failure=found.failure or f"it left {sorted(left)[:3]}")
    shutil.rmtree(folder / "tmp", ignore_errors=True)
    return found


def _files(folder: Path) -> set[str]:
    """Returns what is in a folder, but for the temporary files of the program, which are judged apart."""
    names = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    return {name for name in names if name.partition("/")[0] != "tmp"}


OUTPUTS = Attack("hostile build outputs", 1_000, 1, _outputs)
CELL_ARCHIVES = Attack("edited archives of cells", 300, 1, _cell_archive)
