"""What forces the bounds of a module's range: for each known release outside of it, why, and what would widen the range."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dmconform.binaries.facts import Binding, ModuleFacts, ReachFacts
from dmconform.binaries.read import read_reach
from dmconform.binaries.verdict import Obstacles, shortened
from dmconform.check.bound import Bound, BoundKind, BoundSymbol
from dmconform.check.remedies import Found, Remedies, where_words
from dmconform.check.result import SdkGuess
from dmconform.check.surroundings import HostNeeds, Surroundings
from dmconform.core.extension_point import CALLBACK_PREFIX
from dmconform.core.versions import Release


def find_bounds(path: Path, module: ModuleFacts, around: Surroundings, sdk: SdkGuess) -> tuple[Bound, ...]:
    """Returns what forces the bounds of a module. Its code is looked at only if a symbol is missing on some host.

    Args:
        path: the module's file.
        module: what was read of it.
        around: what it is judged by.
        sdk: the minors whose SDK it can have been built with.
    """
    wants_reach = any(one.at_load or one.at_call for one in (around.obstacles(module, host) for host in around.hosts))
    reach = read_reach(path, module, around.points) if wants_reach else ReachFacts()
    return bounds_of(module, around, sdk, reach)


def bounds_of(module: ModuleFacts, around: Surroundings, sdk: SdkGuess, reach: ReachFacts) -> tuple[Bound, ...]:
    """Returns what forces the bounds of a module, by kind, and of a kind the newest releases first.

    Args:
        module: the module.
        around: what it is judged by.
        sdk: the minors whose SDK it can have been built with.
        reach: which of its undefined symbols the hooks of the extension points in use can reach.
    """
    found: list[Found] = []
    for host in around.hosts:
        for one in _found_on(module, host, around.obstacles(module, host)):
            same = next((other for other in reversed(found) if other.key == one.key), None)
            if same is not None and _neighbours(around, same.hosts[-1], host):
                same.hosts.append(host)
            else:
                found.append(one)
    makers = Remedies(module, around, sdk, reach)
    order = list(BoundKind)
    found.sort(key=lambda one: (order.index(one.kind), [-part for part in _order(one.hosts[-1].facts.release)]))
    return tuple(
        Bound(
            kind=one.kind,
            where=where_words([host.facts.release for host in one.hosts], makers.all),
            releases=tuple(host.facts.release for host in one.hosts),
            reason=makers.reason(one),
            missing=tuple(BoundSymbol(name, makers.reached(name)) for name in one.names),
            remedies=tuple(makers.remedies(one)),
        )
        for one in found
    )


def _order(release: str) -> tuple[int, int, int]:
    parsed = Release.parse(release)
    return parsed.major, parsed.minor_number, parsed.patch


def _neighbours(around: Surroundings, left: HostNeeds, right: HostNeeds) -> bool:
    return around.hosts.index(right) - around.hosts.index(left) == 1


def _found_on(module: ModuleFacts, host: HostNeeds, seen: Obstacles) -> Iterator[Found]:
    for names, at_load in ((seen.at_load, True), (seen.at_call, False)):
        callbacks = tuple(sorted(name for name in names if name.startswith(CALLBACK_PREFIX)))
        others = tuple(sorted(set(names) - set(callbacks)))
        if callbacks:
            # On a host that opens with RTLD_NOW, other remedies help.
            now = "RTLD_NOW" if host.facts.opens_now and module.binding is Binding.LAZY else ""
            yield Found(BoundKind.HOST_LACKS_CALLBACKS, callbacks, at_load, now, [host])
        if others:
            yield Found(BoundKind.SYMBOLS_OF_OTHERS, others, at_load, "", [host])
    if seen.hooks:
        yield Found(BoundKind.MODULE_LACKS_HOOKS, seen.hooks, True, "", [host])
    for point in seen.absent_points:
        yield Found(BoundKind.NO_EXTENSION_POINT, (), True, point.value, [host])
    if seen.refused_abi:
        words = f"its ABI string is {shortened(module.abi_version)}, and this host takes none but its own"
        yield Found(BoundKind.ABI_STRING, (), True, words, [host])
