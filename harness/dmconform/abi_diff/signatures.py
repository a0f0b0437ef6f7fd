"""Compares two signatures of one function: what differs in the parameters and in the result."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from dmconform.abi.types import Member
from dmconform.abi_diff.changes import AbiChangeKind
from dmconform.abi_diff.shapes import Likeness, Sort, TypeComparison

_PARAMETER = {
    Likeness.RESPELLED: AbiChangeKind.PARAMETER_RESPELLED,
    Likeness.CONST: AbiChangeKind.PARAMETER_CONST,
    Likeness.MEANING: AbiChangeKind.PARAMETER_MEANING,
    Likeness.SHAPE: AbiChangeKind.PARAMETER_TYPE,
}
_RETURN = {
    Likeness.RESPELLED: AbiChangeKind.RETURN_RESPELLED,
    Likeness.CONST: AbiChangeKind.RETURN_CONST,
    Likeness.MEANING: AbiChangeKind.RETURN_MEANING,
    Likeness.SHAPE: AbiChangeKind.RETURN_TYPE,
}


@dataclass(frozen=True)
class Signature:
    """The values that are passed to a function and the one that it returns."""

    returns: str
    params: tuple[Member, ...]

    def __str__(self) -> str:
        """Returns the signature as a C declaration has it, without the function's name."""
        return f"{self.returns} ({', '.join(map(_spelled, self.params)) or 'void'})"


@dataclass(frozen=True)
class SignatureDifference:
    """One thing that differs, in words that name parameters by position and name."""

    kind: AbiChangeKind
    detail: str

    @property
    def in_result(self) -> bool:
        """Whether it is about what the function gives back."""
        return self.kind.name.startswith("RETURN_")


def compare_signatures(old: Signature, new: Signature, comparison: TypeComparison) -> Iterator[SignatureDifference]:
    """Yields what differs; nothing if calls compiled against one fit the other. Errors as `Comparison.likeness`."""
    yield from _results(old.returns, new.returns, comparison)
    yield from _parameters(old.params, new.params, comparison)


def _results(old: str, new: str, comparison: TypeComparison) -> Iterator[SignatureDifference]:
    if old == new:
        return
    was, now = comparison.old.shape(old), comparison.new.shape(new)
    detail = f"returned `{old}`, returns `{new}`"
    if was.in_memory != now.in_memory:
        yield SignatureDifference(
            AbiChangeKind.RETURN_IN_MEMORY, f"{detail}; one is passed by a hidden first parameter, which moves all others"
        )
    elif was.sort is Sort.VOID and now.sort is not Sort.VOID:
        yield SignatureDifference(AbiChangeKind.RETURN_ADDED, detail)
    elif now.sort is Sort.VOID and was.sort is not Sort.VOID:
        yield SignatureDifference(AbiChangeKind.RETURN_DROPPED, detail)
    else:
        kind = _RETURN.get(comparison.likeness(old, new))
        if kind is not None:
            yield SignatureDifference(kind, detail)


def _parameters(old: tuple[Member, ...], new: tuple[Member, ...], comparison: TypeComparison) -> Iterator[SignatureDifference]:
    moved = _moved(old, new, comparison)
    if moved:
        yield SignatureDifference(AbiChangeKind.PARAMETERS_MOVED, moved)
        return
    for number, (was, now) in enumerate(zip(old, new, strict=False), 1):
        kind = _PARAMETER.get(comparison.likeness(was.type, now.type))
        if kind is not None:
            yield SignatureDifference(kind, f"parameter {number}: was `{_spelled(was)}`, is `{_spelled(now)}`")
        if was.name != now.name:
            yield SignatureDifference(AbiChangeKind.PARAMETER_RENAMED, f"parameter {number}: was `{was.name}`, is `{now.name}`")
    for number, now in enumerate(new[len(old) :], len(old) + 1):
        pointer = comparison.new.shape(now.type).has_pointer
        yield SignatureDifference(
            AbiChangeKind.POINTER_ADDED if pointer else AbiChangeKind.PARAMETER_ADDED,
            f"parameter {number} `{_spelled(now)}` is new",
        )
    for number, was in enumerate(old[len(new) :], len(new) + 1):
        pointer = comparison.old.shape(was.type).has_pointer
        yield SignatureDifference(
            AbiChangeKind.POINTER_DROPPED if pointer else AbiChangeKind.PARAMETER_DROPPED,
            f"parameter {number} `{_spelled(was)}` is gone",
        )


def _moved(old: tuple[Member, ...], new: tuple[Member, ...], comparison: TypeComparison) -> str:
    """Returns how parameters moved; empty if each that stayed is where it was.

    Names show it, if they stayed; two of the same type may have changed places. Else, where the numbers differ, types show it.
    """
    places = {param.name: number for number, param in enumerate(new, 1)}
    by_name = [
        (param.name, number, places[param.name])
        for number, param in enumerate(old, 1)
        if param.name and places.get(param.name, number) != number
    ]
    fits = all(comparison.likeness(was.type, now.type) < Likeness.SHAPE for was, now in zip(old, new, strict=False))
    if not by_name and (fits or len(old) == len(new)):
        return ""
    reported = [f"`{name}` moves from {was} to {now}" for name, was, now in by_name]
    olds, news = {param.name for param in old}, set(places)
    reported += [f"parameter {number} `{_spelled(one)}` is gone" for number, one in enumerate(old, 1) if one.name not in news]
    reported += [f"parameter {number} `{_spelled(one)}` is new" for number, one in enumerate(new, 1) if one.name not in olds]
    return "; ".join(itertools.chain(reported)) or f"{len(old)} parameters before, {len(new)} now, of other types"


def _spelled(param: Member) -> str:
    return f"{param.type} {param.name}".strip()
