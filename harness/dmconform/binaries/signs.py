"""In which language a module was written, and with which SDK, as far as its bytes show."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from dmconform.binaries.elf import Library
from dmconform.binaries.facts import Known
from dmconform.binaries.names import printable
from dmconform.binaries.search import find, holds, holds_match, parts, windows
from dmconform.binaries.sections import section_bytes

GO_SDK: Final = "github.com/envoyproxy/envoy/source/extensions/dynamic_modules"
_BUILD_INFO_MAGIC: Final = b"\xff Go buildinf:"
_BUILD_INFO_LIMIT_BYTES: Final = 1 << 20
_INLINE: Final = 2  # in the flags of Go's build information: the strings follow, since Go 1.18
_SENTINEL_BYTES: Final = 16  # before and after the list of modules
_RUSTC: Final = re.compile(rb"/rustc(?:/[0-9a-f]{40}|-1\.\d{1,4}\.\d{1,3}/library)/")
# A source of the official Rust SDK, as panics name it. Where cargo had it from git, the folder before is the commit.
_RUST_SOURCE: Final = b"source/extensions/dynamic_modules/sdk/rust/src/"
_CHECKOUT: Final = re.compile(rb"/checkouts/[\w.-]{1,100}/([0-9a-f]{7,40})/\Z")
# What only the one or the other SDK holds: text of its panics, names of its classes or files.
_OFFICIAL_RUST: Final = b"NEW_HTTP_FILTER_CONFIG_FUNCTION"
_REFERENCE_RUST: Final = b"sdk/src/envoy.rs"
_OFFICIAL_CPP: Final = b"N5Envoy14DynamicModules13HeaderMapImpl"
_REFERENCE_CPP: Final = b"N5Envoy14DynamicModules11HostHeadersE"
_REFERENCE: Final = "this suite's reference SDK"


class Signs(NamedTuple):
    """The signs that were found: `language` as in `ModuleFacts`, `sdk` in words."""

    language: str = ""
    sdk: str = ""
    known: Known = Known.UNKNOWN


def signs_of(library: Library, mangled: bool) -> Signs:
    """Looks for the signs of Go, Rust, C++ and C, in this order, as a module of an earlier one may hold parts in a later one.

    `mangled` is whether a symbol that it defines or wants has a name as C++ makes them.
    """
    return _go(library) or _rust(library) or _cpp(library, mangled) or _c(library) or Signs()


def _go(library: Library) -> Signs | None:
    text = _go_build_info(library)
    if text is None:
        return None
    lines = [line.split("\t") for line in text.splitlines()]
    modules = [line for line in lines if line[0] in ("mod", "dep", "=>") and len(line) > 1]
    for number, (kind, path, *version) in enumerate(modules):
        if path != GO_SDK or kind == "=>":
            continue
        words = f"Go SDK {path} {version[0] if version else 'without a version'}"
        if number + 1 < len(modules) and modules[number + 1][0] == "=>":
            words += f", replaced by {' '.join(modules[number + 1][1:3])}"
        return Signs("go", printable(words.encode()), Known.READ)
    return Signs("go", "", Known.READ)


def _go_build_info(library: Library) -> str | None:
    """Returns the list of modules that Go's linker puts into what it links.

    Empty where its form is not known, None without any.
    """
    for start, end in windows(library):
        at = library.data.find(_BUILD_INFO_MAGIC, start, end)
        if at < 0:
            continue
        last = next(stop for first, stop in parts(library) if first <= at < stop)
        block = library.data[at : min(at + _BUILD_INFO_LIMIT_BYTES, last)]
        if len(block) < 33 or not block[15] & _INLINE:
            return ""
        _, rest = _counted(block[32:])
        modules, _ = _counted(rest)
        return modules[_SENTINEL_BYTES:-_SENTINEL_BYTES].decode(errors="replace")
    return None


def _counted(data: bytes) -> tuple[bytes, bytes]:
    """Returns bytes that follow their length, which has 7 bits in each byte, and the rest."""
    length = 0
    for index, byte in enumerate(data[:5]):
        length |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return data[index + 1 : index + 1 + length], data[index + 1 + length :]
    return b"", b""


def _rust(library: Library) -> Signs | None:
    printed = b"rustc version" in _comment(library)
    if not printed and not holds_match(library, _RUSTC):
        return None
    return Signs("rust", _rust_sdk(library), Known.READ if printed else Known.INFERRED)


def _rust_sdk(library: Library) -> str:
    if (at := find(library, _RUST_SOURCE)) is not None:
        commit = _CHECKOUT.search(library.data[max(at - 200, 0) : at])
        return "the official Rust SDK" + (f", commit {commit[1].decode()}" if commit else "")
    if holds(library, _OFFICIAL_RUST):
        return "the official Rust SDK"
    return _REFERENCE if holds(library, _REFERENCE_RUST) else ""


def _cpp(library: Library, mangled: bool) -> Signs | None:
    # Linked statically, C++'s library leaves no symbol; the name of a class that it always has stays.
    if not mangled and not holds(library, b"St9bad_alloc\0"):
        return None
    if holds(library, _OFFICIAL_CPP):
        return Signs("cpp", "the official C++ SDK", Known.INFERRED)
    return Signs("cpp", _REFERENCE if holds(library, _REFERENCE_CPP) else "", Known.INFERRED)


def _c(library: Library) -> Signs | None:
    comment = _comment(library)
    return Signs("c", "", Known.INFERRED) if b"GCC: " in comment or b"clang version" in comment else None


def _comment(library: Library) -> bytes:
    """Returns the identification that compilers write into a library."""
    return section_bytes(library, b".comment", 1 << 16)
