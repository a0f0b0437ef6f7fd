"""The Rust bindings that are rendered from the ABI data."""

from __future__ import annotations

import pytest
from dmconform.abi.bindings.rust_bindings import rust_bindings
from dmconform.abi.loading import load_abi
from dmconform.abi.spelling import UnknownCType
from dmconform.abi.types import Abi, AbiType, Alias, Enum, EnumValue, Function, FunctionKind, FunctionPointer, Member, Struct

from tests.checkout import ROOT

ABI_DATA = ROOT / "conformance" / "abi"


def abi_of(*types: AbiType, functions: tuple[Function, ...] = (), version: str = "v0.1.0") -> Abi:
    return Abi(
        envoy="1.99",
        measured_on="1.99.0",
        abi_version=version,
        sources={},
        types=types,
        functions=functions,
    )


def callback(name: str, returns: str, *params: Member) -> Function:
    return Function(name=name, kind=FunctionKind.CALLBACK, source="s", returns=returns, params=params)


def test_the_version_string_ends_with_nul() -> None:
    assert r'pub const envoy_dynamic_modules_abi_version: &[u8] = b"v0.1.0\0";' in rust_bindings(abi_of())


def test_a_struct_keeps_the_layout_and_order_of_c() -> None:
    text = rust_bindings(
        abi_of(Struct("buf", "s", (Member("ptr", "const char*"), Member("length", "size_t"), Member("type", "bool"))))
    )
    assert (
        "#[repr(C)]\n#[derive(Debug, Clone, Copy)]\npub struct buf {\n"
        "    pub ptr: *const ::std::os::raw::c_char,\n    pub length: usize,\n    pub type_: bool,\n}"
    ) in text


def test_an_enum_is_an_integer_with_named_constants() -> None:
    """So that a value which the host adds later is no undefined behaviour."""
    text = rust_bindings(abi_of(Enum("level", "s", (EnumValue("level_Low", 0), EnumValue("level_High", 7)))))
    assert "#[repr(transparent)]\n#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]\npub struct level(pub u32);" in text
    assert "impl level {\n    pub const Low: Self = Self(0);\n    pub const High: Self = Self(7);\n}" in text
    assert "enum " not in text


def test_an_enum_with_a_negative_constant_is_signed() -> None:
    text = rust_bindings(abi_of(Enum("e", "s", (EnumValue("e_Unset", -1), EnumValue("e_Self", 0)))))
    assert "pub struct e(pub i32);" in text
    assert "pub const Self_: Self = Self(0);" in text


@pytest.mark.parametrize(
    ("c_type", "rust"),
    [
        ("void*", "*mut ::std::os::raw::c_void"),
        ("const void*", "*const ::std::os::raw::c_void"),
        ("void**", "*mut *mut ::std::os::raw::c_void"),
        ("const char* const*", "*const *const ::std::os::raw::c_char"),
        ("const char**", "*mut *const ::std::os::raw::c_char"),
        ("uint16_t", "u16"),
        ("double*", "*mut f64"),
        ("other*", "*mut other"),
    ],
)
def test_types(c_type: str, rust: str) -> None:
    text = rust_bindings(abi_of(Alias("other", "s", "void*"), Alias("name", "s", c_type)))
    assert f"pub type name = {rust};" in text


def test_a_function_pointer_may_be_null() -> None:
    text = rust_bindings(abi_of(FunctionPointer("done_fn", "s", "void", (Member("context", "void*"),))))
    assert ('pub type done_fn =\n    Option<unsafe extern "C" fn(context: *mut ::std::os::raw::c_void)>;') in text


def test_callbacks_are_declared_and_hooks_are_not() -> None:
    text = rust_bindings(
        abi_of(
            functions=(
                callback("get", "bool", Member("type", "uint32_t")),
                callback("put", "void"),
                Function(name="only_a_name", kind=FunctionKind.CALLBACK),
                Function(name="on_event", kind=FunctionKind.HOOK, source="s", returns="void", params=()),
            )
        )
    )
    assert 'extern "C" {\n    pub fn get(type_: u32) -> bool;\n    pub fn put();\n}' in text
    assert "only_a_name" not in text
    assert "on_event" not in text


def test_an_unknown_type_is_refused_by_name() -> None:
    with pytest.raises(UnknownCType, match="`long double`"):
        rust_bindings(abi_of(functions=(callback("get", "long double"),)))


@pytest.mark.parametrize("minor", ["1.37", "1.38", "1.39", "1.40"])
def test_every_minor_with_signatures_is_rendered_whole(minor: str) -> None:
    abi = load_abi(ABI_DATA, minor)
    text = rust_bindings(abi)
    for t in abi.types:
        assert f"pub type {t.name} " in text or f"pub struct {t.name}" in text
    for f in abi.functions:
        assert (f"    pub fn {f.name}(" in text) == (f.kind is FunctionKind.CALLBACK and f.has_signature)
