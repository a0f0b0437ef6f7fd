"""Compilers agree with the ABI data: on the generated bindings, and on the official SDK's own headers where those can be had.

The checks are generated, so it is shown as well that each of them fails where the data is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import docker
import msgspec
import pytest
from dmconform.abi.bindings.c_checks import FLAGS, c_checks
from dmconform.abi.bindings.rust_checks import rust_checks
from dmconform.abi.loading import load_abi, load_every_abi
from dmconform.abi.types import Abi, AbiType, EnumValue, Function, Member
from dmconform.containers.files import TarTree
from dmconform.containers.sandbox import run_job
from dmconform.containers.toolchain import ToolchainIdentity, obtain_toolchain
from dmconform.core import paths
from dmconform.sdks.builder import Builder, Toolchain
from dmconform.sdks.sources import DEFAULT_SOURCE, SourceRepository

from tests.official_headers import IN_CLONES, IN_GO_MODULES, header_in_clone, header_in_go_module
from tests.unit.golden import golden_abi, rendered

pytestmark = pytest.mark.engine

# Each folder is a case; what its compilers say goes to one file, which is empty where they agree.
SCRIPT = f"""
cd /work/src
for case in */; do
    (
        cd "$case"
        for c in $(ls *.c 2>/dev/null); do
            gcc-12 {" ".join(FLAGS)} "$c" || echo refused by gcc
            clang-19 {" ".join(FLAGS)} "$c" || echo refused by clang
        done
        for rust in $(ls checks.rs 2>/dev/null); do
            rustc --edition 2021 --emit=metadata -o "/tmp/${{case%/}}.rmeta" "$rust" || echo refused by rustc
        done
    ) > "/work/out/${{case%/}}" 2>&1
done
exit 0
"""
PREFIX = "envoy_dynamic_module_type_"
T = TypeVar("T", bound=msgspec.Struct)


@pytest.fixture(scope="module")
def toolchain(client: docker.DockerClient, cache: Path) -> Toolchain:
    """The image of the project, on the private server."""
    return Toolchain(client, obtain_toolchain(client, paths.TOOLCHAIN, cache, print))


@pytest.fixture(scope="module")
def builder(toolchain: Toolchain, cache: Path) -> Builder:
    """Downloads the official SDK's Go modules."""
    repository = SourceRepository(DEFAULT_SOURCE, cache, print)
    return Builder(cache, paths.ABI, paths.TOOLCHAIN, repository, lambda: toolchain, print)


def compiled(toolchain: Toolchain, cases: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """What the compilers say of each case, a folder of files; empty where they have nothing against it."""
    sources = {f"{case}/{name}": text.encode() for case, files in cases.items() for name, text in files.items()}
    identity: ToolchainIdentity = toolchain.identity
    done = run_job(toolchain.client, identity.image_id, ["sh", "-c", SCRIPT], {"src": TarTree.from_files(sources)}, {}, "out")
    assert done.succeeded, done.log.decode()
    printed = {name: text.decode() for name, text in done.outputs.items()}
    assert set(printed) == set(cases)
    return printed


def test_the_bindings_of_every_minor_are_what_the_data_says(toolchain: Toolchain) -> None:
    abis = load_every_abi() | {"golden": golden_abi()}
    printed = compiled(toolchain, {name: rendered(abi) for name, abi in abis.items()})
    assert printed == dict.fromkeys(abis, "")


@pytest.mark.parametrize("minor", [*IN_GO_MODULES, *IN_CLONES])
def test_the_official_header_is_what_the_data_says(minor: str, toolchain: Toolchain, builder: Builder, cache: Path) -> None:
    header = header_in_go_module(minor, builder) if minor in IN_GO_MODULES else header_in_clone(minor, cache)
    checks = c_checks(load_abi(paths.ABI, minor), "abi.h")
    assert checks.count("_Static_assert") > 400
    assert compiled(toolchain, {"official": {"abi.h": header.read_text(), "checks.c": checks}}) == {"official": ""}


def with_type(one: str, /, **changes: object) -> Abi:
    """The golden ABI, with one type changed."""
    return _with("types", PREFIX + one, changes)


def with_function(one: str, /, **changes: object) -> Abi:
    """The golden ABI, with one function changed."""
    return _with("functions", "envoy_dynamic_module_" + one, changes)


def _with(key: str, name: str, changes: Mapping[str, object]) -> Abi:
    abi = golden_abi()
    items: Iterable[AbiType | Function] = getattr(abi, key)
    assert name in {one.name for one in items}
    changed = tuple(msgspec.structs.replace(one, **changes) if one.name == name else one for one in items)
    return msgspec.structs.replace(abi, **{key: changed})


def member(name: str, text: str) -> Member:
    """A field or a parameter; `NAME` in the text stands for a type of the ABI."""
    return Member(name, text.replace("NAME_", PREFIX))


def values(**numbers: int) -> tuple[EnumValue, ...]:
    """Constants of `kind`."""
    return tuple(EnumValue(f"{PREFIX}kind_{name}", number) for name, number in numbers.items())


ADDRESS = (
    member("bytes", "uint8_t[16]"),
    member("port", "uint16_t"),
    member("kind", "NAME_kind"),
    member("table", "const char*[2][3]"),
)
ASK = (
    member("filter_envoy_ptr", "NAME_filter_envoy_ptr"),
    member("addresses", "const NAME_address* const*"),
    member("in", "int64_t"),
    member("out", "uint32_t*"),
)
BUFFER = (member("ptr", "const char*"), member("length", "size_t"))


def _lost_in_padding() -> Abi:
    """Without a field that others' alignment leaves room for: neither the size nor an offset changes."""
    fields = next(one for one in golden_abi().types if one.name == f"{PREFIX}result").fields  # type: ignore[union-attr]
    return with_type("result", fields=tuple(field for field in fields if field.name != "type"))


# What the data may have wrong, and whether Rust can see it too: Rust knows neither hooks, nor what a pointer points to.
WRONG: dict[str, tuple[Callable[[], Abi], bool]] = {
    "version": (lambda: msgspec.structs.replace(golden_abi(), abi_version="v9.8.1"), True),
    "field-type": (lambda: with_type("address", fields=(ADDRESS[0], member("port", "int16_t"), *ADDRESS[2:])), True),
    "field-size": (lambda: with_type("address", fields=(member("bytes", "uint8_t[8]"), *ADDRESS[1:])), True),
    "field-order": (lambda: with_type("buffer", fields=BUFFER[::-1]), True),
    "field-name": (lambda: with_type("buffer", fields=(BUFFER[0], member("size", "size_t"))), True),
    "field-pointee": (lambda: with_type("buffer", fields=(member("ptr", "char*"), BUFFER[1])), False),
    "field-lost": (lambda: with_type("buffer", fields=BUFFER[:1]), True),
    "field-more": (lambda: with_type("buffer", fields=(*BUFFER, member("more", "bool"))), True),
    "field-lost-in-padding": (_lost_in_padding, True),
    "alias": (lambda: with_type("filter_envoy_ptr", type="uint32_t"), True),
    "alias-const": (lambda: with_type("filter_envoy_ptr", type="const void*"), False),
    "value": (lambda: with_type("kind", values=values(Self=-1, IpV4=5, IpV6=6)), True),
    "value-name": (lambda: with_type("kind", values=values(Self=-1, V4=4, IpV6=6)), True),
    "value-lost": (lambda: with_type("kind", values=values(Self=-1, IpV4=4)), False),
    "pointer-param": (lambda: with_type("done", params=(member("context", "uint32_t"), member("texts", "void*"))), True),
    "pointer-param-lost": (lambda: with_type("done", params=(member("context", "void*"),)), True),
    "pointer-returns": (lambda: with_type("done", returns="bool"), True),
    "param-type": (lambda: with_function("callback_filter_address", params=(*ASK[:2], member("in", "double"), ASK[3])), True),
    "param-sign": (lambda: with_function("callback_filter_address", params=(*ASK[:2], member("in", "uint64_t"), ASK[3])), True),
    "param-pointee": (lambda: with_function("callback_filter_address", params=(*ASK[:3], member("out", "int32_t*"))), False),
    "param-lost": (lambda: with_function("callback_filter_address", params=ASK[:3]), True),
    "param-more": (lambda: with_function("callback_filter_address", params=(*ASK, member("more", "bool"))), True),
    "returns": (lambda: with_function("callback_now", returns="int64_t"), True),
    "returns-nothing": (lambda: with_function("callback_now", returns="void"), True),
    "hook-param": (lambda: with_function("on_filter_destroy", params=()), False),
    "callback-name": (lambda: with_function("callback_now", name="envoy_dynamic_module_callback_later"), True),
    "hook-name": (lambda: with_function("on_filter_destroy", name="envoy_dynamic_module_on_filter_end"), False),
}


def test_each_mistake_in_the_data_is_an_error_of_each_compiler(toolchain: Toolchain) -> None:
    real = rendered(golden_abi())
    cases: dict[str, dict[str, str]] = {}
    for name, (make, _) in WRONG.items():
        wrong = make()
        assert wrong != golden_abi(), name
        cases[f"{name}.c"] = {"abi.h": real["abi.h"], "checks.c": c_checks(wrong, "abi.h")}
        cases[f"{name}.rs"] = {"abi.rs": real["abi.rs"], "checks.rs": rust_checks(wrong)}
    printed = compiled(toolchain, cases)
    for name, (_, rust_sees_it) in WRONG.items():
        for compiler in ("gcc", "clang"):
            assert f"refused by {compiler}" in printed[f"{name}.c"], f"{name}: {compiler} takes it: {printed[f'{name}.c']}"
        assert ("refused by rustc" in printed[f"{name}.rs"]) == rust_sees_it, f"{name}: {printed[f'{name}.rs']}"
