"""Which types the ABI's definitions use, and an order in which each comes after those it uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dmconform.abi.spelling import PRIMITIVES, VOID, parse_type
from dmconform.abi.types import Abi, AbiType, Alias, Enum, Function, FunctionPointer, Struct
from dmconform.core.errors import HarnessError

DEEPEST: Final = 64
"""How many types may be within one another, aliases included. What walks over types goes so deep, and real ABIs have 4."""


def types_in_order(abi: Abi) -> tuple[AbiType, ...]:
    """Returns the types so that each one comes after those it uses; otherwise as the data has them.

    Raises:
        HarnessError: a type is used that the data does not define, or types need each other in a circle, or too deep.
        UnknownCType: a type is spelled in a way that the data cannot have.
    """
    known: dict[str, AbiType] = {each.name: each for each in abi.types}
    ordered: dict[str, AbiType] = {}
    depths: dict[str, int] = {}

    def place(name: str, users: tuple[str, ...]) -> int:
        if name in ordered:
            return depths[name]
        if name in users:
            chain = " -> ".join((*users, name))
            raise HarnessError(f"ABI data of {abi.envoy}: types need each other in a circle ({chain}); correct the data")
        if name not in known:
            chain = " -> ".join((*users, name))
            raise HarnessError(f"ABI data of {abi.envoy}: no type {name}, which is used ({chain}); add it to `types`")
        within = (*users, name)
        depth = len(within)
        if depth <= DEEPEST:
            depth = 1 + max((place(used, within) for used in used_types(known[name])), default=0)
        if depth > DEEPEST:
            raise HarnessError(f"ABI data of {abi.envoy}: {name}: types within types, {DEEPEST} deep at most; correct the data")
        depths[name] = depth
        ordered[name] = known[name]
        return depths[name]

    for each in abi.types:
        place(each.name, ())
    for function in abi.functions:
        for used in used_types(function):
            place(used, (function.name,))
    return tuple(ordered.values())


def used_types(item: AbiType | Function) -> Iterator[str]:
    """Yields the names of the types that a definition spells out, plain ones of C aside, as often as it does.

    Raises:
        UnknownCType: see `types_in_order`.
    """
    for text in spelled_types(item):
        base = parse_type(text).base
        if base != VOID and base not in PRIMITIVES:
            yield base


def spelled_types(item: AbiType | Function) -> Iterator[str]:
    """Yields every C type that the definition of `item` spells out, as its text."""
    match item:
        case Alias():
            yield item.type
        case Struct():
            yield from (field.type for field in item.fields)
        case FunctionPointer() | Function():
            yield item.returns or VOID
            yield from (param.type for param in item.params or ())
        case Enum():
            pass
