"""Compares two ABIs: what is gone, what is new, and what of the rest differs. `classify.py` defines what that means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dmconform.abi.required_hooks import Without
from dmconform.abi.types import Abi, Documented, Function, FunctionKind, Provenance
from dmconform.abi_diff.changes import AbiChangeKind, AbiDifference, Compared, Reader
from dmconform.abi_diff.renames import renamed_types
from dmconform.abi_diff.shapes import TypeComparison, World
from dmconform.abi_diff.signatures import Signature, compare_signatures
from dmconform.abi_diff.type_changes import type_differences
from dmconform.core.extension_point import point_of

_REMOVED = {FunctionKind.CALLBACK: AbiChangeKind.CALLBACK_REMOVED, FunctionKind.HOOK: AbiChangeKind.HOOK_REMOVED}
_NOT_DOCUMENTED = "no comment of a header says that it is optional"
_IDLE_NOW = "declared still, but the host does not look it up any more"
_IDLE_BEFORE = "the older host declares the hook and never calls it"
_DOCUMENTED = {Documented.OPTIONAL: Without.WORKS, Documented.MANDATORY: Without.REFUSED}
_ADDED = {FunctionKind.CALLBACK: AbiChangeKind.CALLBACK_ADDED, FunctionKind.HOOK: AbiChangeKind.HOOK_ADDED}


Need = Callable[[str], Without | None]
"""What a host does with a module that lacks the hook of this name, as measured; None where it was not."""


def not_measured(hook: str) -> None:
    """Returns the `Need` of a host of which nothing was measured."""
    del hook


@dataclass(frozen=True)
class Party:
    """One of the two ABIs, and what was measured of a host that has it.

    `idle` are hooks that its header declares and the host never looks up: so it is with an extension point that is not
    there yet.
    """

    abi: Abi
    needs: Need = not_measured
    idle: frozenset[str] = frozenset()

    def documented(self, hook: str) -> Without | None:
        """Returns what a host does with a module that lacks the hook, as far as the header's comment says."""
        found = next((one.documented for one in self.abi.functions if one.name == hook), None)
        return None if found is None else _DOCUMENTED[found]


@dataclass(frozen=True)
class Comparisons:
    """The result of `compare`."""

    differences: tuple[AbiDifference, ...]
    compared: Compared


def compare(old: Party, new: Party) -> Comparisons:
    """Returns all differences, in no order that matters.

    Raises:
        HarnessError: an ABI has a type that it does not define, or that contains itself.
    """
    before = {function.name: function for function in old.abi.functions}
    after = {function.name: function for function in new.abi.functions}
    both = [(function, after[name]) for name, function in before.items() if name in after]
    common = frozenset(function.name for function, _ in both)
    worlds = World(old.abi), World(new.abi)
    comparison = TypeComparison(*worlds, renamed_types(old.abi, new.abi, *worlds))
    requirements = list(_requirements(old, new, common))
    reported = before.keys() | {one.subject for one in requirements}
    differences = [
        *(_removed(one, old.abi) for name, one in before.items() if name not in after),
        *(AbiDifference(_ADDED[one.kind], name) for name, one in after.items() if name not in reported),
        *(AbiDifference(AbiChangeKind.HOOK_REMOVED, name, detail=_IDLE_NOW) for name in sorted(common & (new.idle - old.idle))),
        *requirements,
    ]
    for was, now in both:
        exact = _provenance(old.abi, new.abi, was, now) is Provenance.EXACT
        differences += _function(was, now, comparison, exact=exact, idle=was.name in old.idle)
    if old.abi.types and new.abi.types:  # else one of them is a list of names, and says nothing of types
        differences += type_differences(old.abi, new.abi, comparison, common)
    levels = [_provenance(old.abi, new.abi, was, now) for was, now in both]
    counts = Compared(len(both), *(levels.count(level) for level in (Provenance.EXACT, Provenance.NEARBY, Provenance.NAME)))
    return Comparisons(tuple(differences), counts)


def _provenance(old: Abi, new: Abi, was: Function, now: Function) -> Provenance:
    """Returns how far a comparison of two signatures can be trusted: as far as the worse of them."""
    levels = {old.provenance(was), new.provenance(now)}
    return next(level for level in (Provenance.NAME, Provenance.NEARBY, Provenance.EXACT) if level in levels)


def _removed(function: Function, old: Abi) -> AbiDifference:
    declared = function.has_signature or not old.sources or not all(source.exact for source in old.sources.values())
    if function.kind is FunctionKind.CALLBACK and not declared:
        return AbiDifference(AbiChangeKind.UNDECLARED_REMOVED, function.name)
    return AbiDifference(_REMOVED[function.kind], function.name)


def _requirements(old: Party, new: Party, common: frozenset[str]) -> Iterator[AbiDifference]:
    """Yields hooks that the new host requires and the old one did not, and new hooks of which that is not known.

    A new hook matters only where the extension point is old: of a new one, no built module has anything. What was not measured
    is as the header's comment says.
    """
    points = {point_of(name) for name in old.abi.names(FunctionKind.HOOK)} - {None}
    for name in new.abi.names(FunctionKind.HOOK):
        is_new = name not in common
        if is_new and point_of(name) not in points:
            continue
        before = Without.WORKS if is_new else old.needs(name) or old.documented(name)
        measured = new.needs(name)
        after = measured or new.documented(name)
        if after is None:
            if is_new:
                yield AbiDifference(AbiChangeKind.HOOK_NOT_MEASURED, name, detail=_NOT_DOCUMENTED)
        elif before is Without.WORKS and after is not Without.WORKS:
            kind = AbiChangeKind.HOOK_REQUIRED if after is Without.REFUSED else AbiChangeKind.HOOK_NEEDED
            what = f"a module without it: {after.value}" if measured else "its header says that it is mandatory; not measured"
            yield AbiDifference(kind, name, detail=f"{what}; the hook {'is new' if is_new else 'could be left out before'}")
        elif before is Without.REFUSED and after is Without.WORKS:
            yield AbiDifference(AbiChangeKind.HOOK_OPTIONAL, name)
        elif is_new and measured is None:
            yield AbiDifference(AbiChangeKind.HOOK_ADDED, name, detail="its header says that it is optional; not measured")


def _function(was: Function, now: Function, comparison: TypeComparison, *, exact: bool, idle: bool) -> Iterator[AbiDifference]:
    if was.params is None or was.returns is None or now.params is None or now.returns is None:
        yield AbiDifference(AbiChangeKind.SIGNATURE_UNKNOWN, was.name)
        return
    old, new = Signature(was.returns, was.params), Signature(now.returns, now.params)
    host_is_callee = was.kind is FunctionKind.CALLBACK
    for one in compare_signatures(old, new, comparison):
        readers = Reader.HOST if host_is_callee is not one.in_result else Reader.MODULE
        detail = f"{one.detail}; {_IDLE_BEFORE}" if idle else one.detail
        yield AbiDifference(one.kind, was.name, readers, detail, str(old), str(new), certain=exact)
