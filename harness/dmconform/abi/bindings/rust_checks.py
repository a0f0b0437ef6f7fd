"""Renders the ABI data as Rust that compiles only where `abi.rs` beside it means the same as the data.

Sizes, alignments, offsets and enum values are the numbers that `c_checks` asserts of the header. Each field and parameter is
compared by how it is passed: as an integer of a width and a sign, a float, a pointer, a function, an array, or a struct or an
enum by its name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from dmconform.abi.bindings.rust_bindings import rust_name, rust_variant
from dmconform.abi.layout import Layouts
from dmconform.abi.spelling import PRIMITIVES, VOID, UnknownCType, parse_type
from dmconform.abi.types import Abi, AbiType, Alias, Enum, Function, FunctionKind, FunctionPointer, Member, Struct

_MOST_PARAMS: Final = 16
# What Rust's names for the types of C are on x86-64 Linux.
_RAW: Final = {
    "c_char": "i8",
    "c_int": "i32",
    "c_long": "i64",
    "c_longlong": "i64",
    "c_schar": "i8",
    "c_short": "i16",
    "c_uchar": "u8",
    "c_uint": "u32",
    "c_ulong": "u64",
    "c_ulonglong": "u64",
    "c_ushort": "u16",
}
_PLAIN: Final = ("bool", "f32", "f64", "i8", "i16", "i32", "i64", "isize", "u8", "u16", "u32", "u64", "usize")

_PREAMBLE: Final = """\
#![crate_type = "lib"]
#![allow(dead_code, unused_imports)]

#[allow(improper_ctypes, non_camel_case_types, non_upper_case_globals)]
mod abi {
    include!("abi.rs");
}

use core::mem::{align_of, offset_of, size_of};

/// How a value is passed.
trait Passed {
    const HOW: &'static str;
}

macro_rules! passed {
    ($($type:ty, $how:expr;)*) => { $(impl Passed for $type { const HOW: &'static str = $how; })* };
}

impl<T> Passed for *const T {
    const HOW: &'static str = "pointer";
}

impl<T> Passed for *mut T {
    const HOW: &'static str = "pointer";
}

impl<T, const N: usize> Passed for [T; N] {
    const HOW: &'static str = "array";
}

/// What a function returns, then its parameters.
trait Signature {
    const HOW: &'static [&'static str];
}

macro_rules! signature {
    ($($param:ident)*) => {
        impl<R: Passed, $($param: Passed),*> Signature for unsafe extern "C" fn($($param),*) -> R {
            const HOW: &'static [&'static str] = &[R::HOW, $($param::HOW),*];
        }
        impl<R, $($param),*> Passed for Option<unsafe extern "C" fn($($param),*) -> R> {
            const HOW: &'static str = "function";
        }
        impl<R: Passed, $($param: Passed),*> Signature for Option<unsafe extern "C" fn($($param),*) -> R> {
            const HOW: &'static [&'static str] = &[R::HOW, $($param::HOW),*];
        }
    };
}

const fn how<S: Signature>(_: &S) -> &'static [&'static str] {
    S::HOW
}

const fn field<S, F: Passed>(_: fn(&S) -> &F) -> &'static [&'static str] {
    &[F::HOW]
}

const fn equal(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut i = 0;
    while i < left.len() {
        if left[i] != right[i] {
            return false;
        }
        i += 1;
    }
    true
}

const fn same(left: &[&str], right: &[&str]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut i = 0;
    while i < left.len() {
        if !equal(left[i].as_bytes(), right[i].as_bytes()) {
            return false;
        }
        i += 1;
    }
    true
}
"""


def rust_checks(abi: Abi) -> str:
    """Returns the text of a Rust file that includes `abi.rs` from its own folder, and asserts all that the data says of it.

    Raises:
        UnknownCType: a type has no rendering.
    """
    layouts = Layouts(abi)
    passing = _Passing(abi)
    lines = [_PREAMBLE, *_signatures(), "passed! {", *passing.implementations(), "}", ""]
    version = json.dumps(abi.abi_version)[1:-1]
    lines.append(_assert(f'equal(abi::envoy_dynamic_modules_abi_version, b"{version}\\0")', "the ABI version"))
    for one in abi.types:
        lines += _type(one, layouts, passing)
    for function in abi.functions:
        lines += _function(function, passing)
    return "\n".join(lines) + "\n"


def _signatures() -> Iterator[str]:
    for count in range(_MOST_PARAMS + 1):
        yield f"signature! {{ {' '.join(f'P{number}' for number in range(count))} }}"


def _assert(condition: str, what: str) -> str:
    return f'const _: () = assert!({condition}, "{what}");'


class _Passing:
    """The way values of the ABI's types are passed, worked out from the data and not from its rendering."""

    def __init__(self, abi: Abi) -> None:
        self._types: dict[str, AbiType] = {one.name: one for one in abi.types}

    def implementations(self) -> Iterator[str]:
        """Yields the arguments of `passed!`: each type of Rust's, and its word."""
        yield '    (), "void";'
        yield from (f'    {name}, "{name}";' for name in _PLAIN)
        yield from (f'    abi::{name}, "{name}";' for name, one in self._types.items() if isinstance(one, Enum | Struct))

    def how(self, text: str) -> str:
        """Returns the word for a type."""
        c_type = parse_type(text)
        if c_type.sizes or c_type.is_pointer:
            return "array" if c_type.sizes else "pointer"
        if c_type.base in PRIMITIVES:
            name = PRIMITIVES[c_type.base].rust.rpartition("::")[2]
            return _RAW.get(name, name)
        return VOID if c_type.base == VOID else self._of_named(c_type.base)

    def _of_named(self, name: str) -> str:
        match self._types.get(name):
            case Alias() as alias:
                return self.how(alias.type)
            case FunctionPointer():
                return "function"
            case Enum() | Struct():
                return name
            case None:
                raise UnknownCType(name)

    def of_function(self, returns: str, params: tuple[Member, ...]) -> str:
        """Returns the words for what a function returns and for its parameters."""
        words = ", ".join(f'"{self.how(text)}"' for text in (returns, *(param.type for param in params)))
        return f"&[{words}]"


def _type(one: AbiType, layouts: Layouts, passing: _Passing) -> Iterator[str]:
    layout = layouts.of(one.name)
    name = f"abi::{one.name}"
    yield _assert(f"size_of::<{name}>() == {layout.size}", f"size of {one.name}")
    yield _assert(f"align_of::<{name}>() == {layout.alignment}", f"alignment of {one.name}")
    match one:
        case Struct():
            for field, offset in zip(one.fields, layout.offsets, strict=True):
                place = f"{one.name}.{field.name}"
                yield _assert(f"offset_of!({name}, {rust_name(field.name)}) == {offset}", f"offset of {place}")
                getter = f"field(|one: &{name}| &one.{rust_name(field.name)})"
                yield _assert(f'same({getter}, &["{passing.how(field.type)}"])', f"type of {place}")
            fields = "".join(f"{rust_name(field.name)}: _, " for field in one.fields)
            yield f"const _: fn({name}) = |{name} {{ {fields}}}| ();"  # it has no other fields
        case Enum():
            for value in one.values:
                yield _assert(f"{name}::{rust_variant(one.name, value.name)}.0 as i64 == {value.value}", value.name)
        case FunctionPointer():
            words = passing.of_function(one.returns, one.params)
            yield _assert(f"same(<{name} as Signature>::HOW, {words})", one.name)
        case Alias():
            pass


def _function(one: Function, passing: _Passing) -> Iterator[str]:
    if one.kind is not FunctionKind.CALLBACK or one.params is None or one.returns is None:
        return
    pointer = f'unsafe extern "C" fn({", ".join("_" for _ in one.params)}) -> _'
    yield _assert(f"same(how(&(abi::{one.name} as {pointer})), {passing.of_function(one.returns, one.params)})", one.name)
