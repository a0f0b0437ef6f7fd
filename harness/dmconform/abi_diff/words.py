"""Puts changes into words, the same in every format."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from dmconform.abi.policy import load_policy
from dmconform.abi.policy_rule import PolicyRule
from dmconform.abi_diff.changes import (
    AbiBreak,
    AbiBreaks,
    AbiChange,
    AbiChangeKind,
    AbiSide,
    Compared,
    Diff,
    How,
    Impact,
    MinorPair,
    RuleStatus,
    RuleVerdict,
    UsingSdk,
)
from dmconform.binaries.facts import Binding
from dmconform.core.text import counted
from dmconform.core.values import Relation

SHARED = "shared by all extension points"
SEVERAL = "several extension points"
NEARBY = "as far as a nearby header shows"
NO_SDK = "no SDK of that minor, as far as measured"
_SHOWN = 3  # functions of an affected type in one line
_MISSING = {Binding.NOW: "refused at load", Binding.LAZY: "the process dies at the call, unless the host binds at load"}


def side(one: AbiSide) -> str:
    """Describes a side, such as `Envoy 1.38 (1.38.3, ABI string v0.1.0)`."""
    facts = [one.envoy] if one.envoy and one.envoy not in one.label else []
    facts.append(f"ABI string {shortened(one.abi_version)}" if one.abi_version else "ABI string not known")
    return f"{one.label} ({', '.join(facts)})"


def shortened(abi_version: str) -> str:
    """Shortens a hash to its beginning; anything else stays as it is."""
    return f"{abi_version[:12]}…" if len(abi_version) == 64 else abi_version


def counts(diff: Diff) -> Iterator[tuple[Impact, int, str]]:
    """Yields how many changes there are of each impact, and of which kinds."""
    for impact in Impact:
        changes = diff.of(impact)
        yield impact, len(changes), kinds(changes)


def kinds(changes: Iterable[AbiChange]) -> str:
    """Counts kinds, such as `callback added: 93, hook added: 20`."""
    return ", ".join(f"{kind.value}: {number}" for kind, number in Counter(change.kind for change in changes).most_common())


def comparison(how: Compared) -> str:
    """Returns how far a comparison could go, as a sentence."""
    parts = [
        (how.exact, "by the headers of the releases themselves"),
        (how.nearby, NEARBY),
        (how.unknown, "unknown: a signature is not known"),
    ]
    reported = "; ".join(f"{number} {words}" for number, words in parts if number) or "nothing to compare"
    return f"{how.functions} functions on both sides: {reported}."


def group(change: AbiChange) -> str:
    """Returns the heading for a change."""
    if len(change.points) > 1:
        return SEVERAL
    return change.points[0] if change.points else SHARED


def grouped(changes: Iterable[AbiChange]) -> Iterator[tuple[str, list[AbiChange]]]:
    """Yields changes by heading, in alphabetical order, shared ones first."""
    ordered = sorted(changes, key=lambda change: (group(change) not in (SHARED, SEVERAL), group(change)))
    for heading, members in itertools.groupby(ordered, key=group):
        yield heading, list(members)


def policy_heading(binds: bool, host: str) -> str:
    """Returns how the verdicts of the policy's rules on a host are to be taken, as a sentence."""
    since = load_policy().since
    if binds:
        return f"By the rules of the compatibility policy, which came with {since}:"
    return f"By the rules of the compatibility policy, which came with {since} and does not bind {host}: a comparison only."


def verdict(one: RuleVerdict, *, everything: bool = False) -> str:
    """Returns whether a rule holds, and what breaks it: without `everything`, the first few."""
    shown = None if everything else _SHOWN
    if one.status is RuleStatus.BROKEN:
        return f"broken by {_listed(dict.fromkeys(broken.subject for broken in one.broken_by), shown, ', ')}"
    if one.status is RuleStatus.UNKNOWN:
        return f"not known: {_listed(one.unknown, shown, '; ')}"
    held = "held" if one.certain else f"held, {NEARBY}"
    return f"{held} ({'; '.join(one.remarks)})" if one.remarks and everything else held


def _listed(items: Collection[str], shown: int | None, separator: str) -> str:
    first = tuple(items)[:shown]
    more = len(items) - len(first)
    return separator.join(first) + (f" and {more} more" if more else "")


def answer(policy: Collection[RuleVerdict], must_not: int, offending: int, allowed: Collection[PolicyRule]) -> str:
    """Returns whether something must not be, as a sentence.

    Args:
        policy: the verdicts of the rules.
        must_not: how many changes must not be unless they are allowed.
        offending: how many of them are not allowed.
        allowed: the rules that are allowed to be broken.
    """
    names = ", ".join(rule.value for rule in PolicyRule if rule in allowed)
    excused = f"; allowed by {names}: {must_not - offending}" if names else ""
    if offending:
        return f"✗ {counted(offending, 'change')} break{'s' * (offending == 1)} what was released{excused}"
    unknown = ", ".join(one.rule.value for one in policy if one.status is RuleStatus.UNKNOWN)
    if unknown:
        return f"? Nothing is known to break what was released; could not be judged: {unknown}{excused}"
    nearby = "" if all(one.certain for one in policy) else f", {NEARBY}"
    return f"✓ Nothing breaks what was released{nearby}{excused}"


@dataclass(frozen=True)
class GroupedChanges:
    """Changes with the same text, besides their subjects."""

    kind: AbiChangeKind
    subjects: tuple[str, ...]
    lines: tuple[str, ...]


def bundled(changes: Iterable[AbiChange] | Iterable[AbiBreak]) -> Iterator[GroupedChanges]:
    """Groups changes of one kind that have the same text; in the order of the first of each."""
    bundles: dict[tuple[AbiChangeKind, tuple[str, ...]], list[str]] = {}
    for one in changes:
        printed = _of_change(one) if isinstance(one, AbiChange) else _of_finding(one)
        bundles.setdefault((one.kind, tuple(printed)), []).append(one.subject or "for all modules")
    for (kind, listed_once), subjects in bundles.items():
        yield GroupedChanges(kind, tuple(subjects), listed_once)


def _of_change(change: AbiChange) -> Iterator[str]:
    if change.kind is AbiChangeKind.ABI_STRING:
        yield f"{shortened(change.before)} → {shortened(change.after)}"
    if change.detail:
        yield change.detail
    if change.how is not None:
        yield change.how.value
    if change.affects:
        more = len(change.affects) - _SHOWN
        names = ", ".join(change.affects[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        yield f"affects {names}" + (f" ({', '.join(change.points)})" if len(change.points) > 1 else "")
    yield from _by_policy(change)
    if change.impact is not Impact.HARMLESS and change.kind is not AbiChangeKind.SIGNATURE_UNKNOWN:
        yield f"used by: {users(change)}"


def _by_policy(one: AbiChange | AbiBreak) -> Iterator[str]:
    if one.rules:
        yield f"{'rule' if len(one.rules) == 1 else 'rules'}: {', '.join(rule.value for rule in one.rules)}"
    if one.permitted:
        yield "the policy permits it: it was deprecated for long enough"


def users(change: AbiChange | AbiBreak) -> str:
    """Returns whose modules are concerned, and, for a missing callback, how they fail."""
    return "; ".join(_user(use, change) for use in change.used_by) or NO_SDK


def _user(use: UsingSdk, change: AbiChange | AbiBreak) -> str:
    which = use.extent.value
    if change.kind in (AbiChangeKind.HOOK_REQUIRED, AbiChangeKind.HOOK_NEEDED, AbiChangeKind.HOOK_NOT_MEASURED):
        which = "modules for this extension point, which lack it"
    outcome = f" ({_MISSING[use.binding]})" if change.how is How.MISSING else ""
    return f"{use.sdk}: {which}{outcome}"


def pair(one: MinorPair) -> str:
    """Describes a pair, such as `1.38 → 1.39 (supported by window; hosts 1.39.0, 1.39.3)`."""
    by = f" by {', '.join(one.promises)}" if one.relation is Relation.SUPPORTED and one.promises else ""
    return f"{one.sdk_minor} → {one.host_minor} ({one.relation.value}{by}; hosts {', '.join(one.host_releases)})"


def of_pair(one: MinorPair) -> str:
    """Returns the numbers of a pair, and how far they can be trusted."""
    reported = f"{one.built} break modules already built, {one.unknown} unknown, {one.rebuild} break only rebuilding"
    return f"{reported}, {one.harmless} harmless. {comparison(one.compared)}"


def findings_of(found: AbiBreaks, one: MinorPair) -> list[AbiBreak]:
    """Returns the findings of a pair."""
    wanted = (one.sdk_minor, one.host_minor)
    return [finding for finding in found.findings if (finding.sdk_minor, finding.host_minor) == wanted]


def _of_finding(finding: AbiBreak) -> Iterator[str]:
    if finding.detail:
        yield finding.detail
    yield finding.how.value
    yield f"on {', '.join(finding.host_releases)}"
    if finding.points:
        yield f"extension point: {', '.join(finding.points)}"
    yield from _by_policy(finding)
    yield f"used by: {users(finding)}"


def findings_summary(found: AbiBreaks, allowed: Collection[PolicyRule] = ()) -> str:
    """Returns one sentence for all supported pairs; `allowed` are the rules that may be broken."""
    supported = [one for one in found.pairs if one.relation is Relation.SUPPORTED]
    offending = found.offending(allowed)
    broken = {(one.sdk_minor, one.host_minor) for one in offending}
    excused = len(found.offending()) - len(offending)
    also = f" {counted(excused, 'change')} {'is' if excused == 1 else 'are'} allowed." if excused else ""
    if not broken:
        return f"Nothing in the ABI data breaks the promise, in {len(supported)} supported pairs of minors.{also}"
    names = ", ".join(f"{sdk} → {host}" for sdk, host in sorted(broken))
    return f"{len(offending)} changes break the promise, in {len(broken)} of {len(supported)} supported pairs: {names}.{also}"
