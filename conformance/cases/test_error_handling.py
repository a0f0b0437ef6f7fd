"""What a module that cannot be loaded, or that refuses, does to its host: its configuration is rejected, and nothing else."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from dmconform.casekit import (
    HOOK_PREFIX,
    AttemptEnd,
    Cell,
    Envoy,
    ExtensionPoint,
    HttpFilter,
    Language,
    Listener,
    ListenerFilter,
    Minor,
    ModuleRef,
    NetworkFilter,
    PerRoute,
    case,
    export_names,
    listener,
    reachable_points,
    required_hooks,
    use_at,
    without_symbols,
)

ONE = (Language.CPP,)
COUNTED_SINCE = Minor.parse("1.39")
GARBAGE = "dmconform: no ABI version"


def rejected(cell: Cell, module: str, filter_name: str) -> str:
    """Returns the message with which a configuration is rejected, after which the process serves on."""
    cell.install(module)
    with cell.start_anyhow(listener(filter_name, module=module), search_path=cell.modules_folder) as envoy:
        update = envoy.first_update
        assert not update.accepted, "expected the configuration to be rejected, it was accepted"
        cell.assert_still_serves(envoy)
    cell.facts["rejection"] = update.message
    return update.message


@case("loading.failure_rejects")
def test_program_init_missing(cell: Cell) -> None:
    """A module without the initialisation hook is rejected by name, and the process serves on."""
    message = rejected(cell, "no_program_init", "identity")
    named = "envoy_dynamic_module_on_program_init" in message or "libno_program_init.so" in message
    assert named, f"expected the rejection to name the hook or the module, it says: {message}"


@case("loading.failure_rejects")
def test_program_init_null(cell: Cell) -> None:
    """A module whose initialisation hook returns null is rejected by name, and the process serves on."""
    message = rejected(cell, "null_program_init", "identity")
    assert "libnull_program_init.so" in message, f"expected the rejection to name the module, it says: {message}"


@case("loading.failure_rejects", languages=ONE, supported_for=())
def test_program_init_garbage(cell: Cell) -> None:
    """A module whose initialisation hook returns a text that is no ABI version: the host says so of it, and serves on."""
    cell.install("odd_program_init")
    with cell.start_anyhow(listener("identity", module="odd_program_init"), search_path=cell.modules_folder) as envoy:
        update = envoy.first_update
        cell.facts["configuration"] = "accepted" if update.accepted else f"rejected: {update.message}"
        named = any(one in envoy.read_log() for one in (GARBAGE, "libodd_program_init.so"))
        assert named, f"expected the host to name the module or what it returned, it says: {update.message}"
        cell.assert_still_serves(envoy)


def hooks_to_hide(cell: Cell) -> list[str]:
    """Returns the hooks that a module with an HTTP filter must have; without program_init no other hook is asked for."""
    return sorted(required_hooks(cell, ExtensionPoint.HTTP_FILTER) - {"program_init"})


@contextlib.contextmanager
def rejected_without_hooks(cell: Cell, hooks: list[str]) -> Iterator[Envoy]:
    """Yields an Envoy that has rejected, in one update, modules that lack one hook each; listeners are named `without_HOOK`."""
    with cell.start(listener("local_reply", "418")) as envoy:
        probe = (cell.modules_folder / "libprobe.so").read_bytes()
        for hook in hooks:
            (cell.modules_folder / f"libno_{hook}.so").write_bytes(without_symbols(probe, [HOOK_PREFIX + hook]))
        without = [listener("identity", name=f"without_{hook}", module=f"no_{hook}") for hook in hooks]
        update = envoy.update(listener("local_reply", "418"), *without)
        assert not update.accepted, "expected the configuration to be rejected, it was accepted"
        yield envoy


@case("module.required_functions", "loading.failure_rejects", languages=ONE)
def test_required_hook_missing(cell: Cell) -> None:
    """Of modules that lack one required hook each, every one is rejected with the hook's name, and the process serves on."""
    hooks = hooks_to_hide(cell)
    with rejected_without_hooks(cell, hooks) as envoy:
        for hook in hooks:
            named = re.search(rf"without_{hook}: .*\b{HOOK_PREFIX}{hook}\b", envoy.read_log())
            assert named, f"expected the rejection of a module without {hook} to name it, the log does not"
        status = envoy.request("/").status
        assert status == 418, f"expected the listener before to go on answering 418, it answers {status}"


@case("statistics.module_load_error", languages=ONE)
def test_required_hook_missing_is_counted(cell: Cell) -> None:
    """Modules without a required hook are counted, each once, as ones that could not be loaded."""
    cell.needs(cell.host_minor >= COUNTED_SINCE, "Envoy counts these failures from 1.39 on")
    hooks = hooks_to_hide(cell)
    with rejected_without_hooks(cell, hooks) as envoy:
        seen = {name: value for name, value in envoy.counters("dynamic_modules.").items() if value}
        expected = {"dynamic_modules.module_load_error.config_name.identity": len(hooks)}
        assert seen == expected, f"expected {len(hooks)} modules without a hook to be counted as {expected}, saw {seen}"


@case("module.required_functions", "loading.failure_rejects", languages=ONE)
def test_required_route_hook_missing(cell: Cell) -> None:
    """A module that lacks a hook which its use on a route requires is rejected there, with the hook's name."""
    hooks = sorted(
        required_hooks(cell, ExtensionPoint.HTTP_FILTER, per_route=True) - set(hooks_to_hide(cell)) - {"program_init"}
    )
    cell.needs(bool(hooks), "this host requires no further hook for routes")
    filter_ = HttpFilter(ModuleRef("probe"), "per_route", "text")
    # Not `cell.install`: what is refused here must not pass for the probe.
    cell.modules_folder.mkdir()
    probe = Path(cell.sdk.modules["probe"].path).read_bytes()
    (cell.modules_folder / "libprobe.so").write_bytes(probe)
    with cell.start(listener("local_reply", "418")) as envoy:
        for hook in hooks:
            (cell.modules_folder / f"libno_{hook}.so").write_bytes(without_symbols(probe, [HOOK_PREFIX + hook]))
            route = PerRoute(filter_.entry, ModuleRef(f"no_{hook}"), "per_route", "R")
            message = assert_rejected_and_goes_on(cell, envoy, Listener("refused", (filter_,), (route,)))
            assert HOOK_PREFIX + hook in message, f"expected the rejection of a module without {hook} to name it: {message}"


@case("module.required_functions", "loading.failure_rejects", languages=ONE, supported_for=(), own_minor=True)
def test_points_without_hooks(cell: Cell) -> None:
    """At each extension point a module without the hooks that it requires is refused with the name of one of them."""
    whole = cell.install("harmless")
    for point in reachable_points(cell):
        where, hooks = point.value, required_hooks(cell, point) - {"program_init"}
        bare = whole.with_name(f"libwithout_{where}.so")
        bare.write_bytes(without_symbols(whole.read_bytes(), [HOOK_PREFIX + one for one in hooks]))
        tried = use_at(cell, point, f"without_{where}", "any")
        cell.facts[where] = f"{tried.ended.value} while {tried.phase.value}"
        refused = tried.ended is AttemptEnd.REFUSED
        assert refused, f"expected a module without its hooks to be refused at {where}, it {tried.ended.value}"
        named = any(re.search(rf"\b{HOOK_PREFIX}{one}\b", tried.message) for one in hooks)
        names = ", ".join(sorted(hooks))
        assert named, f"expected the refusal at {where} to name one of {names}, it says: {tried.message}"


@case("module.required_functions", languages=ONE, supported_for=(), own_minor=True)
def test_points_with_required_hooks(cell: Cell) -> None:
    """At each extension point a module that has only the hooks which it requires is accepted."""
    whole = cell.install("harmless")
    exported = [one for one in export_names(whole) if one.startswith(HOOK_PREFIX)]
    for point in reachable_points(cell):
        where, required = point.value, required_hooks(cell, point)
        spare = [one for one in exported if one.removeprefix(HOOK_PREFIX) not in required]
        whole.with_name(f"libonly_{where}.so").write_bytes(without_symbols(whole.read_bytes(), spare))
        tried = use_at(cell, point, f"only_{where}", "any")
        cell.facts[where] = tried.ended.value
        names = ", ".join(sorted(required))
        assert tried.accepted, f"expected a module with {names} to be accepted, it is not: {tried.message}"


def assert_rejected_and_goes_on(cell: Cell, envoy: Envoy, wrong: Listener) -> str:
    """Asserts that the Envoy rejects a listener, and the one before, which answers 418, serves on; returns the message."""
    update = envoy.update(listener("local_reply", "418"), wrong)
    assert not update.accepted, "expected the configuration to be rejected, it was accepted"
    cell.facts["rejection"] = update.message
    status = envoy.request("/").status
    assert status == 418, f"expected the listener before to go on answering 418, it answers {status}"
    return update.message


@case("loading.failure_rejects")
def test_configuration_refused(cell: Cell) -> None:
    """A configuration that the module refuses is rejected, and the module serves another one."""
    with cell.start(listener("local_reply", "418")) as envoy:
        assert_rejected_and_goes_on(cell, envoy, listener("refuse", name="refused"))


@case("loading.failure_rejects")
def test_per_route_configuration_refused(cell: Cell) -> None:
    """A configuration of a route that the module refuses is rejected, also where the filter does not take any."""
    with cell.start(listener("local_reply", "418")) as envoy:
        for filter_ in (HttpFilter(ModuleRef("probe"), "per_route", "text"), HttpFilter(ModuleRef("probe"), "identity")):
            route = PerRoute(filter_.entry, filter_.module, filter_.filter_name, "refuse")
            assert_rejected_and_goes_on(cell, envoy, Listener("refused", (filter_,), (route,)))


@case("loading.failure_rejects")
def test_network_configuration_refused(cell: Cell) -> None:
    """A network filter's configuration that the module refuses is rejected."""
    cell.needs_point(ExtensionPoint.NETWORK_FILTER)
    with cell.start(listener("local_reply", "418")) as envoy:
        filter_ = NetworkFilter(ModuleRef("probe"), "refuse")
        assert_rejected_and_goes_on(cell, envoy, Listener("refused", network=(filter_,), tcp=True))


@case("loading.failure_rejects")
def test_listener_configuration_refused(cell: Cell) -> None:
    """A listener filter's configuration that the module refuses is rejected."""
    cell.needs_point(ExtensionPoint.LISTENER_FILTER)
    with cell.start(listener("local_reply", "418")) as envoy:
        filter_ = ListenerFilter(ModuleRef("probe"), "refuse")
        assert_rejected_and_goes_on(cell, envoy, Listener("refused", listening=(filter_,), tcp=True))
