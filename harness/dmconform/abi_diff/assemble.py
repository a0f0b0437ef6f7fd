"""Makes a `Diff`: what differs, what it does, which extension point it belongs to, and whose modules use it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, cached_property

import msgspec

from dmconform.abi.deprecations import Deprecated, deprecations
from dmconform.abi.loading import known_minors, load_every_abi
from dmconform.abi.policy import load_policy
from dmconform.abi.policy_rule import PolicyRule
from dmconform.abi.types import UNKNOWN, Abi, FunctionKind, Provenance
from dmconform.abi_diff.changes import AbiChange, AbiChangeKind, AbiDifference, AbiSide, Compared, Diff, Impact, UsingSdk
from dmconform.abi_diff.classify import classify
from dmconform.abi_diff.compare_types import Party, compare, not_measured
from dmconform.abi_diff.flow import type_uses
from dmconform.abi_diff.operands import Operand
from dmconform.abi_diff.policy import REMOVALS, Circumstances, judge, verdicts
from dmconform.abi_diff.requirements import Needs
from dmconform.abi_diff.shapes import World
from dmconform.abi_diff.uses import SdkUses, Users
from dmconform.core.extension_point import point_of
from dmconform.core.versions import Minor

_ORDER = tuple(Impact)
_OF_HOOKS_THAT_LACK = (AbiChangeKind.HOOK_REQUIRED, AbiChangeKind.HOOK_NEEDED, AbiChangeKind.HOOK_NOT_MEASURED)
_NEARBY = "as far as known from a nearby header"


def diff(old: Operand, new: Operand, uses: SdkUses, needs: Needs) -> Diff:
    """Compares two ABIs: `old` is what a module was built against, `new` is the host's.

    Args:
        old: the ABI that a module was built against.
        new: the ABI of the host.
        uses: which SDK versions call or define which functions; says whose modules a change concerns.
        needs: what releases were measured to require of modules.

    Raises:
        HarnessError: see `compare`.
    """
    found = compare(_party(old, needs), _party(new, needs))
    maker = _Maker(old, new, Users(uses.of_minor(old.minor)))
    differences = (*_abi_string(old, new), *found.differences)
    changes = sorted((maker.change(one) for one in differences), key=_sort_key)
    policy = load_policy()
    circumstances = _circumstances(old, new, changes, found.compared)
    judged = judge(changes, circumstances)
    ruled = [
        msgspec.structs.replace(change, rules=tuple(rule for rule in PolicyRule if rule in one.broken), permitted=one.permitted)
        for change, one in zip(changes, judged, strict=True)
    ]
    return Diff(
        old=_side(old),
        new=_side(new),
        compared=found.compared,
        changes=tuple(ruled),
        policy=verdicts(changes, judged, circumstances),
        binds=policy.binds(_minor(new.minor)),
        notes=tuple(_notes(old, new, needs)),
    )


def _circumstances(old: Operand, new: Operand, changes: list[AbiChange], compared: Compared) -> Circumstances:
    before, after = _minor(old.minor), _minor(new.minor)
    following = max(known_minors()[-1], before or Minor(0, 0)).next()
    removed = any(change.kind in REMOVALS for change in changes)
    return Circumstances(
        policy=load_policy(),
        release=after or following,
        release_known=after is not None,
        deprecated=_deprecated(old.abi, before or following) if removed else {},
        marks_known=bool(old.abi.sources),
        types_known=bool(old.abi.sources and new.abi.sources),
        exact=not compared.nearby,
    )


def _deprecated(abi: Abi, minor: Minor) -> dict[str, Deprecated]:
    """Returns what an ABI, and the known releases before it, mark as deprecated: of both, the later release of a removal."""
    found = deprecations({minor: abi}, load_policy())
    for name, earlier in _known_deprecations().items():
        if earlier.since <= minor:
            removals = (one.earliest_removal for one in (earlier, found.get(name)) if one is not None)
            found[name] = replace(earlier, earliest_removal=max(removals))
    return found


@cache
def _known_deprecations() -> dict[str, Deprecated]:
    return deprecations({Minor.parse(minor): abi for minor, abi in load_every_abi().items()}, load_policy())


def _minor(text: str) -> Minor | None:
    """Returns the minor; None where it is not known."""
    try:
        return Minor.parse(text)
    except ValueError:
        return None


def _party(operand: Operand, needs: Needs) -> Party:
    return Party(operand.abi, needs(operand.release), operand.idle_hooks)


def _sort_key(change: AbiChange) -> tuple[int, tuple[str, ...], str, str, str]:
    return (_ORDER.index(change.impact), change.points, change.subject, change.kind.value, change.detail)


class _Maker:
    """Turns differences into changes."""

    def __init__(self, old: Operand, new: Operand, users: Users) -> None:
        self._new = new
        self._users = users
        self._hooks = {**_hooks_by_point(new.abi), **_hooks_by_point(old.abi)}
        self._functions = frozenset(one.name for one in (*old.abi.functions, *new.abi.functions))
        self._abis = (new.abi, old.abi)

    @cached_property
    def _type_users(self) -> dict[str, tuple[str, ...]]:
        """The functions that use each type; of a type that both sides have, those of the old one."""
        return {name: tuple(sorted(use.functions)) for abi in self._abis for name, use in type_uses(abi, World(abi)).items()}

    def change(self, one: AbiDifference) -> AbiChange:
        impact, how = classify(one, host_refuses_other_strings=self._new.refuses_other_abi)
        functions = (one.subject,) if one.subject in self._functions else one.affects
        detail = one.detail if one.certain or not one.detail else f"{one.detail} ({_NEARBY})"
        return AbiChange(
            kind=one.kind,
            subject=one.subject,
            impact=impact,
            how=how,
            points=self._points(functions or self._type_users.get(one.subject, ())),
            detail=detail,
            before=one.before,
            after=one.after,
            certain=one.certain,
            affects=one.affects,
            used_by=self._used_by(one, functions),
        )

    @staticmethod
    def _points(functions: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({point.value for name in functions if (point := point_of(name)) is not None}))

    def _used_by(self, one: AbiDifference, functions: tuple[str, ...]) -> tuple[UsingSdk, ...]:
        if one.kind is AbiChangeKind.ABI_STRING:
            return self._users.all()
        if one.kind in _OF_HOOKS_THAT_LACK:
            return self._users.lacking(one.subject, self._hooks.get(point_of(one.subject), frozenset()))
        return self._users.of(functions)


def _hooks_by_point(abi: Abi) -> dict[object, frozenset[str]]:
    found: dict[object, set[str]] = {}
    for name in abi.names(FunctionKind.HOOK):
        found.setdefault(point_of(name), set()).add(name)
    return {point: frozenset(names) for point, names in found.items()}


def _abi_string(old: Operand, new: Operand) -> tuple[AbiDifference, ...]:
    before, after = old.abi.abi_version, new.abi.abi_version
    if UNKNOWN in (before, after) or before == after:
        return ()
    what = {
        True: "the host refuses modules with another one than its own",
        False: "the host loads modules with another one, with a warning",
        None: "what the host does with modules that have another one is not known",
    }
    return (AbiDifference(AbiChangeKind.ABI_STRING, "", detail=what[new.refuses_other_abi], before=before, after=after),)


def _side(operand: Operand) -> AbiSide:
    abi = operand.abi
    levels = [abi.provenance(function) for function in abi.functions]
    return AbiSide(
        label=operand.label,
        envoy=operand.release or operand.minor,
        abi_version=None if abi.abi_version == UNKNOWN else abi.abi_version,
        callbacks=len(abi.names(FunctionKind.CALLBACK)),
        hooks=len(abi.names(FunctionKind.HOOK)),
        exact=levels.count(Provenance.EXACT),
        nearby=levels.count(Provenance.NEARBY),
        name_only=levels.count(Provenance.NAME),
    )


def _notes(old: Operand, new: Operand, needs: Needs) -> list[str]:
    notes = []
    for side in (old, new):
        if not side.abi.types:
            notes.append(f"of {side.label} only names are known: no signature and no type could be compared")
        if side.abi.abi_version == UNKNOWN:
            notes.append(f"the ABI string of {side.label} is not known")
    if needs(new.release) is not_measured:
        notes.append(f"which hooks {new.label} requires is not measured")
    return notes
