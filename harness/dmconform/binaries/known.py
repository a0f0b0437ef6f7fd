"""What known releases offer to modules, from the data in `conformance/` alone: no binary is needed."""

from __future__ import annotations

import functools
from typing import Final

import msgspec

from dmconform.abi.loading import load_abi
from dmconform.abi.types import FunctionKind
from dmconform.binaries.facts import HostFacts
from dmconform.core.datafile import load_toml
from dmconform.core.extension_point import CALLBACK_PREFIX
from dmconform.core.paths import ABI, CONFORMANCE, HOSTS_FILE
from dmconform.hosts.catalogue import KnownHost, Opens, load_hosts

EXPORTS_FILE: Final = CONFORMANCE / "host_exports.toml"


class _Own(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    releases: tuple[str, ...]
    names: frozenset[str]


class Exports(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of what releases export besides callbacks."""

    common: frozenset[str]
    own: tuple[_Own, ...]

    def of(self, release: str) -> frozenset[str]:
        """Returns the names that a release exports."""
        return self.common.union(*(one.names for one in self.own if release in one.releases))


@functools.cache
def known_hosts() -> tuple[KnownHost, ...]:
    """Returns all known releases, oldest first.

    Raises:
        DataFileError: the file of hosts has a mistake.
    """
    return load_hosts(HOSTS_FILE)


@functools.cache
def known_host_facts(release: str) -> HostFacts | None:
    """Returns what a known release offers, as `read_host` reads it from its binary; None for a release that is not known.

    Raises:
        DataFileError: a data file has a mistake.
    """
    known = next((one for one in known_hosts() if one.release == release), None)
    if known is None:
        return None
    abi = load_abi(ABI, str(known.version.minor))
    functions = (abi.names(FunctionKind.CALLBACK) | abi.names(FunctionKind.HOOK) | set(known.adds)) - set(known.lacks)
    callbacks = frozenset(name for name in functions if name.startswith(CALLBACK_PREFIX))
    return HostFacts(
        release=release,
        callbacks=callbacks,
        hooks=functions - callbacks,
        other_exports=recorded_exports().of(release),
        abi_version=known.abi_version,
        refuses_other_abi=known.refuses_other_abi,
        bind_now=True,  # every known release does
        opens_now=known.opens is Opens.NOW,
        static_modules=frozenset(known.static_modules),
    )


@functools.cache
def recorded_exports() -> Exports:
    """Returns what releases export besides callbacks.

    Raises:
        DataFileError: the file has a mistake.
    """
    return load_toml(EXPORTS_FILE, Exports)
