"""Sizes, alignments and offsets are those that a C compiler for x86-64 Linux gives."""

from __future__ import annotations

import pytest
from dmconform.abi.layout import Layout, Layouts
from dmconform.abi.loading import load_abi
from dmconform.abi.spelling import UnknownCType, parse_type
from dmconform.abi.types import Abi, AbiType, Alias, Enum, EnumValue, FunctionPointer, Member, Struct
from dmconform.core import paths
from dmconform.core.errors import HarnessError

from tests.unit.golden import golden_abi

PREFIX = "envoy_dynamic_module_type_"


def layouts(*types: AbiType) -> Layouts:
    return Layouts(Abi("9.9", "9.9.0", "v9", {}, types, ()))


def struct(name: str, *types: str) -> Struct:
    return Struct(name, "s", tuple(Member(f"field_{number}", text) for number, text in enumerate(types)))


@pytest.mark.parametrize(
    ("text", "size", "alignment"),
    [
        ("bool", 1, 1),
        ("uint16_t", 2, 2),
        ("int", 4, 4),
        ("unsigned long", 8, 8),
        ("double", 8, 8),
        ("size_t", 8, 8),
        ("const void*", 8, 8),
        ("unknown_to_everybody*", 8, 8),
        ("uint8_t[16]", 16, 1),
        ("const char*[2][3]", 48, 8),
    ],
)
def test_plain_types(text: str, size: int, alignment: int) -> None:
    assert layouts().of(text) == Layout(size, alignment)


@pytest.mark.parametrize(
    ("fields", "size", "alignment", "offsets"),
    [
        (("bool", "uint32_t", "bool"), 12, 4, (0, 4, 8)),
        (("uint32_t", "bool", "bool"), 8, 4, (0, 4, 5)),
        (("uint8_t[16]", "uint16_t", "uint8_t"), 20, 2, (0, 16, 18)),
        (("bool", "double", "bool"), 24, 8, (0, 8, 16)),
        (("uint8_t[3]", "uint8_t"), 4, 1, (0, 3)),
    ],
)
def test_padding(fields: tuple[str, ...], size: int, alignment: int, offsets: tuple[int, ...]) -> None:
    found = layouts(struct("s", *fields))
    assert found.of("s") == Layout(size, alignment, offsets)
    assert (found.size("s"), found.alignment("s"), found.offsets("s")) == (size, alignment, offsets)


def test_a_struct_in_a_struct_has_its_own_alignment() -> None:
    inner = struct("inner", "uint64_t", "bool")
    assert layouts(inner, struct("outer", "bool", "inner", "inner[2]")).of("outer") == Layout(56, 8, (0, 8, 24))


def test_each_kind() -> None:
    found = layouts(
        Alias("a", "s", "uint16_t"),
        Enum("e", "s", (EnumValue("x", -1),)),
        FunctionPointer("f", "s", "void", ()),
        Alias("to_struct", "s", "pair"),
        struct("pair", "a", "e"),
    )
    assert [found.size(name) for name in ("a", "e", "f", "to_struct")] == [2, 4, 8, 8]
    assert found.offsets("to_struct") == (), "no struct by itself"


def test_what_is_not_there() -> None:
    with pytest.raises(UnknownCType, match="`gone`"):
        layouts().of("gone")
    with pytest.raises(UnknownCType, match="`void`"):
        layouts().of("void")


def test_a_struct_that_contains_itself_is_refused() -> None:
    with pytest.raises(HarnessError, match="a -> b -> a: a type contains itself"):
        layouts(struct("a", "b"), struct("b", "a")).of("a")


def test_a_layout_that_a_binary_shows() -> None:
    """Envoy 1.39.3 writes the port at 16 and the family at 18 (read from the machine code of the callback)."""
    found = Layouts(load_abi(paths.ABI, "1.39")).of(PREFIX + "packed_address")
    assert found == Layout(20, 2, (0, 16, 18))


def test_the_golden_abi() -> None:
    """The numbers are asserted by a compiler as well, in tests/containers."""
    found = Layouts(golden_abi())
    assert found.of(PREFIX + "address") == Layout(72, 8, (0, 16, 20, 24))
    assert found.of(PREFIX + "result") == Layout(48, 8, (0, 4, 8, 16, 24, 40))


@pytest.mark.parametrize(
    "text", ["const char* const*", "void**", "unsigned long long", "uint8_t[16]", "const char*[2][3]", "const uint32_t* const"]
)
def test_a_type_is_spelled_as_it_was_parsed(text: str) -> None:
    assert str(parse_type(text)) == text
    assert str(parse_type(text.replace("*", " *"))) == text, "as clang spells it"


@pytest.mark.parametrize(
    "text", ["", "*", "void (*)(int)", "struct s*", "char[]", "char[0]", "char[-1]", "volatile int*", "int const", "a b", "[4]"]
)
def test_what_the_data_cannot_have(text: str) -> None:
    with pytest.raises(UnknownCType):
        parse_type(text)


def test_a_declaration_in_c() -> None:
    assert parse_type("uint8_t[16]").declares("bytes") == "uint8_t bytes[16]"
    assert parse_type("const char*[2][3]").declares("table") == "const char* table[2][3]"
    assert parse_type("size_t").declares("length") == "size_t length"
