"""Renders the ABI of one minor as a header for C11 and C++20.

The SDK layers of this project are built over it, so that nothing of them depends on having the official SDK's own header.
"""

from __future__ import annotations

from dmconform.abi.order import types_in_order
from dmconform.abi.spelling import parse_type
from dmconform.abi.types import Abi, AbiType, Alias, Enum, Function, FunctionKind, FunctionPointer, Member, Struct

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
        UnknownCType: a type is spelled in a way that the data cannot have.
    """
    parts = [_INTRO.format(minor=abi.envoy, measured_on=abi.measured_on, abi_version=abi.abi_version)]
    parts += [_type(each) for each in types_in_order(abi)]
    for kind, heading in _HEADINGS.items():
        parts.append(f"\n/* {heading} */")
        parts += [_function(each) for each in abi.functions if each.kind is kind]
    parts.append(_OUTRO)
    return "\n".join(parts)


def _type(item: AbiType) -> str:
    match item:
        case Alias():
            return f"typedef {item.type} {item.name};"
        case Enum():
            values = "".join(f"  {each.name} = {each.value},\n" for each in item.values)
            return f"typedef enum {item.name} {{\n{values}}} {item.name};"
        case Struct():
            fields = "".join(f"  {parse_type(each.type).declares(each.name)};\n" for each in item.fields)
            return f"typedef struct {item.name} {{\n{fields}}} {item.name};"
        case FunctionPointer():
            return f"typedef {item.returns} (*{item.name})({_params(item.params)});"


def _function(item: Function) -> str:
    if item.params is None or item.returns is None:
        return f"/* {item.name}: signature not known */"
    return f"{item.returns} {item.name}({_params(item.params)});"


def _params(params: tuple[Member, ...]) -> str:
    return ", ".join(f"{each.type} {each.name}" for each in params) or "void"
