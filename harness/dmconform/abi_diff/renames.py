"""Finds types that only changed their name.

The old name is gone, the new one was not there before, and functions have the new one where they had the old one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from dmconform.abi.spelling import parse_type
from dmconform.abi.types import Abi, Alias, Enum, EnumValue, Member, Struct
from dmconform.abi_diff.shapes import World


def renamed_types(old_abi: Abi, new_abi: Abi, old: World, new: World) -> dict[str, str]:
    """Returns new names by old names.

    A type whose name is not gone, or whose place several new types take, or that differs in more than names, is not
    renamed: then it may be another thing.

    Args:
        old_abi: the older ABI; its functions give the places where a type is spelled.
        new_abi: the newer ABI.
        old: the types of the older ABI, for comparing shapes.
        new: the types of the newer ABI.

    Returns:
        The new name by the old one.
    """
    candidates: dict[str, set[str]] = defaultdict(set)
    for was, now in _places(old_abi, new_abi):
        left, right = parse_type(was).base, parse_type(now).base
        if left in old.types and left not in new.types and right in new.types and right not in old.types:
            candidates[left].add(right)
    only = ((left, next(iter(rights))) for left, rights in candidates.items() if len(rights) == 1)
    return {left: right for left, right in only if _same(left, right, old, new)}


def _places(old: Abi, new: Abi) -> Iterator[tuple[str, str]]:
    """Yields the type texts at the same place of a function that both have."""
    now = {function.name: function for function in new.functions if function.has_signature}
    for was in old.functions:
        other = now.get(was.name)
        if other is None or was.params is None or other.params is None or was.returns is None or other.returns is None:
            continue
        if len(was.params) == len(other.params):
            yield from zip(_types(was.params), _types(other.params), strict=True)
        yield was.returns, other.returns


def _types(members: tuple[Member, ...]) -> Iterator[str]:
    return (member.type for member in members)


def _same(left: str, right: str, old: World, new: World) -> bool:
    match old.types[left], new.types[right]:
        case Alias(type=was), Alias(type=now):
            return was == now
        case Enum(values=was_values), Enum(values=now_values):
            return _constants(left, was_values) == _constants(right, now_values)
        case Struct(fields=was_fields), Struct(fields=now_fields):
            return was_fields == now_fields
    return False


def _constants(name: str, values: tuple[EnumValue, ...]) -> list[tuple[str, int]]:
    """Returns the constants without their enum's name in front."""
    return [(value.name.removeprefix(name), value.value) for value in values]
