"""The range of releases in which a module works, from the verdicts of the hosts that were asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from dmconform.binaries.facts import StaticKind
from dmconform.check.judge import worst
from dmconform.check.result import HostEntry, HostVerdict, Span
from dmconform.core.versions import Release


@dataclass(frozen=True)
class Releases:
    """The releases besides those that were asked for.

    Args:
        known: all that can be downloaded.
        not_available: those that exist and cannot.
        expected: known ones that the static analysis expects to load the module.
    """

    known: tuple[str, ...]
    not_available: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()


def span_of(hosts: Sequence[HostEntry], releases: Releases, measured: bool) -> Span:
    """Returns the range, with the releases that it says nothing of.

    Where several hosts are of one release, it works in that release if it works on all of them. A release whose
    host lacks a symbol that was not called does not count into the range, unless there are only such.
    """
    verdicts: dict[str, HostVerdict] = {}
    unresolved: dict[str, None] = {}
    for host in sorted(hosts, key=lambda one: release_order(one.release)):
        verdicts[host.release] = worst((verdicts.get(host.release, HostVerdict.WORKS), host.verdict))
        if host.static.kind is StaticKind.UNRESOLVED:
            unresolved[host.release] = None
    works = [release for release, verdict in verdicts.items() if verdict is HostVerdict.WORKS]
    unresolved_in = [release for release in works if release in unresolved]
    counted = [release for release in works if release not in unresolved] or works
    ranges = islands(tuple(verdicts), counted)
    single = ranges[0] if len(ranges) == 1 else None
    return Span(
        measured=measured,
        works=tuple(works),
        breaks=tuple(release for release, verdict in verdicts.items() if verdict in (HostVerdict.BREAKS, HostVerdict.ERRORS)),
        undecided=tuple(release for release, verdict in verdicts.items() if verdict is HostVerdict.UNDECIDED),
        unresolved=tuple(unresolved_in),
        islands=ranges,
        between=_between(single, releases.known, verdicts) if single else (),
        not_available=_next_to(single, releases.not_available) if single else (),
        expected=() if works else tuple(one for one in releases.expected if one not in verdicts),
        min_envoy_version=single[0] if single else None,
        max_envoy_version=single[1] if single else None,
    )


def release_order(release: str) -> tuple[int, int, int, bool, str]:
    """Returns a key that sorts a development build before the release of its number."""
    parsed = Release.parse(release)
    return parsed.major, parsed.minor_number, parsed.patch, not parsed.suffix, parsed.suffix


def islands(ordered: Sequence[str], counted: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Returns the runs of neighbours in `ordered` that are all in `counted`, each from its first to its last."""
    found: list[tuple[str, str]] = []
    open_island = False
    for release in ordered:
        if release not in counted:
            open_island = False
        elif open_island:
            found[-1] = (found[-1][0], release)
        else:
            found.append((release, release))
            open_island = True
    return tuple(found)


def _between(ends: tuple[str, str], known: Iterable[str], asked: Iterable[str]) -> tuple[str, ...]:
    first, last = map(release_order, ends)
    missing = (release for release in known if release not in asked and first < release_order(release) < last)
    return tuple(sorted(missing, key=release_order))


def _next_to(ends: tuple[str, str], not_available: Iterable[str]) -> tuple[str, ...]:
    """Returns the releases of the minors of a range that lie in it, or next to its ends."""
    minors = {Release.parse(end).minor for end in ends}
    first, last = map(release_order, ends)
    near = (one for one in not_available if Release.parse(one).minor in minors or first < release_order(one) < last)
    return tuple(sorted(near, key=release_order))
