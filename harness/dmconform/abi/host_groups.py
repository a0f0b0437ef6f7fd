"""Measured facts of extension points, kept once for all releases that are alike."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from dmconform.core.datafile import load_json
from dmconform.core.errors import DataFileError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.versions import Release


class OfReleases(Protocol):
    """Facts of a point on releases, a `msgspec.Struct`; all else in it is alike on the releases."""

    @property
    def point(self) -> ExtensionPoint:
        """The extension point."""
        ...

    @property
    def releases(self) -> tuple[str, ...]:
        """The releases."""
        ...


Facts = TypeVar("Facts", bound=OfReleases)
Facts_co = TypeVar("Facts_co", bound=OfReleases, covariant=True)


def grouped(points: Iterable[Facts]) -> tuple[Facts, ...]:
    """Returns facts with the releases that are alike in one entry; in the order of points and releases."""
    groups: dict[bytes, Facts] = {}
    for facts in points:
        alike = msgspec.json.encode(on_releases(facts, ()), order="deterministic")
        before = groups.get(alike)
        releases = {*facts.releases, *(before.releases if before else ())}
        groups[alike] = on_releases(facts, tuple(sorted(releases, key=Release.parse)))
    order = list(ExtensionPoint)
    return tuple(sorted(groups.values(), key=lambda one: (order.index(one.point), Release.parse(one.releases[0]))))


def renewed(old: Iterable[Facts], fresh: Iterable[Facts]) -> tuple[Facts, ...]:
    """Returns the old facts, with all of the releases in `fresh` taken from there."""
    fresh = tuple(fresh)
    new = {release for facts in fresh for release in facts.releases}
    left = ((facts, tuple(release for release in facts.releases if release not in new)) for facts in old)
    return grouped((*(on_releases(facts, releases) for facts, releases in left if releases), *fresh))


class PointsFile(Protocol[Facts_co]):
    """A file of such facts as a whole."""

    @property
    def schema(self) -> int:
        """The version of its format."""
        ...

    @property
    def points(self) -> tuple[Facts_co, ...]:
        """The facts."""
        ...


def load_points(path: Path, kind: type[PointsFile[Facts]], schema: int) -> tuple[Facts, ...]:
    """Reads a file of such facts, whose format is `kind` in this version.

    Raises:
        DataFileError: it is missing or not of its format, a release is none, or one release and point have two entries.
    """
    file = load_json(path, kind)
    if file.schema != schema:
        raise DataFileError(path, f"schema {file.schema}; this tool reads {schema}")
    _check(file.points, path)
    return file.points


def _check(points: Iterable[OfReleases], path: Path) -> None:
    seen: set[tuple[str, ExtensionPoint]] = set()
    for facts in points:
        for release in facts.releases:
            try:
                Release.parse(release)
            except ValueError as error:
                raise DataFileError(path, str(error)) from None
            if (release, facts.point) in seen:
                raise DataFileError(path, f"duplicate facts of {facts.point.value} on {release}")
            seen.add((release, facts.point))


def on_releases(facts: Facts, releases: tuple[str, ...]) -> Facts:
    """Returns the same facts as those of other releases."""
    assert isinstance(facts, msgspec.Struct)
    return msgspec.structs.replace(facts, releases=releases)
