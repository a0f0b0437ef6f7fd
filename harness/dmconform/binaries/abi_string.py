"""Reads which ABI string a module returns, and which one a host wants, as far as their bytes show."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from typing import Final

from dmconform.binaries.code import returned_abi_string
from dmconform.binaries.elf import Library, Symbol
from dmconform.binaries.facts import Known
from dmconform.binaries.search import constants, find, holds
from dmconform.core.extension_point import HOOK_PREFIX

INIT: Final = f"{HOOK_PREFIX}program_init"
_HASH_LENGTH: Final = 64
_SHA256_OF_NOTHING: Final = hashlib.sha256().hexdigest()
_VERSION: Final = re.compile(rb"\0(v\d{1,5}\.\d{1,5}\.\d{1,5})(?=\0)")
_HASH: Final = re.compile(rb"\0([0-9a-f]{64})(?=\0)")
_HEADER_START: Final = b"#pragma once\n\n// NOLINT(namespace-envoy)\n"
_HEADER_END: Final = re.compile(rb"(?://[ ]NOLINTEND|\#endif)\n")
_HEADER_LIMIT_BYTES: Final = 2 << 20
_HEADER_ENDS: Final = 64  # tried


def abi_string_of_module(library: Library, init: Symbol, known: Iterable[str]) -> tuple[str | None, Known]:
    """Returns the ABI string that a module returns, and how sure that is; `known` are the strings of known hosts."""
    usual = frozenset(known)
    returned = returned_abi_string(library, init.address, init.size, usual)
    if returned.text is not None or returned.names_others:
        return returned.text, returned.known
    hashes = [one for one in usual if len(one) == _HASH_LENGTH]
    # A hash is a sign wherever it is, for nothing else has it. A short string, such as v0.1.0, is one only where it
    # is alone, and if no other looks like one.
    signs = {one for one in hashes if holds(library, one.encode())}
    if not signs and hashes:
        signs = {one for one in [_hash_of_header(library)] if one in hashes}
    versions = constants(library, _VERSION)
    signs |= versions & usual if len(versions) == 1 or signs else set()
    return (signs.pop(), Known.INFERRED) if len(signs) == 1 else (None, Known.UNKNOWN)


def _hash_of_header(library: Library) -> str | None:
    """Returns the SHA-256 of the ABI header that a module holds.

    The official Go SDK of 1.37.0 computes its ABI string from it.
    """
    start = find(library, _HEADER_START)
    if start is None:
        return None
    text = library.data[start : start + _HEADER_LIMIT_BYTES]
    ends = [found.end() for found in _HEADER_END.finditer(text[: text.find(b"\0")])][-_HEADER_ENDS:]
    return None if not ends else hashlib.sha256(text[: ends[-1]]).hexdigest()


def abi_string_of_host(library: Library, static: Iterable[Symbol], known: Collection[str]) -> str | None:
    """Returns the ABI string of a host: what a module linked into it returns; else the only string in it that can be one."""
    for init in static:
        if text := returned_abi_string(library, init.address, init.size, known).text:
            return text
    hashes = constants(library, _HASH) - {_SHA256_OF_NOTHING}
    if hashes:
        return hashes.pop() if len(hashes) == 1 else None
    versions = constants(library, _VERSION) & frozenset(known)
    return versions.pop() if len(versions) == 1 else None
