"""Which host of one report is which of another: a build under test has another hash, and so another id, each time."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from dmconform.core.values import Host
from dmconform.core.versions import Minor
from dmconform.report.comparison.model import HostPair
from dmconform.report.schema import CellEntry, Report


def follow_hosts(old: Report, new: Report) -> tuple[Report, tuple[HostPair, ...]]:
    """Returns the old report with its hosts named as those that took their place in the new one, and which these are.

    Hosts with the same id are the same. Of the others two are paired if both are of the same minor and came from the same place
    (an image's reference, a file's name), or if one of them is not a known release and each is the only one of its minor left.
    """
    pairs = _pairs(old.hosts, new.hosts)
    if not pairs:
        return old, ()
    name = {one.old: one.new for one in pairs}
    return (
        msgspec.structs.replace(
            old,
            hosts=tuple(msgspec.structs.replace(one, id=name.get(one.id, one.id)) for one in old.hosts),
            cells=tuple(_moved(cell, name[cell.host]) if cell.host in name else cell for cell in old.cells),
            static=tuple(msgspec.structs.replace(one, host=name.get(one.host, one.host)) for one in old.static),
        ),
        pairs,
    )


def _moved(cell: CellEntry, host: str) -> CellEntry:
    return msgspec.structs.replace(cell, id=f"{cell.case}/{cell.sdk}/{host}", host=host)


def _pairs(old: Iterable[Host], new: Iterable[Host]) -> tuple[HostPair, ...]:
    here, there = {one.id: one for one in old}, {one.id: one for one in new}
    left = [one for one in here.values() if one.id not in there]
    right = [one for one in there.values() if one.id not in here]
    found: list[HostPair] = []

    def pair(key: Callable[[Host], object], *, unknown: bool) -> None:
        for one in list(left):
            its = [other for other in right if key(other) == key(one)]
            rivals = [other for other in left if key(other) == key(one)]
            if len(its) == len(rivals) == 1 and not (unknown and "~" not in one.id + its[0].id):
                found.append(HostPair(one.id, its[0].id, its[0].origin))
                left.remove(one)
                right.remove(its[0])

    pair(lambda host: (host.origin, _minor(host)), unknown=False)
    pair(_minor, unknown=True)
    return tuple(found)


def _minor(host: Host) -> Minor:
    return host.release.minor
