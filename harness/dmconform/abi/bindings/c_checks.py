"""Renders the ABI data as C that compiles only where a header means the same: the official SDK's own, or the generated one.

Every size, alignment, offset and enum value is asserted, and every type of a field, a parameter and a return value. So that the
header has nothing more, structs are filled by position and enums are switched over. To be compiled with the flags of `FLAGS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dmconform.abi.layout import Layouts
from dmconform.abi.spelling import parse_type
from dmconform.abi.types import Abi, AbiType, Alias, Enum, EnumValue, Function, FunctionPointer, Member, Struct

FLAGS: Final = (
    *("-std=c11", "-fsyntax-only", "-Wall", "-Werror", "-Wno-unused", "-Wno-missing-braces"),
    *("-Werror=switch", "-Werror=missing-field-initializers"),
)
_SAME = "__builtin_types_compatible_p"
_VERSIONS = ("ENVOY_DYNAMIC_MODULES_ABI_VERSION", "DMCONFORM_ABI_VERSION")  # the official SDK's macro, and that of `c_header`


def c_checks(abi: Abi, header: str) -> str:
    """Returns the text of a C file that includes `header`, by its name, and asserts all that the data says.

    Raises:
        UnknownCType: a type is spelled in a way that the data cannot have, or is not defined.
    """
    layouts = Layouts(abi)
    structs = frozenset(one.name for one in abi.types if isinstance(one, Struct))
    lines = [
        f"/* The ABI of Envoy {abi.envoy}, asserted of {header}. */",
        "#include <stdbool.h>",
        "#include <stddef.h>",
        "#include <stdint.h>",
        f'#include "{header}"',
    ]
    for macro in _VERSIONS:
        lines += [f"#ifdef {macro}", _assert(f'__builtin_strcmp({macro}, "{abi.abi_version}") == 0', macro), "#endif"]
    for one in abi.types:
        lines += _type(one, layouts, structs)
    for function in abi.functions:
        lines += _function(function)
    return "\n".join(lines) + "\n"


def _assert(condition: str, what: str) -> str:
    return f'_Static_assert({condition}, "{what}");'


def _type(one: AbiType, layouts: Layouts, structs: frozenset[str]) -> Iterator[str]:
    layout = layouts.of(one.name)
    yield _assert(f"sizeof({one.name}) == {layout.size}", f"size of {one.name}")
    yield _assert(f"_Alignof({one.name}) == {layout.alignment}", f"alignment of {one.name}")
    match one:
        case Alias():
            yield _assert(f"{_SAME}({one.name}, {one.type})", one.name)
        case Enum():
            yield from _enum(one)
        case FunctionPointer():
            yield _assert(f"{_SAME}({one.name}, {_pointer(one.returns, one.params)})", one.name)
        case Struct():
            yield from _struct(one, layout.offsets, structs)


def _struct(one: Struct, offsets: tuple[int, ...], structs: frozenset[str]) -> Iterator[str]:
    for field, offset in zip(one.fields, offsets, strict=True):
        place = f"{one.name}.{field.name}"
        yield _assert(f"offsetof({one.name}, {field.name}) == {offset}", f"offset of {place}")
        yield _assert(f"{_SAME}(__typeof__((({one.name}*)0)->{field.name}), {field.type})", f"type of {place}")
    # Padding could hide a field; by position, one value too few is a warning and one too many as well.
    zeros = ", ".join("{0}" if _is_aggregate(field.type, structs) else "0" for field in one.fields)
    yield f"static const {one.name} all_fields_of_{one.name} = {{{zeros}}};"


def _is_aggregate(text: str, structs: frozenset[str]) -> bool:
    c_type = parse_type(text)
    return bool(c_type.sizes) or (c_type.base in structs and not c_type.is_pointer)


def _enum(one: Enum) -> Iterator[str]:
    yield from (_assert(f"{value.name} == {value.value}", value.name) for value in one.values)
    # A constant that the data lacks is one that the switch does not handle.
    cases = " ".join(f"case {value.name}:" for value in _distinct(one.values))
    yield f"static void all_values_of_{one.name}({one.name} value) {{ switch (value) {{ {cases} break; }} }}"


def _distinct(values: tuple[EnumValue, ...]) -> Iterator[EnumValue]:
    """Returns one constant for each number: two names may mean the same, two cases must not."""
    return iter({value.value: value for value in values}.values())


def _function(one: Function) -> Iterator[str]:
    if one.params is None or one.returns is None:
        return
    # The first is an error where the header does not declare it at all, the second where it declares it in another way.
    yield _assert(f"{_SAME}(__typeof__(&{one.name}), {_pointer(one.returns, one.params)})", one.name)
    yield f"{one.returns} {one.name}({_types(one.params)});"


def _pointer(returns: str, params: tuple[Member, ...]) -> str:
    return f"{returns} (*)({_types(params)})"


def _types(params: tuple[Member, ...]) -> str:
    return ", ".join(param.type for param in params) or "void"
