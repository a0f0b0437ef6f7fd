"""Which minor's SDK a module was built with."""

from __future__ import annotations

import functools

import pytest
from dmconform.abi.loading import load_abi
from dmconform.abi.types import FunctionKind
from dmconform.binaries.facts import Known, ModuleFacts, Undefined
from dmconform.binaries.signs import GO_SDK
from dmconform.check.sdk_minor import KnownSdks, guess_minor
from dmconform.core import paths
from dmconform.core.versions import Minor
from dmconform.hosts.catalogue import load_hosts
from dmconform.sdks.catalogue import load_sdks

HOOK = "envoy_dynamic_module_on_program_init"
OLD = "envoy_dynamic_module_callback_log"


@functools.cache
def known() -> KnownSdks:
    abis = [load_abi(paths.ABI, file.stem) for file in paths.ABI.glob("[0-9]*.json")]
    return KnownSdks.of(load_hosts(paths.HOSTS_FILE), load_sdks(paths.SDKS), abis)


def names(minor: str, kind: FunctionKind) -> frozenset[str]:
    return known().abis[Minor.parse(minor)].names(kind)


def new_in(minor: str, kind: FunctionKind) -> str:
    """A function that came with a minor."""
    parsed = Minor.parse(minor)
    return min(names(minor, kind) - names(f"{parsed.major}.{parsed.minor - 1}", kind))


def module(
    abi: str | None, *callbacks: str, hooks: frozenset[str] = frozenset(), language: str = "cpp", sdk: str = ""
) -> ModuleFacts:
    return ModuleFacts(
        "00",
        1,
        hooks=tuple(sorted({HOOK, *hooks})),
        undefined=tuple(Undefined(name) for name in sorted(callbacks)),
        abi_version=abi,
        abi_version_known=Known.READ if abi else Known.UNKNOWN,
        language=language,
        language_known=Known.READ,
        sdk=sdk,
    )


@pytest.mark.parametrize(
    ("facts", "minors"),
    [
        (module("v0.2.0"), ("1.40",)),
        (module("v0.0.1"), ("1.37",)),  # no known host has it, an SDK does
        (module("v0.1.0", OLD), ("1.38", "1.39")),
        (module("v0.1.0", new_in("1.39", FunctionKind.CALLBACK)), ("1.39",)),
        (module("v0.1.0", new_in("1.40", FunctionKind.CALLBACK)), ()),  # a function of 1.40 with the string of 1.39
        (module("v0.1.0", "envoy_dynamic_module_callback_of_a_fork"), ("1.38", "1.39")),  # no minor has it
        (module("v0.1.0", hooks=frozenset({new_in("1.39", FunctionKind.HOOK)})), ("1.39",)),
        (module("v0.1.0", new_in("1.38", FunctionKind.CALLBACK)), ("1.38", "1.39")),
        (module("v0.1.0", "envoy_dynamic_module_callback_of_no_release"), ("1.38", "1.39")),
        (module("v9.9.9"), ()),
        (module(None, new_in("1.39", FunctionKind.CALLBACK)), ("1.39", "1.40")),
        (module(None, OLD), ()),
        (ModuleFacts("", 0, problem="no ELF file"), ()),
        (ModuleFacts("00", 1), ()),  # a library without hooks
    ],
)
def test_the_minor_of_the_sdk(facts: ModuleFacts, minors: tuple[str, ...]) -> None:
    guess = guess_minor(facts, known())
    assert guess.minors == minors
    assert guess.reason


@pytest.mark.parametrize("minor", ["1.38", "1.39"])
def test_an_sdk_that_defines_all_hooks_shows_its_minor_by_what_it_lacks(minor: str) -> None:
    """Envoy's Rust SDK does; others define the hooks of what the module is for."""
    hooks = names(minor, FunctionKind.HOOK)
    rust = guess_minor(module("v0.1.0", hooks=hooks, language="rust"), known())
    assert rust.minors == (minor,)
    if minor == "1.38":
        assert rust.known is Known.INFERRED
        assert guess_minor(module("v0.1.0", hooks=hooks, language="cpp"), known()).minors == ("1.38", "1.39")


def test_an_sdk_that_names_all_callbacks_shows_its_minor_by_what_it_lacks() -> None:
    """Envoy's Go SDK does."""
    go = module("v0.1.0", OLD, language="go", sdk=f"Go SDK {GO_SDK} without a version")
    assert guess_minor(go, known()).minors == ("1.38",)
    assert guess_minor(go, known()).known is Known.INFERRED
    other = module("v0.1.0", OLD, language="go")
    assert guess_minor(other, known()).minors == ("1.38", "1.39"), "another Go SDK may name what it likes"


def test_the_commit_of_an_sdk_shows_its_minor() -> None:
    sdk = "Go SDK example.org/sdk v0.0.0-20260423231439-f1dd21b16c24"
    assert guess_minor(module("v0.1.0", OLD, language="go", sdk=sdk), known()).minors == ("1.38",)


def test_what_the_user_says_counts() -> None:
    assert guess_minor(module("v0.2.0"), known(), Minor(1, 38)).minors == ("1.38",)
