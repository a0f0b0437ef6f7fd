"""Runtime guards: what a release put behind a name that a configuration can turn off is tried both ways.

No document promises it: what each release does is on record.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dmconform.casekit import (
    LOG_LINE_S,
    Cell,
    HostCrashed,
    HttpFilter,
    Language,
    Listener,
    ListenerFilter,
    ModuleRef,
    case,
    guarded,
    hot_restart,
    listener,
    poll,
    runtime_guards,
)

CPP = (Language.CPP,)
CONTINUE = "listener_filter_reentrant_continue_guard"
NAMES = "dynamic_modules_strip_custom_stat_prefix"
NOW = "dynamic_modules_rtld_now"
TAGS = "hot_restart_propagate_stat_tags"
KNOWN = {NAMES, NOW}
"""The guards about modules alone that a case here tries."""
CALLS = re.compile(r"^\w*calls\w*(?:\{.*\})?", re.MULTILINE)
"""A line of `/stats/prometheus` about a module's counter, without its value."""
WAYS = {"by default": None, "turned on": True, "turned off": False}


def try_each_way(cell: Cell, guard: str, result: Callable[[str, bool | None], str], default: str = "turned on") -> None:
    """Notes what the host does with a guard as it is by default, turned on and turned off, and asserts that it matters.

    Args:
        cell: ends as not applicable where its host does not have the guard.
        guard: its name.
        result: tries it, and returns the result in words; given a name for the way, and the value of the guard.
        default: the way that it is by default.
    """
    cell.needs(guard in runtime_guards(cell), f"this host has no guard {guard}")
    for name, value in WAYS.items():
        cell.facts[name] = result(name, value)
    seen = cell.facts
    assert seen["by default"] == seen[default], f"expected the guard {guard} to be {default} by default, saw {seen}"
    assert seen["turned off"] != seen["turned on"], f"expected the guard {guard} to change something, saw {seen}"


@case("module.c_abi", languages=CPP, supported_for=(), own_minor=True)
def test_known(cell: Cell) -> None:
    """Each guard about modules that is in the host's binary is tried here."""
    found = {name for name in runtime_guards(cell) if "dynamic_module" in name}
    cell.facts["guards"] = ", ".join(sorted(found)) or "none"
    assert found <= KNOWN, f"expected only guards that a case tries, found {sorted(found - KNOWN)}: add a case for it"


@case("loading.by_dlopen", languages=CPP, supported_for=(), own_minor=True)
def test_rtld_now(cell: Cell) -> None:
    """Whether modules are opened with RTLD_NOW: one with a symbol that is missing is then refused, and else accepted."""
    cell.install("absent_lazy")

    def opened(_: str, value: bool | None) -> str:
        user = listener("absent_callback", "do_not_call", module="absent_lazy")
        with cell.start_anyhow(user, search_path=cell.modules_folder, alter=guarded(NOW, value)) as envoy:
            return "accepted" if envoy.first_update.accepted else "refused"

    try_each_way(cell, NOW, opened)
    assert cell.facts["turned on"] == "refused", f"expected the module to be refused with the guard, saw {cell.facts}"


@case("statistics.custom_metrics", languages=CPP, supported_for=(), own_minor=True)
def test_metric_names(cell: Cell) -> None:
    """Whether Prometheus sees the namespace in the names of a module's metrics."""
    cell.install("labelled_counter")

    def named(_: str, value: bool | None) -> str:
        user = listener("any", module="labelled_counter")
        with cell.start_anyhow(user, search_path=cell.modules_folder, alter=guarded(NAMES, value)) as envoy:
            envoy.request("/")
            return ", ".join(CALLS.findall(envoy.admin("/stats/prometheus").body))

    try_each_way(cell, NAMES, named, default="turned off")


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_continue(cell: Cell) -> None:
    """Whether a listener filter may continue the chain from inside its own hook: without the guard Envoy may end."""
    name = "continue_in_accept"
    cell.install(name)

    def served(_: str, value: bool | None) -> str:
        user = Listener("main", listening=(ListenerFilter(ModuleRef(name), "any"),), tcp=True)
        try:
            with cell.start_anyhow(user, search_path=cell.modules_folder, alter=guarded(CONTINUE, value)) as envoy:
                return envoy.request("/").summary
        except HostCrashed as end:
            return str(end)

    try_each_way(cell, CONTINUE, served)
    assert cell.facts["turned on"] == "status 200", f"expected the connection to be served with the guard, saw {cell.facts}"


@case("statistics.custom_metrics", languages=CPP, supported_for=(), own_minor=True)
def test_hot_restart_tags(cell: Cell) -> None:
    """Whether the labels of metrics go on in a hot restart."""
    cell.install("labelled_counter")
    user = Listener("main", (HttpFilter(ModuleRef("labelled_counter"), "any"),))

    def taken_over(name: str, value: bool | None) -> str:
        with hot_restart(cell, name) as chain:
            chain.start(user, alter=guarded(TAGS, value)).request("/")
            second = chain.start(user, alter=guarded(TAGS, value))
            seen = poll(lambda: CALLS.findall(second.admin("/stats/prometheus").body), LOG_LINE_S)
        return ", ".join(seen or ())

    try_each_way(cell, TAGS, taken_over)
