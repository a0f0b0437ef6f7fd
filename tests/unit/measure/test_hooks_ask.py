"""Modules that ask for what a host would not call by itself."""

from __future__ import annotations

from dmconform.abi.bindings.stub_module import stub_module
from dmconform.abi.loading import load_abi
from dmconform.abi.types import Abi
from dmconform.core import paths
from dmconform.core.extension_point import HOOK_PREFIX
from dmconform.measure.hooks.ask import asking


def abi_of(minor: str) -> Abi:
    return load_abi(paths.ABI, minor)


def test_an_event_is_scheduled_and_no_harm_is_done() -> None:
    body = asking(abi_of("1.39"))[f"{HOOK_PREFIX}network_filter_new_connection"]
    lines = body.splitlines()
    assert [line.partition("network_filter_")[2] for line in lines[:3]] == [
        "scheduler_module_ptr scheduler = envoy_dynamic_module_callback_network_filter_scheduler_new(filter_envoy_ptr);",
        "scheduler_commit(scheduler, 1);",
        "scheduler_delete(scheduler);",
    ]
    assert lines[3].endswith("_Continue;")


def test_what_the_host_waits_for_is_still_reported() -> None:
    assert "cluster_pre_init_complete(" in asking(abi_of("1.38"))[f"{HOOK_PREFIX}cluster_init"]


def test_a_minor_is_asked_only_for_what_it_has() -> None:
    asked = {
        minor: {name.removeprefix(HOOK_PREFIX) for name in asking(abi_of(minor))} for minor in ("1.36", "1.37", "1.38", "1.39")
    }
    assert asked["1.36"] == set()
    assert asked["1.38"] - asked["1.37"] == {"cluster_init"}
    assert asked["1.39"] - asked["1.38"] == {"stat_sink_config_new"}
    for minor in asked:
        assert stub_module(abi_of(minor), asking(abi_of(minor)))
