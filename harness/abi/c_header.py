"""Renders the ABI of one minor as a header for C11 and C++20.

The SDK layers of this project are built over it, so that nothing of them depends on having upstream's own header.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.abi.data import (
    Abi,
    AbiType,
    Alias,
    Enum,
    Function,
    FunctionKind,
    FunctionPointer,
    Member,
    Struct,
)
from harness.errors import HarnessError

_WORD = re.compile(r"[A-Za-z_]\w*")
_TYPE_PREFIX = "envoy_dynamic_module_type_"
_INTRO = """\
/* The ABI of Envoy {minor}'s dynamic modules (measured on {measured_on}), generated from this project's ABI data. */
#ifndef DMCONFORM_ABI_H
#define DMCONFORM_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DMCONFORM_ABI_VERSION "{abi_version}"

#ifdef __cplusplus
extern "C" {{
#endif
"""
_OUTRO = """
#ifdef __cplusplus
}
#endif

#endif
"""
_HEADINGS = {
    FunctionKind.CALLBACK: "Callbacks: the host has them, the module calls them.",
    FunctionKind.HOOK: "Hooks: the module has them, the host calls them.",
}


def c_header(abi: Abi) -> str:
    """Returns the text of `abi.h`: every type before its first use, then callbacks, then hooks.

    A function of which only the name is known is mentioned in a comment and not declared.

    Raises:
        HarnessError: a type is used that the data does not define, or types need each other in a circle.
    """
    parts = [_INTRO.format(minor=abi.envoy, measured_on=abi.measured_on, abi_version=abi.abi_version)]
    parts += [_type(each) for each in types_in_order(abi)]
    for kind, heading in _HEADINGS.items():
        parts.append(f"\n/* {heading} */")
        parts += [_function(each) for each in abi.functions if each.kind is kind]
    parts.append(_OUTRO)
    return "\n".join(parts)


def types_in_order(abi: Abi) -> tuple[AbiType, ...]:
    """Returns the types so that each one comes after those it uses; otherwise as the data has them.

    Raises:
        HarnessError: see `c_header`.
    """
    known: dict[str, AbiType] = {each.name: each for each in abi.types}
    ordered: dict[str, AbiType] = {}

    def place(name: str, users: tuple[str, ...]) -> None:
        if name in ordered:
            return
        chain = " -> ".join((*users, name))
        if name in users:
            raise HarnessError(f"ABI data of {abi.envoy}: types need each other in a circle ({chain}); correct the data")
        if name not in known:
            raise HarnessError(f"ABI data of {abi.envoy}: no type {name}, which is used ({chain}); add it to `types`")
        for used in _used_types(_spelled(known[name])):
            place(used, (*users, name))
        ordered[name] = known[name]

    for each in abi.types:
        place(each.name, ())
    for function in abi.functions:
        for used in _used_types(_spelled(function)):
            place(used, (function.name,))
    return tuple(ordered.values())


def _spelled(item: AbiType | Function) -> Iterator[str]:
    """Yields every C type that the definition of `item` spells out."""
    match item:
        case Alias():
            yield item.type
        case Struct():
            yield from (field.type for field in item.fields)
        case FunctionPointer() | Function():
            yield item.returns or "void"
            yield from (param.type for param in item.params or ())
        case Enum():
            pass


def _used_types(spelled: Iterator[str]) -> Iterator[str]:
    for text in spelled:
        yield from (word for word in _WORD.findall(text) if word.startswith(_TYPE_PREFIX))


def _type(item: AbiType) -> str:
    match item:
        case Alias():
            return f"typedef {item.type} {item.name};"
        case Enum():
            values = "".join(f"  {each.name} = {each.value},\n" for each in item.values)
            return f"typedef enum {item.name} {{\n{values}}} {item.name};"
        case Struct():
            fields = "".join(f"  {each.type} {each.name};\n" for each in item.fields)
            return f"typedef struct {item.name} {{\n{fields}}} {item.name};"
        case FunctionPointer():
            return f"typedef {item.returns} (*{item.name})({_params(item.params)});"


def _function(item: Function) -> str:
    if item.params is None or item.returns is None:
        return f"/* {item.name}: signature not known */"
    return f"{item.returns} {item.name}({_params(item.params)});"


def _params(params: tuple[Member, ...]) -> str:
    return ", ".join(f"{each.type} {each.name}" for each in params) or "void"
