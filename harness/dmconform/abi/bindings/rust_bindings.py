"""Renders the ABI data as Rust bindings, in the shape that bindgen gives the official SDK.

The result is to be included in a module that allows C's naming:

    #[allow(non_camel_case_types, non_upper_case_globals)]
    pub mod abi {
        include!(…);
    }

One thing differs from bindgen's shape: an enum is an integer with named constants, not a Rust `enum`. `abi::NAME::Variant`
reads the same, in expressions and in patterns, but a value that a newer host adds is just a value without a name, where a
Rust `enum` would make it undefined behaviour.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from dmconform.abi.spelling import PRIMITIVES, VOID, UnknownCType, parse_type
from dmconform.abi.types import Abi, AbiType, Alias, Enum, Function, FunctionKind, FunctionPointer, Member, Struct

_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """
        Self abstract as async await become box break const continue crate do dyn else enum extern false final fn for gen
        if impl in let loop macro match mod move mut override priv pub ref return self static struct super trait true try
        type typeof unsafe unsized use virtual where while yield
        """,
    )
)

_ENUM_DERIVES = "#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]"


def rust_bindings(abi: Abi) -> str:
    """Returns the text of `abi.rs` for one minor: types, callbacks and the ABI version string.

    Hooks are left out: the module defines them. So are callbacks of which only the name is known.

    Raises:
        UnknownCType: a type in the data has no rendering.
    """
    names = frozenset(t.name for t in abi.types)
    parts = [
        f"// The dynamic-module ABI of Envoy {abi.envoy}, generated from the ABI data.",
        _abi_version(abi.abi_version),
        *(_type(t, names) for t in abi.types),
        _callbacks(abi, names),
    ]
    return "\n\n".join(parts) + "\n"


def _abi_version(version: str) -> str:
    """Returns the NUL-terminated string that a module of this ABI returns from its initialisation."""
    literal = json.dumps(version, ensure_ascii=True)[1:-1]
    return f'pub const envoy_dynamic_modules_abi_version: &[u8] = b"{literal}\\0";'


def _type(t: AbiType, names: frozenset[str]) -> str:
    match t:
        case Alias():
            return f"pub type {t.name} = {_rust_type(t.type, names)};"
        case Struct():
            fields = "".join(f"    pub {rust_name(f.name)}: {_rust_type(f.type, names)},\n" for f in t.fields)
            return f"#[repr(C)]\n#[derive(Debug, Clone, Copy)]\npub struct {t.name} {{\n{fields}}}"
        case Enum():
            constants = "".join(f"    pub const {rust_variant(t.name, v.name)}: Self = Self({v.value});\n" for v in t.values)
            # What C makes of an enum: unsigned, unless a constant is negative.
            integer = "i32" if any(v.value < 0 for v in t.values) else "u32"
            return (
                f"#[repr(transparent)]\n{_ENUM_DERIVES}\npub struct {t.name}(pub {integer});\n\nimpl {t.name} {{\n{constants}}}"
            )
        case FunctionPointer():
            params = _params(t.params, names)
            return f'pub type {t.name} =\n    Option<unsafe extern "C" fn({params}){_returns(t.returns, names)}>;'


def _callbacks(abi: Abi, names: frozenset[str]) -> str:
    lines = (f"    {line}\n" for line in _callback_lines(abi.functions, names))
    return f'extern "C" {{\n{"".join(lines)}}}'


def _callback_lines(functions: tuple[Function, ...], names: frozenset[str]) -> Iterator[str]:
    for f in functions:
        if f.kind is FunctionKind.CALLBACK and f.params is not None and f.returns is not None:
            yield f"pub fn {f.name}({_params(f.params, names)}){_returns(f.returns, names)};"


def _params(params: tuple[Member, ...], names: frozenset[str]) -> str:
    return ", ".join(f"{rust_name(p.name)}: {_rust_type(p.type, names)}" for p in params)


def _returns(c_type: str, names: frozenset[str]) -> str:
    return "" if c_type == "void" else f" -> {_rust_type(c_type, names)}"


def _rust_type(c_type: str, names: frozenset[str]) -> str:
    """Returns the Rust type of a C type.

    Examples: `*const c_char` for `const char*`, `*mut NAME` for `NAME*`, `[u8; 16]` for `uint8_t[16]`.
    """
    parsed = parse_type(c_type)
    if parsed.base == VOID and parsed.is_pointer:
        rust = "::std::os::raw::c_void"
    elif parsed.base in PRIMITIVES:
        rust = PRIMITIVES[parsed.base].rust
    elif parsed.base in names:
        rust = parsed.base
    else:
        raise UnknownCType(c_type)
    pointee_is_const = parsed.const
    for const in parsed.stars:
        rust = f"*{'const' if pointee_is_const else 'mut'} {rust}"
        pointee_is_const = const
    for size in reversed(parsed.sizes):
        rust = f"[{rust}; {size}]"
    return rust


def rust_variant(enum_name: str, name: str) -> str:
    """Returns a constant's name without its enum's, as the official SDK's build script trims it."""
    return rust_name(name.removeprefix(enum_name).lstrip("_"))


def rust_name(name: str) -> str:
    """Returns a name that Rust accepts: bindgen appends `_` to keywords as well."""
    if name in _KEYWORDS:
        return f"{name}_"
    return f"_{name}" if name[:1].isdigit() else name
