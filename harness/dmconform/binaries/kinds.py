"""What a file is, by its first bytes: people hand over many files that are no shared library, and each has a next step."""

from __future__ import annotations

import enum
import mmap
import re
from collections.abc import Callable, Mapping
from typing import Final

_BUILD: Final = (
    'build a shared library: crate-type = ["cdylib"] in Cargo.toml (Rust), -buildmode=c-shared (Go), -shared -fPIC (C and C++)'
)
_UNPACK: Final = "unpack it first, and give the library that is in it"
_OTHER_SYSTEM: Final = "only hosts on that system load it; build the module for Linux to check it here"


class FileKind(enum.Enum):
    """The kinds of files that are given as modules. Only the first one can be a module."""

    SHARED_LIBRARY = "a shared library"
    EXECUTABLE = "an executable"
    OBJECT_FILE = "an object file (.o)"
    CORE_DUMP = "a core dump"
    DEBUG_INFORMATION = "the debug information of a library, without its code"
    OTHER_ELF = "an ELF file of another type"
    BITCODE = "LLVM bitcode"
    STATIC_LIBRARY = "a static library (.a)"
    GO_ARCHIVE = "a Go archive (.a)"
    RUST_LIBRARY = "a Rust library (.rlib or .rmeta)"
    WINDOWS = "a Windows DLL or program (PE)"
    MACOS = "a macOS library or program (Mach-O)"
    WEB_ASSEMBLY = "WebAssembly"
    GZIP = "a gzip file"
    XZ = "an xz file"
    ZSTD = "a zstd file"
    BZIP2 = "a bzip2 file"
    ZIP = "a zip file"
    TAR = "a tar archive"
    DEBIAN_PACKAGE = "a Debian package"
    LINKER_SCRIPT = "a linker script"
    SCRIPT = "a script"
    GIT_LFS_POINTER = "a pointer of Git LFS"
    WEB_PAGE = "a web page"
    TEXT = "a text"
    EMPTY = "empty"
    OTHER = "a file of an unknown kind"

    @property
    def advice(self) -> str:
        """Returns what to do with a file of this kind, as one sentence without a full stop; empty for a shared library."""
        return _ADVICE[self]

    @property
    def sentence(self) -> str:
        """Returns what was expected, what the file is and what to do next."""
        return f"expected a shared library for Linux, this is {self.value}: {self.advice}"


_ADVICE: Final = {
    FileKind.SHARED_LIBRARY: "",
    FileKind.EXECUTABLE: _BUILD,
    FileKind.OBJECT_FILE: "link it into a shared library with -shared, after compiling it with -fPIC",
    FileKind.CORE_DUMP: "give the module's file, not the memory of a process that crashed",
    FileKind.DEBUG_INFORMATION: "give the library that it belongs to",
    FileKind.OTHER_ELF: _BUILD,
    FileKind.BITCODE: "compile it, and link it into a shared library with -shared",
    FileKind.STATIC_LIBRARY: _BUILD,
    FileKind.GO_ARCHIVE: "build it with -buildmode=c-shared",
    FileKind.RUST_LIBRARY: 'build it with crate-type = ["cdylib"] in Cargo.toml',
    FileKind.WINDOWS: _OTHER_SYSTEM,
    FileKind.MACOS: _OTHER_SYSTEM,
    FileKind.WEB_ASSEMBLY: "that is for Envoy's Wasm extension, which is another one; a dynamic module is native code",
    FileKind.GZIP: _UNPACK,
    FileKind.XZ: _UNPACK,
    FileKind.ZSTD: _UNPACK,
    FileKind.BZIP2: _UNPACK,
    FileKind.ZIP: _UNPACK,
    FileKind.TAR: _UNPACK,
    FileKind.DEBIAN_PACKAGE: _UNPACK,
    FileKind.LINKER_SCRIPT: "it only tells a linker which library to take; give that library",
    FileKind.SCRIPT: "give the file that the compiler or linker writes",
    FileKind.GIT_LFS_POINTER: "get the file that it names with: git lfs pull",
    FileKind.WEB_PAGE: "download the module again, and look at the address",
    FileKind.TEXT: "give the file that the compiler or linker writes",
    FileKind.EMPTY: "build or copy the module again, and look whether the disk is full",
    FileKind.OTHER: "give the shared library that the compiler or linker writes",
}


class ProblemKind(enum.Enum):
    """Why nothing can be read out of a file."""

    UNREADABLE = "it cannot be read"
    NO_LIBRARY = "it is no shared library"
    ARCHITECTURE = "it is for a machine that no Envoy is released for"
    TRUNCATED = "it is truncated"
    MALFORMED = "it is damaged"
    REFUSED = "the dynamic linker refuses it"
    TOO_MUCH = "it is too much for the reader"
    READER = "the reader could not do its work"

    @property
    def of_reader(self) -> bool:
        """Whether it says something about the reader or the machine, and nothing about the file."""
        return self in (ProblemKind.TOO_MUCH, ProblemKind.READER)


_Data = bytes | mmap.mmap
ELF_MAGIC: Final = b"\x7fELF"
_HEAD_BYTES: Final = 4096
_TYPES: Final = {1: FileKind.OBJECT_FILE, 2: FileKind.EXECUTABLE, 3: FileKind.SHARED_LIBRARY, 4: FileKind.CORE_DUMP}
_BEGINNINGS: Final = (
    (b"BC\xc0\xde", FileKind.BITCODE),
    (b"\xde\xc0\x17\x0b", FileKind.BITCODE),
    (b"!<thin>\n", FileKind.STATIC_LIBRARY),
    (b"rust\0\0\0", FileKind.RUST_LIBRARY),
    (b"\xfe\xed\xfa\xce", FileKind.MACOS),
    (b"\xfe\xed\xfa\xcf", FileKind.MACOS),
    (b"\xce\xfa\xed\xfe", FileKind.MACOS),
    (b"\xcf\xfa\xed\xfe", FileKind.MACOS),
    (b"\xca\xfe\xba\xbf", FileKind.MACOS),
    (b"\0asm", FileKind.WEB_ASSEMBLY),
    (b"\x1f\x8b", FileKind.GZIP),
    (b"\xfd7zXZ\0", FileKind.XZ),
    (b"\x28\xb5\x2f\xfd", FileKind.ZSTD),
    (b"BZh", FileKind.BZIP2),
    (b"PK\x03\x04", FileKind.ZIP),
    (b"PK\x05\x06", FileKind.ZIP),
    (b"version https://git-lfs.github.com/", FileKind.GIT_LFS_POINTER),
    (b"#!", FileKind.SCRIPT),
)
_OLDEST_JAVA: Final = 45
_ARCHIVE: Final = b"!<arch>\n"
_MEMBERS: Final = 64  # of an archive, looked at
_MEMBER_HEAD_BYTES: Final = 60
_TAR_AT: Final = 257
_SCRIPT: Final = re.compile(rb"(?:^|\n)\s*(?:INPUT|GROUP|OUTPUT_FORMAT|AS_NEEDED|SECTIONS)\s*[({]")
_WEB_PAGE: Final = re.compile(rb"\s*<(?:!doctype html|html)", re.IGNORECASE)
_CONTROLS: Final = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1b")


def file_kind(data: _Data) -> FileKind:
    """Returns what a file is, by its first bytes; of an archive also by the names of its first members.

    An ELF file that ends before its type counts as a shared library, which is then truncated.
    """
    head = bytes(data[:_HEAD_BYTES])
    if not head:
        return FileKind.EMPTY
    for beginning, look in _LOOK_CLOSER.items():
        if head.startswith(beginning):
            return look(head, data)
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    return FileKind.TAR if head[_TAR_AT : _TAR_AT + 5] == b"ustar" else _text_kind(head)


def _elf_kind(head: bytes, _: _Data) -> FileKind:
    if len(head) < 18:
        return FileKind.SHARED_LIBRARY
    return _TYPES.get(int.from_bytes(head[16:18], "big" if head[5] == 2 else "little"), FileKind.OTHER_ELF)


def _archive_kind(_head: bytes, data: _Data) -> FileKind:
    """Returns whose archive it is, by the members that only compilers of the one language write."""
    at = len(_ARCHIVE)
    for _ in range(_MEMBERS):
        head = bytes(data[at : at + _MEMBER_HEAD_BYTES])
        name, written = head[:16].rstrip().rstrip(b"/"), head[48:58].strip()
        if name == b"lib.rmeta":
            return FileKind.RUST_LIBRARY
        if name in (b"__.PKGDEF", b"_go_.o", b"go.o"):
            return FileKind.GO_ARCHIVE
        if name == b"debian-binary":
            return FileKind.DEBIAN_PACKAGE
        if not written.isdigit():
            break
        size = int(written)
        at += _MEMBER_HEAD_BYTES + size + size % 2
    return FileKind.STATIC_LIBRARY


def _windows_kind(head: bytes, data: _Data) -> FileKind:
    if len(head) < 64:
        return FileKind.OTHER
    place = int.from_bytes(head[60:64], "little")
    return FileKind.WINDOWS if bytes(data[place : place + 4]) == b"PE\0\0" else FileKind.OTHER


def _mach_o_kind(head: bytes, _: _Data) -> FileKind:
    """Returns whether it is Mach-O for several machines; a class of Java begins so, too, and has its version there."""
    return FileKind.MACOS if int.from_bytes(head[4:8], "big") < _OLDEST_JAVA else FileKind.OTHER


_LOOK_CLOSER: Final[Mapping[bytes, Callable[[bytes, _Data], FileKind]]] = {
    ELF_MAGIC: _elf_kind,
    _ARCHIVE: _archive_kind,
    b"MZ": _windows_kind,
    b"\xca\xfe\xba\xbe": _mach_o_kind,
}


def _text_kind(head: bytes) -> FileKind:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # Only a letter that the end of the head cuts may be incomplete.
        if error.start < _HEAD_BYTES - 4:
            return FileKind.OTHER
    if not _CONTROLS.isdisjoint(head):
        return FileKind.OTHER
    if _SCRIPT.search(head):
        return FileKind.LINKER_SCRIPT
    return FileKind.WEB_PAGE if _WEB_PAGE.match(head) else FileKind.TEXT
