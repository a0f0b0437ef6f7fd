"""What the ABI data says of the promise: every supported pair of minors is compared, and what breaks it is listed by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from dmconform.abi.loading import known_minors
from dmconform.abi_diff.assemble import diff
from dmconform.abi_diff.changes import AbiBreak, AbiBreaks, AbiChange, Diff, Impact, MinorPair
from dmconform.abi_diff.operands import Operand, of_minor, of_release
from dmconform.abi_diff.policy import combined
from dmconform.abi_diff.requirements import measured_needs
from dmconform.abi_diff.uses import SDK_USE_FILE, load_sdk_uses
from dmconform.core import paths
from dmconform.core.values import Relation
from dmconform.core.versions import Minor
from dmconform.hosts.catalogue import load_hosts
from dmconform.spec.promise import pair_relation, promised

# By their releases; the one that the data of the minor is of comes first.
_Hosts = dict[tuple[str, ...], Operand]


def promise_findings(abi_folder: Path = paths.ABI) -> tuple[AbiBreak, ...]:
    """Returns what breaks the promise, oldest pair first; nothing if it holds as far as the data shows.

    Raises:
        DataFileError: a data file is missing or not of its format.
    """
    return compare_pairs(abi_folder).broken


def compare_pairs(abi_folder: Path = paths.ABI, *, unsupported: bool = False) -> AbiBreaks:
    """Compares each minor with the known releases of every minor on which its modules are supported.

    With `unsupported`, also each minor with the same and the next one where these are not supported: those before 1.38.

    Raises:
        DataFileError: as `promise_findings`.
    """
    minors = known_minors(abi_folder)
    pairs = [(sdk, host) for sdk in minors for host in minors if _compared(sdk, host, unsupported)]
    uses, needs = load_sdk_uses(abi_folder / SDK_USE_FILE.name), measured_needs()
    operands = {minor: of_minor(str(minor), abi_folder) for minor in minors}
    found: list[tuple[MinorPair, list[AbiBreak]]] = []
    for sdk, host in pairs:
        hosts = _hosts(host, operands[host])
        diffs = {releases: diff(operands[sdk], operand, uses, needs) for releases, operand in hosts.items()}
        found.append((_pair(sdk, host, diffs), list(_findings(sdk, host, diffs))))
    return AbiBreaks(tuple(pair for pair, _ in found), tuple(finding for _, findings in found for finding in findings))


def _compared(sdk: Minor, host: Minor, unsupported: bool) -> bool:
    return pair_relation(sdk, host) is Relation.SUPPORTED or (unsupported and host in (sdk, sdk.next()))


def _hosts(minor: Minor, base: Operand) -> _Hosts:
    """Returns the known releases of a minor; those that have the same functions and the same ABI string are one."""
    others = [host for host in load_hosts(paths.HOSTS_FILE) if host.version.minor == minor and host.release != base.release]
    groups = {_gist(base): [base]}
    for host in others:
        operand = of_release(host, base)
        groups.setdefault(_gist(operand), []).append(operand)
    return {tuple(one.release or str(minor) for one in group): group[0] for group in groups.values()}


def _gist(operand: Operand) -> tuple[frozenset[str], frozenset[str], str]:
    names = frozenset(function.name for function in operand.abi.functions)
    return names, operand.idle_hooks, operand.abi.abi_version


def _pair(sdk: Minor, host: Minor, diffs: dict[tuple[str, ...], Diff]) -> MinorPair:
    one = next(iter(diffs.values()))
    numbers = {impact: len(one.of(impact)) for impact in Impact}
    return MinorPair(
        sdk_minor=str(sdk),
        host_minor=str(host),
        host_releases=_sorted(tuple(release for releases in diffs for release in releases)),
        relation=pair_relation(sdk, host),
        promises=promised(sdk, host).ids,
        built=numbers[Impact.BUILT],
        unknown=numbers[Impact.UNKNOWN],
        rebuild=numbers[Impact.REBUILD],
        harmless=numbers[Impact.HARMLESS],
        compared=one.compared,
        policy=combined([each.policy for each in diffs.values()]),
        binds=one.binds,
    )


def _findings(sdk: Minor, host: Minor, diffs: dict[tuple[str, ...], Diff]) -> Iterator[AbiBreak]:
    """Yields each change that breaks built modules once, with all releases that have it."""
    merged: dict[tuple[str, str], AbiBreak] = {}
    for releases, one in diffs.items():
        for change in one.of(Impact.BUILT):
            key = (change.kind.value, change.subject)
            there = merged.get(key)
            merged[key] = (
                _finding(sdk, host, releases, change)
                if there is None
                else msgspec.structs.replace(there, host_releases=_sorted((*there.host_releases, *releases)))
            )
    yield from merged.values()


def _finding(sdk: Minor, host: Minor, releases: tuple[str, ...], change: AbiChange) -> AbiBreak:
    assert change.how is not None  # so it is with all that break built modules
    return AbiBreak(
        sdk_minor=str(sdk),
        host_minor=str(host),
        host_releases=_sorted(releases),
        relation=pair_relation(sdk, host),
        promises=promised(sdk, host).ids,
        subject=change.subject,
        kind=change.kind,
        how=change.how,
        points=change.points,
        used_by=change.used_by,
        detail=change.detail,
        certain=change.certain,
        rules=change.rules,
        permitted=change.permitted,
    )


def _sorted(releases: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(releases, key=lambda release: tuple(map(int, release.split(".")))))
