"""Records the files that a case places in its folder, before each step, and how its servers are to answer.

`dmconform bundle` gives a cell this observer, other runs none. A file keeps its number (inode) where it is written into,
and gets another one where it is replaced: an Envoy that has it mapped sees only what is written into it. Each change is
recorded with its kind.
"""

from __future__ import annotations

import contextlib
import enum
import hashlib
import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from dmconform.core.errors import HarnessError
from dmconform.core.regular import append_regular, read_lines, read_regular
from dmconform.envoy.observer import Unobserved

RECORDED_FOLDER: Final = "recorded"
CHANGES_FILE: Final = "changes.jsonl"
MAX_FILES: Final = 2000
MAX_BYTES: Final = 512 << 20

# What an Envoy's folder holds of the harness's own.
_OWN: Final = frozenset(
    (
        *("bootstrap.json", "listeners.json", "listeners.part", "admin-address", "envoy.log", "exchanges.jsonl"),
        *("transcript.jsonl", "updates", "run-again.sh", RECORDED_FOLDER),
    )
)


class PlaceKind(enum.Enum):
    """What is at a path."""

    FILE = "file"
    LINK = "link"  # symbolic
    FOLDER = "folder"
    FIFO = "fifo"
    OTHER = "other"
    GONE = "gone"  # nothing any more


class PlacedChange(msgspec.Struct, frozen=True):
    """What is at a path now, and was not there before in this way."""

    path: str  # relative to the cell's folder
    kind: PlaceKind
    mode: int = 0  # permission bits
    sha256: str = ""  # of a file: its bytes are in `recorded/SHA256`
    target: str = ""  # of a symbolic link
    in_place: bool = False  # the file that was there before has been written into
    same_as: str = ""  # a path that is the same file


class Changed(msgspec.Struct, frozen=True, tag="files"):
    """What had changed before the next step."""

    at: float  # seconds on the clock `time.monotonic`, here and below
    changes: tuple[PlacedChange, ...]


class OfferedReply(msgspec.Struct, frozen=True):
    """A reply: see `dmconform.envoy.source_server.Reply`."""

    status: int
    manner: str  # the name of a `Manner`
    sha256: str  # of its body, which is in `recorded/SHA256`


class Offered(msgspec.Struct, frozen=True, tag="offer"):
    """The replies that a server of the case's own, on this port, was given for a path."""

    at: float
    port: int
    path: str
    replies: tuple[OfferedReply, ...]


class LetGo(msgspec.Struct, frozen=True, tag="let_go"):
    """The release of what such a server held."""

    at: float
    port: int


class Unreplayed(msgspec.Struct, frozen=True, tag="unreplayed"):
    """Something that the case did or looked at and that no archive replays or compares."""

    at: float
    what: str


Event = Changed | Offered | LetGo | Unreplayed


@dataclass(frozen=True)
class _Seen:
    """The properties of a file by which a change of it is noticed."""

    inode: int
    mode: int
    size: int
    written_ns: int
    held: int = -1  # a descriptor, so that its number is not given to another file


class PlacedFiles(Unobserved):
    """A recorder of what changes below a folder. Use `recording`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._kept = root / RECORDED_FOLDER
        self._seen: dict[str, _Seen] = {}
        self._bytes = 0
        self._unreplayed: set[str] = set()

    def look(self) -> None:
        """Notes what has changed since the last look.

        Raises:
            HarnessError: it is more than an archive is to hold.
        """
        if not self.root.is_dir():
            return
        found = dict(self._walk(self.root, ""))
        differing = [path for path in sorted(found) if self._differs(path, found[path])]
        now = []
        for path in differing:
            try:
                now.append(self._change(path, found[path], found))
            except FileNotFoundError:  # an Envoy's own, such as one that it renames when all of it is there
                del found[path]
        changes = [PlacedChange(path, PlaceKind.GONE) for path in sorted(self._seen.keys() - found.keys(), reverse=True)] + now
        for path in self._seen.keys() - found.keys():
            self._forget(path)
        for path, status in found.items():
            if self._differs(path, status):
                self._forget(path)
                self._seen[path] = self._remember(path, status)
        if changes:
            self._write(Changed(time.monotonic(), tuple(changes)))

    def offer(self, port: int, path: str, replies: Sequence[tuple[int, str, bytes]]) -> None:
        """Notes the replies that a server of the case's own is given: status, manner and body of each reply."""
        offered = tuple(OfferedReply(status, manner, self._keep_bytes(body)) for status, manner, body in replies)
        self._write(Offered(time.monotonic(), port, path, offered))

    def let_go(self, port: int) -> None:
        """Notes that such a server sends what it holds."""
        self._write(LetGo(time.monotonic(), port))

    def note_unreplayed(self, what: str) -> None:
        """Notes what the case does or looks at and no archive replays or compares; the same once."""
        if what not in self._unreplayed:
            self._unreplayed.add(what)
            self._write(Unreplayed(time.monotonic(), what))

    def _write(self, event: Event) -> None:
        self._kept.mkdir(parents=True, exist_ok=True)
        append_regular(self._kept / CHANGES_FILE, msgspec.json.encode(event) + b"\n")

    def _walk(self, folder: Path, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
        with contextlib.suppress(PermissionError, FileNotFoundError), os.scandir(folder) as entries:
            for entry in entries:
                is_envoys = not prefix or (prefix.count("/") == 1 and prefix.startswith("envoy-"))
                if is_envoys and entry.name in _OWN:
                    continue
                with contextlib.suppress(FileNotFoundError):
                    yield prefix + entry.name, entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        yield from self._walk(folder / entry.name, f"{prefix}{entry.name}/")

    def _differs(self, path: str, status: os.stat_result) -> bool:
        seen = self._seen.get(path)
        if seen is None or (seen.inode, seen.mode) != (status.st_ino, status.st_mode):
            return True
        if stat.S_ISDIR(status.st_mode):
            return False
        return (seen.size, seen.written_ns) != (status.st_size, status.st_mtime_ns)

    def _change(self, path: str, status: os.stat_result, found: dict[str, os.stat_result]) -> PlacedChange:
        mode = stat.S_IMODE(status.st_mode)
        place = self.root / path
        if stat.S_ISLNK(status.st_mode):
            return PlacedChange(path, PlaceKind.LINK, mode, target=str(place.readlink()))
        if stat.S_ISDIR(status.st_mode):
            return PlacedChange(path, PlaceKind.FOLDER, mode)
        if stat.S_ISFIFO(status.st_mode):
            return PlacedChange(path, PlaceKind.FIFO, mode)
        if not stat.S_ISREG(status.st_mode):
            return PlacedChange(path, PlaceKind.OTHER, mode)
        before = self._seen.get(path)
        in_place = before is not None and before.inode == status.st_ino
        others = [name for name, other in sorted(found.items()) if other.st_ino == status.st_ino and name < path]
        return PlacedChange(
            path, PlaceKind.FILE, mode, self._keep(place), in_place=in_place, same_as=others[0] if others else ""
        )

    def _keep(self, place: Path) -> str:
        """Keeps a copy of a file; returns its hash."""
        locked = stat.S_IMODE(place.stat().st_mode)
        if self._bytes + place.stat().st_size > MAX_BYTES:
            self._refuse()
        is_locked = not locked & stat.S_IRUSR  # the case took away the right to read it
        if is_locked:
            place.chmod(locked | stat.S_IRUSR)
        try:
            return self._keep_bytes(read_regular(place, MAX_BYTES))
        finally:
            if is_locked:
                place.chmod(locked)

    def _keep_bytes(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self._kept.mkdir(parents=True, exist_ok=True)
        kept = self._kept / digest
        if not kept.exists():
            kept.write_bytes(data)
            self._bytes += len(data)
        if self._bytes > MAX_BYTES or len(self._seen) > MAX_FILES:
            self._refuse()
        return digest

    def _refuse(self) -> NoReturn:
        raise HarnessError(
            f"{self.root}: expected a cell with at most {MAX_FILES} files of {MAX_BYTES >> 20} MiB in all, it has more; "
            "dmconform reproduce keeps its folder as it is"
        )

    def _remember(self, path: str, status: os.stat_result) -> _Seen:
        held = -1
        with contextlib.suppress(OSError):
            held = os.open(self.root / path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        return _Seen(status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, held)

    def _forget(self, path: str) -> None:
        seen = self._seen.pop(path, None)
        if seen is not None and seen.held >= 0:
            os.close(seen.held)

    def close(self) -> None:
        """Lets go of the files."""
        for path in list(self._seen):
            self._forget(path)


@contextlib.contextmanager
def recording(root: Path) -> Iterator[PlacedFiles]:
    """Yields an observer that records the files below a cell's folder in `recorded/`, until the end of the block."""
    placed = PlacedFiles(root)
    try:
        yield placed
    finally:
        placed.close()


def read_changes(root: Path) -> list[Event]:
    """Returns what `recording` left in a cell's folder."""
    lines = read_lines(root / RECORDED_FOLDER / CHANGES_FILE)
    return [msgspec.json.decode(line, type=Event) for line in lines]
