"""Folders and ports of this machine in the place of the recorded ones, and the files of the case, each in its old place."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_FIFO_POLL_S = 0.02


class Trouble(Exception):
    """The reason, as a text, why something cannot be replayed here."""


class Places:
    """The places of things on this machine."""

    def __init__(self, archive: Path, cell: Path, envoy: Path, ports: Mapping[str, int]) -> None:
        """Remembers the places.

        Args:
            archive: the folder of the unpacked archive.
            cell: a new folder for the cell.
            envoy: the binary.
            ports: on loopback, by the name of the cluster.
        """
        self._archive = archive
        self.cell = cell
        self.envoy = envoy
        self._ports = ports

    def here(self, text: str) -> str:
        """Returns a text with this machine's folders."""
        return text.replace("{{CELL}}", str(self.cell)).replace("{{ENVOY}}", str(self.envoy))

    def configuration(self, file: str) -> str:
        """Returns a configuration of the archive, as JSON with this machine's folders and ports."""
        text = (self._archive / _safe(file)).read_text(encoding="utf-8")
        for placeholder, path in (("{{CELL}}", self.cell), ("{{ENVOY}}", self.envoy)):
            text = text.replace(placeholder, json.dumps(str(path))[1:-1])
        for name, port in self._ports.items():
            text = text.replace(json.dumps(f"{{{{PORT {name}}}}}"), str(port))
        return text

    def folder(self, name: str) -> Path:
        """Returns a folder of the cell, or the cell's own; it exists."""
        folder = self.cell / _safe(name) if name else self.cell
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def put(self, change: Mapping[str, Any]) -> None:
        """Makes one change: `kind` and the rest are as `cell.json` has them."""
        target = self.cell / _safe(change["path"])
        if not target.parent.resolve().is_relative_to(self.cell.resolve()):
            raise Trouble(f"expected a path below the cell's folder, a link leads elsewhere from {change['path']!r}")
        kind, mode = change["kind"], change["mode"]
        target.parent.mkdir(parents=True, exist_ok=True)
        if kind == "gone":
            _remove(target)
        elif kind == "folder":
            target.mkdir(exist_ok=True)
            target.chmod(mode)
        elif kind == "file" and change["in_place"] and target.is_file():
            self._write_into(target, self._content(change), mode)
        elif kind in ("file", "link", "fifo"):
            part = target.with_name("being-placed")
            if kind == "link":
                part.symlink_to(self.here(change["target"]))
            elif kind == "fifo":
                os.mkfifo(part, mode)
                threading.Thread(target=_end_of_fifo, args=(target,), daemon=True).start()
            elif change["same_as"]:
                os.link(self.cell / _safe(change["same_as"]), part)
            else:
                part.write_bytes(self._content(change))
                part.chmod(mode)
            if target.is_dir() and not target.is_symlink():
                target.rmdir()
            part.replace(target)
        else:
            raise Trouble(f"expected files, links, folders and FIFOs in the cell, it had something else at {change['path']}")

    def _content(self, change: Mapping[str, Any]) -> bytes:
        if change["is_envoy"]:
            return self.envoy.read_bytes()
        content = self.bytes_of(change["sha256"])
        return self.here(content.decode()).encode() if change["is_text"] else content

    def bytes_of(self, sha256: str) -> bytes:
        """Returns the content of a file of the archive."""
        return (self._archive / "files" / _safe(sha256)).read_bytes()

    def _write_into(self, target: Path, content: bytes, mode: int) -> None:
        """Writes other bytes into the same file: a process that has it mapped sees them."""
        target.chmod(mode | 0o600)
        before = target.read_bytes()
        if content != before and content.startswith(before):  # it was written on
            with target.open("ab") as sink:
                sink.write(content[len(before) :])
        else:
            with target.open("wb") as sink:
                sink.write(content)
        target.chmod(mode)


def _safe(path: str) -> Path:
    """Returns a path below a folder, and refuses any other."""
    relative = Path(path)
    if relative.is_absolute() or ".." in relative.parts or not relative.parts:
        raise Trouble(f"expected a path below a folder of the archive or the cell, cell.json has {path!r}")
    return relative


def _end_of_fifo(fifo: Path) -> None:
    """Opens the other end of a FIFO, and closes it at once, as soon as someone waits there: no one is to wait for ever."""
    while True:
        time.sleep(_FIFO_POLL_S)
        with contextlib.suppress(OSError):  # no one waits there
            os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))


def _remove(target: Path) -> None:
    if target.is_dir() and not target.is_symlink():
        target.rmdir()
    elif target.is_symlink() or target.exists():
        target.unlink()
