"""The sections of a library. Their headers may be stripped or lie: what they say is a sign, and nothing depends on it."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from dmconform.binaries.elf import Library

LIMIT: Final = 65_536
_HEADER: Final = struct.Struct("<IIQQQQIIQQ")  # name, type, flags, addr, offset, size, link, info, align, entry size
_PROGBITS, _NOBITS = 1, 8
_NAME_BYTES: Final = 256


class Section(NamedTuple):
    """A section, as far as its header can be believed."""

    name: bytes
    type: int
    offset: int
    size: int


def sections_of(library: Library) -> tuple[Section, ...]:
    """Returns the sections whose headers fit the file; none where the table of headers does not."""
    data, start, count = library.data, library.header.e_shoff, library.header.e_shnum
    end = start + count * _HEADER.size
    if library.header.e_shentsize != _HEADER.size or count > LIMIT or end > len(data):
        return ()
    raw = list(_HEADER.iter_unpack(data[start:end]))
    if library.header.e_shstrndx >= len(raw):
        return ()
    _, _, _, _, names, names_size, *_ = raw[library.header.e_shstrndx]
    found: list[Section] = []
    for name, kind, _, _, offset, size, *_ in raw:
        at = names + name
        stop = data.find(b"\0", at, min(at + _NAME_BYTES, names + names_size)) if at < len(data) else -1
        if stop >= 0 and (kind == _NOBITS or offset + size <= len(data)):
            found.append(Section(data[at:stop], kind, offset, size))
    return tuple(found)


def section_bytes(library: Library, name: bytes, limit: int) -> bytes:
    """Returns the first bytes of a section's content; none where it is not there."""
    for one in sections_of(library):
        if one.name == name and one.type == _PROGBITS:
            return library.data[one.offset : one.offset + min(one.size, limit)]
    return b""
