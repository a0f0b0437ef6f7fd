"""Folders as values: the same tar archive and the same hash for the same content, wherever and whenever."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from dmconform.core.errors import HarnessError

USER_ID = 10001
"""The user of files in a container: one that no machine has."""
IGNORED = frozenset({"__pycache__", "target", ".git"})
"""What building and testing by hand leaves in source folders."""


@dataclass(frozen=True)
class Link:
    """The target of a symbolic link."""

    target: str


@dataclass(frozen=True)
class Entry:
    """A file, given by its content or by the path that it is read from when needed, or a symbolic link."""

    content: bytes | Path | Link
    executable: bool = False


@dataclass(frozen=True)
class TarTree:
    """A folder's content: entries by their relative path, in order."""

    entries: Mapping[str, Entry]

    @classmethod
    def from_folder(cls, folder: Path, ignored: Collection[str] = IGNORED) -> TarTree:
        """Returns the files below a folder, without files and folders of the ignored names.

        Raises:
            HarnessError: the folder is missing, or contains something other than files, folders and links.
        """
        if not folder.is_dir():
            raise HarnessError(f"the folder {folder} is needed, and is not there")
        return cls(dict(sorted(walk(folder, "", ignored), key=lambda item: item[0])))

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], executable: Collection[str] = ()) -> TarTree:
        """Returns a tree of files given by their content."""
        return cls({name: Entry(files[name], executable=name in executable) for name in sorted(files)})

    def digest(self) -> str:
        """Returns a hash of everything that matters: names, kinds, contents, the executable bit."""
        whole = hashlib.sha256()
        for name, entry in self.entries.items():
            content = entry.content
            if isinstance(content, Link):
                kind, digest = "link", hashlib.sha256(content.target.encode()).hexdigest()
            elif isinstance(content, bytes):
                kind, digest = "file", hashlib.sha256(content).hexdigest()
            else:
                with content.open("rb") as file:
                    kind, digest = "file", hashlib.file_digest(file, "sha256").hexdigest()
            whole.update(f"{kind}\0{name}\0{entry.executable:d}\0{digest}\n".encode())
        return whole.hexdigest()

    def add_to(self, archive: tarfile.TarFile, prefix: str) -> None:
        """Adds the folder to an archive below a prefix, with the folders on the way."""
        folders = {prefix} if prefix else set()
        for name in self.entries:
            folders.update(str(parent) for parent in PurePosixPath(prefix, name).parents)
        for folder in sorted(folders - {"."}):
            add_folder(archive, folder)
        for name, entry in self.entries.items():
            info = header(str(PurePosixPath(prefix, name)), 0o755 if entry.executable else 0o644)
            content = entry.content
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            elif isinstance(content, Path):
                with content.open("rb") as file:
                    info.size = os.fstat(file.fileno()).st_size
                    archive.addfile(info, file)
            else:
                info.type, info.linkname = tarfile.SYMTYPE, content.target
                archive.addfile(info)


def tree_hash(folder: Path, ignored: Collection[str] = IGNORED) -> str:
    """Returns a hash of a folder's content, for the keys of a build cache."""
    return TarTree.from_folder(folder, ignored).digest()


def walk(folder: Path, prefix: str, ignored: Collection[str]) -> Iterator[tuple[str, Entry]]:
    """Yields the entries below a folder, in no order."""
    with os.scandir(folder) as items:
        for item in items:
            if item.name in ignored:
                continue
            name = prefix + item.name
            if item.is_symlink():
                yield name, Entry(Link(str(Path(item.path).readlink())))
            elif item.is_dir():
                yield from walk(Path(item.path), name + "/", ignored)
            elif item.is_file():
                yield name, Entry(Path(item.path), executable=bool(item.stat().st_mode & stat.S_IXUSR))
            else:
                raise HarnessError(f"{item.path} is neither a file nor a folder nor a symbolic link")


def header(name: str, mode: int) -> tarfile.TarInfo:
    """Returns a tar header that does not depend on when and by whom it was made."""
    info = tarfile.TarInfo(name)
    info.mode, info.uid, info.gid, info.mtime = mode, USER_ID, USER_ID, 0
    return info


def add_folder(archive: tarfile.TarFile, name: str) -> None:
    """Adds an empty folder to an archive."""
    info = header(name, 0o755)
    info.type = tarfile.DIRTYPE
    archive.addfile(info)


def write_archive(file: IO[bytes], trees: Mapping[str, TarTree], folders: Collection[str] = ()) -> None:
    """Writes an archive of trees, each below its name, and of empty folders."""
    with disk_full(getattr(file, "name", "a temporary file")):
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for folder in sorted(folders):
                add_folder(archive, folder)
            for prefix in sorted(trees):
                trees[prefix].add_to(archive, prefix)
        file.flush()


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes a job's outputs into a folder.

    Raises:
        HarnessError: a name leads out of the folder, or the disk is full.
    """
    for name, content in sorted(files.items()):
        relative = PurePosixPath(name)
        if relative.is_absolute() or ".." in relative.parts or not relative.parts:
            raise HarnessError(f"an output has the name {name!r}, which is not inside {folder}")
        path = folder / relative
        with disk_full(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


@contextlib.contextmanager
def disk_full(path: object) -> Iterator[None]:
    """Turns the error of a full disk into a clear message.

    Raises:
        HarnessError: there is none.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise HarnessError(f"No space is left for {path}. Free some, and run again.") from error
        raise
