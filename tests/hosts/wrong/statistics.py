"""Ways to make the cases of `statistics` wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pytest

from harness.run.cell import Cell
from harness.run.config import HttpFilter, Listener, ModuleRef, PerRoute
from harness.run.envoy import Envoy
from harness.versions import Minor
from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong
from tests.hosts.wrong.remote_source import comes_right, no_nack


def counts(change: Callable[[int], int]) -> Sabotage:
    """The host counts failures otherwise."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        counters = Envoy.counters

        def changed(envoy: Envoy, prefix: str) -> dict[str, int]:
            seen = counters(envoy, prefix)
            return {name: change(value) for name, value in seen.items()} if prefix == "dynamic_modules." else seen

        patch.setattr(Envoy, "counters", changed)
        return bench

    return apply


def has_none(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The host has no counters of failures."""
    counters = Envoy.counters
    patch.setattr(Envoy, "counters", lambda envoy, prefix: {} if prefix == "dynamic_modules." else counters(envoy, prefix))
    return bench


def is_taken_for_older(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The host is taken for one before the counters."""
    patch.setattr(Cell, "host_minor", Minor.parse("1.38"))
    return bench


def routes(change: Callable[[tuple[PerRoute, ...]], tuple[PerRoute, ...]]) -> Sabotage:
    """Per-route configurations are not those of the case."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        build = Listener.routes
        patch.setattr(Listener, "routes", lambda one: build(replace(one, per_route=change(one.per_route))))
        return bench

    return apply


def _renamed(given: tuple[PerRoute, ...]) -> tuple[PerRoute, ...]:
    return tuple(replace(one, name="another") for one in given)


no_per_route = routes(lambda _: ())


def _refuses_nothing(one: HttpFilter) -> HttpFilter:
    return replace(one, filter_name="local_reply", config="418") if one.filter_name == "refuse" else one


def _refused_is_absent(one: HttpFilter) -> HttpFilter:
    return replace(one, module=ModuleRef("absent")) if one.filter_name == "refuse" else one


def _absent_is_there(one: HttpFilter) -> HttpFilter:
    return HttpFilter(ModuleRef("probe"), "local_reply", "418") if one.module.name == "absent" else one


def _absent_has_another_name(one: HttpFilter) -> HttpFilter:
    return replace(one, filter_name="another") if one.module.name == "absent" else one


twice = counts(lambda value: 2 * value)
COUNTERS = "expected the counters"
REJECTED = "expected the configuration to be rejected"

TABLE = (
    Wrong("statistics/module_load_error", "not counted", has_none, COUNTERS),
    Wrong("statistics/module_load_error", "counted twice", twice, COUNTERS),
    Wrong("statistics/module_load_error", "it is there", sabotage.filters(_absent_is_there), REJECTED),
    Wrong("statistics/module_load_error", "another name", sabotage.filters(_absent_has_another_name), COUNTERS),
    Wrong("statistics/config_init_error", "not refused", sabotage.filters(_refuses_nothing), REJECTED),
    Wrong("statistics/config_init_error", "not loaded", sabotage.filters(_refused_is_absent), COUNTERS),
    Wrong("statistics/config_init_error", "counted twice", twice, COUNTERS),
    Wrong("statistics/per_route_config_error", "accepted", no_per_route, REJECTED),
    Wrong("statistics/per_route_config_error", "another name", routes(_renamed), COUNTERS),
    Wrong("statistics/config_name_tag", "another name", sabotage.filters(_absent_has_another_name), "expected the line"),
    Wrong("statistics/config_name_tag", "it is there", sabotage.filters(_absent_is_there), REJECTED),
    Wrong("statistics/remote_fetch_error", "another failure", comes_right, COUNTERS),
    Wrong("statistics/remote_fetch_error", "another name", sabotage.filter_named("another"), COUNTERS),
    Wrong("statistics/remote_fetch_error", "counted twice", twice, COUNTERS),
    Wrong("statistics/cache_miss_is_a_remote_fetch_error", "not rejected", no_nack, REJECTED),
    Wrong("statistics/cache_miss_is_a_remote_fetch_error", "counted twice", twice, COUNTERS),
    Wrong("statistics/new_in_1_39", "not there", has_none, "expected some of these counters"),
    Wrong("statistics/new_in_1_39", "there before", is_taken_for_older, "expected none of these counters"),
)
