"""Renders the ABI data as Rust bindings, in the shape that bindgen gives the upstream SDK.

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

from harness.abi.data import Abi, AbiType, Alias, Enum, Function, FunctionKind, FunctionPointer, Member, Struct
from harness.errors import HarnessError

_PRIMITIVES = {
    "bool": "bool",
    "char": "::std::os::raw::c_char",
    "double": "f64",
    "float": "f32",
    "int": "::std::os::raw::c_int",
    "int8_t": "i8",
    "int16_t": "i16",
    "int32_t": "i32",
    "int64_t": "i64",
    "intptr_t": "isize",
    "size_t": "usize",
    "uint8_t": "u8",
    "uint16_t": "u16",
    "uint32_t": "u32",
    "uint64_t": "u64",
    "uintptr_t": "usize",
    "unsigned int": "::std::os::raw::c_uint",
    "void": "::std::os::raw::c_void",
}

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

_C_TYPE = re.compile(r"(?P<const>const )?(?P<base>\w+(?: \w+)*?)\s*(?P<stars>(?:\*(?:\s*const)?\s*)*)")

_ENUM_DERIVES = "#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]"


class UnknownCType(HarnessError):
    """The ABI data has a C type that has no rendering in Rust."""

    def __init__(self, c_type: str) -> None:
        super().__init__(f"ABI data: the C type `{c_type}` has no rendering in Rust; add it to rust_bindings.py")
        self.c_type = c_type


def rust_bindings(abi: Abi) -> str:
    """The text of `abi.rs` for one minor: types, callbacks and the ABI version string.

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
    """The NUL-terminated string that a module of this ABI returns from its initialisation."""
    literal = json.dumps(version, ensure_ascii=True)[1:-1]
    return f'pub const envoy_dynamic_modules_abi_version: &[u8] = b"{literal}\\0";'


def _type(t: AbiType, names: frozenset[str]) -> str:
    match t:
        case Alias():
            return f"pub type {t.name} = {_rust_type(t.type, names)};"
        case Struct():
            fields = "".join(f"    pub {_identifier(f.name)}: {_rust_type(f.type, names)},\n" for f in t.fields)
            return f"#[repr(C)]\n#[derive(Debug, Clone, Copy)]\npub struct {t.name} {{\n{fields}}}"
        case Enum():
            constants = "".join(f"    pub const {_variant(t.name, v.name)}: Self = Self({v.value});\n" for v in t.values)
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
    return ", ".join(f"{_identifier(p.name)}: {_rust_type(p.type, names)}" for p in params)


def _returns(c_type: str, names: frozenset[str]) -> str:
    return "" if c_type == "void" else f" -> {_rust_type(c_type, names)}"


def _rust_type(c_type: str, names: frozenset[str]) -> str:
    """`const char*` to `*const c_char`, `NAME*` to `*mut NAME`, and so on."""
    found = _C_TYPE.fullmatch(c_type)
    if found is None:
        raise UnknownCType(c_type)
    base = found["base"]
    if base not in names and base not in _PRIMITIVES:
        raise UnknownCType(c_type)
    rust = _PRIMITIVES.get(base, base)
    pointee_is_const = found["const"] is not None
    for star in re.findall(r"\*(?:\s*const)?", found["stars"]):
        rust = f"*{'const' if pointee_is_const else 'mut'} {rust}"
        pointee_is_const = star != "*"
    return rust


def _variant(enum_name: str, name: str) -> str:
    """A constant's name without its enum's, as upstream's build script trims it."""
    return _identifier(name.removeprefix(enum_name).lstrip("_"))


def _identifier(name: str) -> str:
    """A name that Rust accepts: bindgen appends `_` to keywords as well."""
    if name in _KEYWORDS:
        return f"{name}_"
    return f"_{name}" if name[:1].isdigit() else name
