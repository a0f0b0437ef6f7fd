"""Remedies that `check` names are carried out on a C module, and real Envoys then load it where the remedy says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dmconform.abi.bindings.stub_module import PROGRAM_INIT, stub_module
from dmconform.abi.loading import load_abi
from dmconform.abi.required_hooks import load_required_hooks
from dmconform.abi.types import FunctionKind
from dmconform.binaries.facts import Known, Reached
from dmconform.binaries.read import read_module
from dmconform.check.bound import Bound, BoundKind
from dmconform.check.bounds import find_bounds
from dmconform.check.result import HostVerdict, SdkGuess
from dmconform.check.surroundings import Surroundings
from dmconform.core import paths
from dmconform.core.extension_point import CALLBACK_PREFIX, HOOK_PREFIX, ExtensionPoint
from dmconform.matrix.prepare import lazy_engine
from dmconform.sdks.catalogue import load_sdks
from dmconform.sdks.generated import compile_c

from tests.check_cli import checked

pytestmark = pytest.mark.host
HOSTS = ("1.38.3", "1.39.3", "1.40.0")
HTTP = ExtensionPoint.HTTP_FILTER
NOW, LAZY = "-Wl,-z,now", "-Wl,-z,lazy"
OF_NOBODY = f"{CALLBACK_PREFIX}dmconform_of_nobody"
ON_NETWORK, ON_REQUEST = f"{HOOK_PREFIX}network_filter_read", f"{HOOK_PREFIX}http_filter_request_headers"
Build = Callable[..., Path]


@pytest.fixture(scope="module")
def build() -> Iterator[Build]:
    """Compiles a module with the hooks of 1.38, one of which may call a function."""
    abi = load_abi(paths.ABI, "1.38")
    with lazy_engine(paths.cache_folder()) as engine:

        def compiled(hook: str, callback: str | None, how: str, *, weak: bool = False) -> Path:
            mark = "__attribute__((weak)) " if weak else ""
            test = f"if ({callback}) " if weak else "if (never) "
            call = f"{test}{callback}();\n" if callback else ""
            source = stub_module(
                abi,
                {PROGRAM_INIT: 'return "v0.1.0";', hook: f"{call}return 0;"},
                preamble=f"{mark}extern void {callback}(void);\nstatic volatile int never;" if callback else "",
            )
            return compile_c(
                "bound", {"bound.c": source.encode()}, paths.cache_folder(), engine.toolchain, (how, "-Wno-unused")
            )

        yield compiled


def only_in_1_39() -> str:
    """A callback that came with 1.39."""
    before, after = (load_abi(paths.ABI, minor).names(FunctionKind.CALLBACK) for minor in ("1.38", "1.39"))
    return min(after - before)


def bounds(module: Path) -> tuple[Bound, ...]:
    around = Surroundings.of(load_required_hooks(), load_sdks(paths.SDKS), frozenset([HTTP]))
    found = find_bounds(module, read_module(module), around, SdkGuess((), Known.UNKNOWN, ""))
    return tuple(one for one in found if one.kind is BoundKind.HOST_LACKS_CALLBACKS)


def loads_on(module: Path) -> set[str]:
    """The hosts that really load and use it."""
    found = checked(module, *(word for host in HOSTS for word in ("--host", host)), "--extension-point", "http_filter")
    return {host.id for host in found.hosts if host.verdict is HostVerdict.WORKS}


def remedy(of: Bound, words: str) -> set[str]:
    (found,) = (one for one in of.remedies if words in one.text)
    return set(found.loads_on) & set(HOSTS)


def test_a_function_of_1_39_that_no_hook_in_use_reaches(build: Build) -> None:
    callback = only_in_1_39()
    module = build(ON_NETWORK, callback, NOW)
    bound = bounds(module)[0]
    assert (bound.where, [one.reached for one in bound.missing]) == ("1.38", [Reached.NO])
    assert loads_on(module) == {"1.39.3", "1.40.0"}
    assert remedy(bound, "-z lazy") == loads_on(build(ON_NETWORK, callback, LAZY)) == set(HOSTS)
    assert remedy(bound, "without that") == loads_on(build(ON_NETWORK, None, NOW)) == set(HOSTS)


def test_what_a_hook_in_use_reaches_can_be_weak(build: Build) -> None:
    callback = only_in_1_39()
    bound = bounds(build(ON_REQUEST, callback, NOW))[0]
    assert [one.reached for one in bound.missing] == [Reached.YES]
    assert not any("without that" in one.text for one in bound.remedies)
    assert remedy(bound, "declared weak") >= {"1.38.3"}
    weak = build(ON_NETWORK, callback, NOW, weak=True)
    assert remedy(bound, "declared weak") == loads_on(weak) == set(HOSTS)


def test_lazy_binding_is_no_remedy_on_a_host_that_looks_at_load(build: Build) -> None:
    """1.40 opens modules with RTLD_NOW."""
    bound = bounds(build(ON_NETWORK, OF_NOBODY, NOW))[0]
    lazy = build(ON_NETWORK, OF_NOBODY, LAZY)
    assert remedy(bound, "-z lazy") == loads_on(lazy) == {"1.38.3", "1.39.3"}
    newest, older, *_ = bounds(lazy)
    assert (newest.where, older.where) == ("1.40", "1.38 to 1.39")
    assert "RTLD_NOW" in newest.reason
