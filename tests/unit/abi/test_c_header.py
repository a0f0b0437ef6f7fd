"""The C header that is generated from the ABI data.

That it compiles is shown by every build of the reference SDKs; here is what its text must say.
"""

from __future__ import annotations

import re

import pytest
from dmconform.abi.bindings.c_header import c_header
from dmconform.abi.loading import load_abi
from dmconform.abi.order import types_in_order
from dmconform.abi.types import (
    Abi,
    Alias,
    Enum,
    EnumValue,
    Function,
    FunctionKind,
    FunctionPointer,
    HeaderSource,
    Member,
    Struct,
)
from dmconform.core.errors import HarnessError

from tests.checkout import ROOT

ABI_FOLDER = ROOT / "conformance" / "abi"
MINORS = ("1.36", "1.37", "1.38", "1.39", "1.40")
PREFIX = "envoy_dynamic_module_type_"


def make_abi(
    *types: Alias | Enum | Struct | FunctionPointer,
    functions: tuple[Function, ...] = (),
) -> Abi:
    return Abi(
        envoy="9.9",
        measured_on="9.9.0",
        abi_version="v9",
        sources={"s": HeaderSource("made up", exact=True)},
        types=types,
        functions=functions,
    )


def alias(name: str, target: str) -> Alias:
    return Alias(name=PREFIX + name, source="s", type=target)


@pytest.mark.parametrize("minor", MINORS)
def test_every_function_is_declared_or_mentioned(minor: str) -> None:
    abi = load_abi(ABI_FOLDER, minor)
    lines = c_header(abi).splitlines()
    for function in abi.functions:
        mentions = [line for line in lines if re.search(rf"\b{function.name}\b", line)]
        assert len(mentions) == 1, function.name
        if function.has_signature:
            assert mentions[0].startswith(f"{function.returns} {function.name}(")
        else:
            assert mentions[0] == f"/* {function.name}: signature not known */"


@pytest.mark.parametrize("minor", MINORS)
def test_every_type_is_defined_before_it_is_used(minor: str) -> None:
    abi = load_abi(ABI_FOLDER, minor)
    text = c_header(abi)
    for each in abi.types:
        uses = [found.start() for found in re.finditer(rf"\b{each.name}\b", text)]
        line = text[text.rfind("\n", 0, uses[0]) + 1 : uses[0]]
        assert line.startswith("typedef "), each.name
        assert not text[uses[0] + len(each.name) :].startswith("*"), each.name


@pytest.mark.parametrize("minor", MINORS)
def test_version_and_linkage(minor: str) -> None:
    abi = load_abi(ABI_FOLDER, minor)
    text = c_header(abi)
    assert f'\n#define DMCONFORM_ABI_VERSION "{abi.abi_version}"\n' in text
    assert text.count('extern "C" {') == 1
    assert text.index("#include <stdbool.h>") < text.index('extern "C" {')
    assert text.count("{") == text.count("}")


def test_types_are_moved_before_their_users() -> None:
    user = alias("a", f"const {PREFIX}b*")
    used = alias("b", "void*")
    assert types_in_order(make_abi(user, used)) == (used, user)


def test_each_kind_of_definition() -> None:
    kind = Enum(
        name=PREFIX + "e",
        source="s",
        values=(EnumValue("One", 1), EnumValue("Less", -2)),
    )
    pair = Struct(
        name=PREFIX + "s",
        source="s",
        fields=(Member("left", PREFIX + "e"), Member("ok", "bool")),
    )
    pointer = FunctionPointer(name=PREFIX + "f", source="s", returns="void", params=(Member("data", "void*"),))
    nothing = Function(name="hook", kind=FunctionKind.HOOK, source="s", returns="bool", params=())
    unknown = Function(name="secret", kind=FunctionKind.CALLBACK)
    text = c_header(make_abi(pair, kind, pointer, functions=(nothing, unknown)))
    assert f"typedef enum {PREFIX}e {{\n  One = 1,\n  Less = -2,\n}} {PREFIX}e;\n" in text
    assert f"typedef struct {PREFIX}s {{\n  {PREFIX}e left;\n  bool ok;\n}} {PREFIX}s;\n" in text
    assert f"typedef void (*{PREFIX}f)(void* data);\n" in text
    assert "\nbool hook(void);\n" in text
    assert "\n/* secret: signature not known */\n" in text


def test_missing_type_is_named_with_its_user() -> None:
    function = Function(
        name="hook",
        kind=FunctionKind.HOOK,
        source="s",
        returns="void",
        params=(Member("x", PREFIX + "gone"),),
    )
    with pytest.raises(
        HarnessError,
        match=rf"no type {PREFIX}gone, which is used \(hook -> {PREFIX}gone\)",
    ):
        c_header(make_abi(functions=(function,)))


def test_circle_is_refused() -> None:
    with pytest.raises(HarnessError, match="in a circle"):
        c_header(make_abi(alias("a", PREFIX + "b"), alias("b", PREFIX + "a")))
