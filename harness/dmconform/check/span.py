"""The range of releases in which a module works, from the verdicts of the hosts that were asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dmconform.binaries.facts import StaticKind
from dmconform.check.result import HostEntry, HostVerdict, Span
from dmconform.core.versions import Release


def span_of(hosts: Sequence[HostEntry], known: Iterable[str], measured: bool) -> Span:
    """Returns the range. `known` are all known releases: those in the range that were not asked for are named.

    Where several hosts are of one release, it works in that release if it works on all of them. A release whose
    host lacks a symbol that was not called does not count into the range, unless there are only such.
    """
    verdicts: dict[str, HostVerdict] = {}
    unresolved: dict[str, None] = {}
    for host in sorted(hosts, key=lambda one: _order(one.release)):
        verdicts[host.release] = _worse(verdicts.get(host.release, HostVerdict.WORKS), host.verdict)
        if host.static.kind is StaticKind.UNRESOLVED:
            unresolved[host.release] = None
    works = [release for release, verdict in verdicts.items() if verdict is HostVerdict.WORKS]
    unresolved_in = [release for release in works if release in unresolved]
    counted = [release for release in works if release not in unresolved] or works
    islands = _islands(tuple(verdicts), counted)
    single = islands[0] if len(islands) == 1 else None
    return Span(
        measured=measured,
        works=tuple(works),
        breaks=tuple(release for release, verdict in verdicts.items() if verdict is HostVerdict.BREAKS),
        undecided=tuple(release for release, verdict in verdicts.items() if verdict is HostVerdict.UNDECIDED),
        unresolved=tuple(unresolved_in),
        islands=islands,
        between=_between(single, known, verdicts) if single else (),
        min_envoy_version=single[0] if single else None,
        max_envoy_version=single[1] if single else None,
    )


def _order(release: str) -> tuple[int, int, int, bool, str]:
    """Returns a key that sorts a development build before the release of its number."""
    parsed = Release.parse(release)
    return parsed.major, parsed.minor_number, parsed.patch, not parsed.suffix, parsed.suffix


def _worse(left: HostVerdict, right: HostVerdict) -> HostVerdict:
    return max(left, right, key=(HostVerdict.WORKS, HostVerdict.UNDECIDED, HostVerdict.BREAKS).index)


def _islands(ordered: Sequence[str], counted: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Returns the runs of neighbours in `ordered` that are all in `counted`."""
    islands: list[tuple[str, str]] = []
    open_island = False
    for release in ordered:
        if release not in counted:
            open_island = False
        elif open_island:
            islands[-1] = (islands[-1][0], release)
        else:
            islands.append((release, release))
            open_island = True
    return tuple(islands)


def _between(ends: tuple[str, str], known: Iterable[str], asked: Iterable[str]) -> tuple[str, ...]:
    first, last = map(_order, ends)
    missing = (release for release in known if release not in asked and first < _order(release) < last)
    return tuple(sorted(missing, key=_order))
