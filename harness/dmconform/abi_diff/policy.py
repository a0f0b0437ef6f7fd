"""Judges changes of the ABI by the rules of the compatibility policy: which rule holds, and which is broken by what."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dmconform.abi.deprecations import Deprecated
from dmconform.abi.policy import AbiPolicy
from dmconform.abi.policy_rule import PolicyRule
from dmconform.abi_diff.changes import AbiChange, AbiChangeKind, Impact, RuleBreak, RuleStatus, RuleVerdict
from dmconform.core.versions import Minor

REMOVALS: Final = frozenset((AbiChangeKind.CALLBACK_REMOVED, AbiChangeKind.HOOK_REMOVED, AbiChangeKind.TYPE_REMOVED))
"""Kinds of changes that take something away; only they need to know what was deprecated."""

_ADDITIONS: Final = frozenset((AbiChangeKind.CALLBACK_ADDED, AbiChangeKind.HOOK_ADDED, AbiChangeKind.TYPE_ADDED))
_HOOKS: Final = frozenset((AbiChangeKind.HOOK_REQUIRED, AbiChangeKind.HOOK_NEEDED))
# What changes something under its name. Names of parameters, fields and enumerators are none of the entities that are frozen.
_IN_PLACE: Final = frozenset(
    (
        AbiChangeKind.PARAMETER_ADDED,
        AbiChangeKind.POINTER_ADDED,
        AbiChangeKind.PARAMETER_DROPPED,
        AbiChangeKind.POINTER_DROPPED,
        AbiChangeKind.PARAMETERS_MOVED,
        AbiChangeKind.PARAMETER_TYPE,
        AbiChangeKind.PARAMETER_MEANING,
        AbiChangeKind.PARAMETER_CONST,
        AbiChangeKind.RETURN_TYPE,
        AbiChangeKind.RETURN_MEANING,
        AbiChangeKind.RETURN_ADDED,
        AbiChangeKind.RETURN_DROPPED,
        AbiChangeKind.RETURN_IN_MEMORY,
        AbiChangeKind.RETURN_CONST,
        AbiChangeKind.STRUCT_LAYOUT,
        AbiChangeKind.FIELD_MEANING,
        AbiChangeKind.ENUM_VALUE_CHANGED,
        AbiChangeKind.ENUM_VALUE_REMOVED,
        AbiChangeKind.ALIAS_TARGET,
        AbiChangeKind.FUNCTION_POINTER,
        AbiChangeKind.TYPE_KIND,
        AbiChangeKind.TYPE_RENAMED,
    )
)
_BY_SIGNATURES: Final = (PolicyRule.FROZEN, PolicyRule.ADDITION, PolicyRule.ENUM_DIRECTION)
_VERSION = re.compile(r"^(?P<base>\w+?)_v(?P<number>\d{1,4})$")


@dataclass(frozen=True)
class Circumstances:
    """What a judgement needs besides the changes.

    Args:
        policy: its rules.
        release: the minor that the newer ABI ships in, or is taken to ship in where that is not known.
        release_known: whether it is known.
        deprecated: what the older ABI, or a release before it, marks as deprecated, by name.
        marks_known: whether the older ABI could have shown what is deprecated: names alone do not.
        types_known: whether both sides have types.
        exact: whether all that was compared is from the headers of the releases themselves.
    """

    policy: AbiPolicy
    release: Minor
    release_known: bool
    deprecated: Mapping[str, Deprecated]
    marks_known: bool = True
    types_known: bool = True
    exact: bool = True


@dataclass(frozen=True)
class JudgedChange:
    """The rules that one change breaks, each with the reason; or that it cannot be judged by, or that permit it."""

    broken: Mapping[PolicyRule, str] = field(default_factory=dict)
    unknown: Mapping[PolicyRule, str] = field(default_factory=dict)
    permitted: bool = False


def judge(changes: Sequence[AbiChange], circumstances: Circumstances) -> tuple[JudgedChange, ...]:
    """Returns what the policy says of each change, in their order."""
    successors = _successors(changes)
    return tuple(_judged(one, circumstances, successors.get(one.subject)) for one in changes)


def verdicts(
    changes: Sequence[AbiChange], judged: Sequence[JudgedChange], circumstances: Circumstances
) -> tuple[RuleVerdict, ...]:
    """Returns the verdict of each rule, in the order of the policy.

    Args:
        changes: all changes.
        judged: what `judge` says of each.
        circumstances: as for `judge`.
    """
    broken: dict[PolicyRule, list[RuleBreak]] = defaultdict(list)
    unknown: dict[PolicyRule, list[str]] = defaultdict(list)
    for change, one in zip(changes, judged, strict=True):
        for rule, why in one.broken.items():
            broken[rule].append(RuleBreak(change.subject, change.kind, why, change.certain))
        for rule, why in one.unknown.items():
            unknown[rule].append(why)
    for rule, why in _not_comparable(changes, circumstances):
        unknown[rule].append(why)
    return tuple(
        RuleVerdict(
            rule.id,
            _status(broken[rule.id], unknown[rule.id]),
            tuple(broken[rule.id]),
            tuple(unknown[rule.id]),
            tuple(_remarks(rule.id, changes, judged)),
            circumstances.exact or rule.id not in _BY_SIGNATURES,
        )
        for rule in circumstances.policy.rules
    )


def combined(several: Sequence[tuple[RuleVerdict, ...]]) -> tuple[RuleVerdict, ...]:
    """Returns the verdicts on several hosts as one: a rule holds where it holds on all of them.

    Args:
        several: the verdicts on each host, all of the same rules.
    """
    return tuple(_combined(of_rule) for of_rule in zip(*several, strict=True))


def _combined(of_rule: Sequence[RuleVerdict]) -> RuleVerdict:
    broken = dict.fromkeys(each for one in of_rule for each in one.broken_by)
    unknown = dict.fromkeys(each for one in of_rule for each in one.unknown)
    remarks = dict.fromkeys(each for one in of_rule for each in one.remarks)
    status = _status(list(broken), list(unknown))
    certain = all(one.certain for one in of_rule)
    return RuleVerdict(of_rule[0].rule, status, tuple(broken), tuple(unknown), tuple(remarks), certain)


def _status(broken: list[RuleBreak], unknown: list[str]) -> RuleStatus:
    return RuleStatus.BROKEN if broken else RuleStatus.UNKNOWN if unknown else RuleStatus.HELD


def _successors(changes: Sequence[AbiChange]) -> dict[str, str]:
    """Returns the newer version that was added, by the name of what it succeeds: `f_v2` by `f`, `f_v3` by `f_v2` and `f`."""
    found: dict[str, str] = {}
    for change in changes:
        name = _VERSION.match(change.subject) if change.kind in _ADDITIONS else None
        if name is None:
            continue
        for number in range(2, int(name["number"])):
            found[f"{name['base']}_v{number}"] = change.subject
        found[name["base"]] = change.subject
    return found


def _judged(change: AbiChange, circumstances: Circumstances, successor: str | None) -> JudgedChange:
    broken: dict[PolicyRule, str] = {}
    if change.kind in REMOVALS:
        removal = _removal(change, circumstances)
        if removal.permitted or removal.unknown:
            return removal
        broken |= removal.broken
    elif change.kind in _IN_PLACE:
        broken[PolicyRule.FROZEN] = change.detail or change.kind.value
    elif change.kind in _HOOKS:
        broken[PolicyRule.OPTIONAL_HOOKS] = change.detail
    elif change.kind is AbiChangeKind.HOOK_NOT_MEASURED:
        return JudgedChange(unknown={PolicyRule.OPTIONAL_HOOKS: f"{change.subject}: {change.detail}"})
    elif change.kind is AbiChangeKind.ENUM_VALUE_ADDED and change.impact is Impact.BUILT:
        broken[PolicyRule.ENUM_DIRECTION] = f"{change.detail}, and the host passes the enum to modules"
    if broken and successor is not None and change.kind not in _HOOKS:
        broken[PolicyRule.ADDITION] = f"{successor} takes its place instead of standing beside it"
    return JudgedChange(broken)


def _removal(change: AbiChange, circumstances: Circumstances) -> JudgedChange:
    mark = circumstances.deprecated.get(change.subject)
    if mark is None and not circumstances.marks_known:
        why = f"{change.subject} is gone; whether it was deprecated is not known, as of the older side only names are"
        return JudgedChange(unknown={PolicyRule.DEPRECATION: why, PolicyRule.FROZEN: why})
    if mark is None:
        why = "it is gone, and was never marked as deprecated"
        return JudgedChange({PolicyRule.FROZEN: why, PolicyRule.DEPRECATION: why})
    if circumstances.release >= mark.earliest_removal:
        return JudgedChange(permitted=True)
    release = f"{circumstances.release}" if circumstances.release_known else f"what is taken for {circumstances.release}"
    why = f"deprecated since {mark.since}, so that {mark.earliest_removal} may be the first to lack it; it is gone in {release}"
    return JudgedChange({PolicyRule.DEPRECATION: why})


def _not_comparable(changes: Sequence[AbiChange], circumstances: Circumstances) -> Iterator[tuple[PolicyRule, str]]:
    names = sum(change.kind is AbiChangeKind.SIGNATURE_UNKNOWN for change in changes)
    if names:
        functions = "one function" if names == 1 else f"{names} functions"
        yield PolicyRule.FROZEN, f"of {functions} only the name could be compared"
    if not circumstances.types_known:
        yield PolicyRule.FROZEN, "no type could be compared"
        yield PolicyRule.ENUM_DIRECTION, "no type could be compared"


def _remarks(rule: PolicyRule, changes: Sequence[AbiChange], judged: Sequence[JudgedChange]) -> Iterator[str]:
    for change, one in zip(changes, judged, strict=True):
        if rule is PolicyRule.ADDITION and change.kind in _ADDITIONS and _VERSION.match(change.subject):
            yield f"{change.subject} is new"
        elif rule is PolicyRule.OPTIONAL_HOOKS and change.kind is AbiChangeKind.HOOK_ADDED and change.detail:
            yield f"{change.subject}: {change.detail}"
        elif rule is PolicyRule.DEPRECATION and one.permitted:
            yield f"{change.subject} is gone after it was deprecated for long enough"
        elif rule is PolicyRule.ENUM_DIRECTION and change.kind is AbiChangeKind.ENUM_VALUE_ADDED and not one.broken:
            yield f"{change.subject}: {change.detail}, and no host passes the enum to modules"
