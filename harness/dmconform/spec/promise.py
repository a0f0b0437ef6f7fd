"""What the documents promise for a pair of SDK and host, from `conformance/spec/promises.toml`."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dmconform.core import paths
from dmconform.core.datafile import load_toml
from dmconform.core.errors import DataFileError
from dmconform.core.values import Relation
from dmconform.core.versions import Minor


@dataclass(frozen=True)
class Minors:
    """A range of minors, both ends included; None: without an end."""

    since: Minor | None = None
    until: Minor | None = None

    def __contains__(self, minor: Minor) -> bool:
        return (self.since is None or self.since <= minor) and (self.until is None or minor <= self.until)

    @property
    def text(self) -> str:
        """The range in words."""
        if self.since is not None and self.until is not None:
            return f"{self.since} to {self.until}"
        return (
            f"{self.since} and later" if self.since is not None else f"up to {self.until}" if self.until is not None else "any"
        )


@dataclass(frozen=True)
class Promise:
    """A promise: the top of `promises.toml` has the meaning of each field."""

    id: str
    title: str
    requirement: str
    gates: bool
    sdks: Minors
    hosts: Minors
    reach: int | None

    def covers(self, sdk: Minor, host: Minor) -> bool:
        """Returns whether it is about modules of an SDK on a host."""
        steps = host.minor - sdk.minor if host.major == sdk.major else 0
        near = self.reach is None or (host.major == sdk.major and steps <= self.reach)
        return sdk in self.sdks and host in self.hosts and sdk <= host and near


@dataclass(frozen=True)
class Promised:
    """What is promised for a pair: the relation, and the promises that make it so, in the order of the file."""

    relation: Relation
    by: tuple[Promise, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the promises."""
        return tuple(one.id for one in self.by)


class _Range(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    since: str | None = None
    until: str | None = None


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    title: str
    requirement: str
    gates: bool
    sdks: _Range = _Range()
    hosts: _Range = _Range()
    reach: int | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    promise: tuple[_Entry, ...]


def load_promises(path: Path) -> tuple[Promise, ...]:
    """Loads the promises, in the order of the file.

    Raises:
        DataFileError: the file is not of its format, or a promise makes no sense.
    """
    found: dict[str, Promise] = {}
    for one in load_toml(path, _File).promise:
        if one.id in found:
            raise DataFileError(path, f"duplicate id {one.id!r}")
        if one.reach is not None and one.reach < 0:
            raise DataFileError(path, f"{one.id}: reach is {one.reach}, expected 0 or more: no promise is about older hosts")
        try:
            found[one.id] = Promise(
                one.id, one.title, one.requirement, one.gates, _minors(one.sdks), _minors(one.hosts), one.reach
            )
        except ValueError as error:
            raise DataFileError(path, f"{one.id}: {error}") from None
    if not any(one.gates for one in found.values()):
        raise DataFileError(path, "no promise has gates = true: nothing could fail")
    return tuple(found.values())


def _minors(one: _Range) -> Minors:
    since = Minor.parse(one.since) if one.since is not None else None
    until = Minor.parse(one.until) if one.until is not None else None
    if since is not None and until is not None and until < since:
        raise ValueError(f"holds since {since}, which is after {until}, its until")
    return Minors(since, until)


@functools.cache
def known_promises() -> tuple[Promise, ...]:
    """Returns the promises of this suite's data."""
    return load_promises(paths.PROMISES_FILE)


def promised(sdk: Minor, host: Minor, promises: Iterable[Promise] | None = None) -> Promised:
    """Returns what the documents promise for a module of an SDK on a host.

    Args:
        sdk: its minor.
        host: its minor.
        promises: those that count; this suite's data if None.
    """
    covering = [one for one in (known_promises() if promises is None else promises) if one.covers(sdk, host)]
    gating = tuple(one for one in covering if one.gates)
    if gating:
        return Promised(Relation.SUPPORTED, gating)
    return Promised(Relation.LEGACY, tuple(covering)) if covering else Promised(Relation.UNSUPPORTED)


def pair_relation(sdk: Minor, host: Minor) -> Relation:
    """Returns how much the documents promise for a module of an SDK on a host."""
    return promised(sdk, host).relation


def supported_in_words(sdk: Minor) -> str:
    """Returns the hosts that are supported for an SDK, by promise: `1.39, 1.40 (window); 1.40 and later (frozen)`.

    Empty where there is none.
    """
    parts = []
    for one in known_promises():
        if not one.gates or sdk not in one.sdks:
            continue
        if one.reach is None:
            first = sdk if one.hosts.since is None else max(sdk, one.hosts.since)
            if first in one.hosts:
                parts.append(f"{Minors(first, one.hosts.until).text} ({one.id})")
            continue
        near = [Minor(sdk.major, sdk.minor + step) for step in range(one.reach + 1)]
        names = [str(host) for host in near if one.covers(sdk, host)]
        if names:
            parts.append(f"{', '.join(names)} ({one.id})")
    return "; ".join(parts)
