"""Ways to make the cases of `statistics` wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from dmconform.core.values import Outcome
from dmconform.core.versions import Minor
from dmconform.envoy.config import HttpFilter, Listener, ModuleRef, PerRoute
from dmconform.envoy.envoy import Envoy
from dmconform.matrix.cell import Cell

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage, no_per_route, routes
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


def _renamed(given: tuple[PerRoute, ...]) -> tuple[PerRoute, ...]:
    return tuple(replace(one, name="another") for one in given)


def _renamed_unless_right(given: tuple[PerRoute, ...]) -> tuple[PerRoute, ...]:
    return tuple(replace(one, name="another") if one.config != "R" else one for one in given)


def _refuses_nothing(one: HttpFilter) -> HttpFilter:
    return replace(one, filter_name="local_reply", config="418") if one.filter_name == "refuse" else one


def _refused_is_absent(one: HttpFilter) -> HttpFilter:
    return replace(one, module=ModuleRef("absent")) if one.filter_name == "refuse" else one


def _absent_is_there(one: HttpFilter) -> HttpFilter:
    return HttpFilter(ModuleRef("probe"), "local_reply", "418") if one.module.name == "absent" else one


def _absent_has_another_name(one: HttpFilter) -> HttpFilter:
    return replace(one, filter_name="another") if one.module.name == "absent" else one


def namespace(name: str) -> Sabotage:
    """The module's metrics are to stand under this namespace."""
    return sabotage.modules(lambda module: replace(module, metrics_namespace=name))


def loses_requests(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """One of three requests does not come to the module."""
    request = Envoy.request
    patch.setattr(Envoy, "request", lambda envoy, path: request(envoy, path, listener="main" if path != "/1" else "plain"))
    start_anyhow = Cell.start_anyhow

    def with_plain(cell: Cell, *listeners: Listener, **options: Any) -> Envoy:  # noqa: ANN401 - as they come
        return start_anyhow(cell, *listeners, Listener("plain"), **options)

    patch.setattr(Cell, "start_anyhow", with_plain)
    patch.setattr("dmconform.envoy.envoy.LOG_LINE_S", 0.3)
    return bench


def impatient(then: Sabotage) -> Sabotage:
    """Histograms that have to hold something are not waited for."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        patch.setattr("dmconform.envoy.envoy.LOG_LINE_S", 0.3)
        return then(bench, case, patch)

    return apply


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
    *(
        Wrong(f"statistics/{name}", how, way, detail)
        for name in ("per_route_refused", "per_route_panicked")
        for how, way, detail in (
            ("accepted", routes(lambda given: tuple(replace(one, config="R") for one in given)), REJECTED),
            ("counted twice", twice, COUNTERS),
            ("another name", routes(_renamed_unless_right), COUNTERS),
        )
    ),
    Wrong(
        "statistics/per_route_panicked",
        "no guard",
        sabotage.recorded_of_sdk(panic_guard=False),
        "no guard",
        Outcome.NOT_APPLICABLE,
    ),
    Wrong("statistics/no_source", "initialised", sabotage.module_is("no_program_init", "probe"), COUNTERS),
    Wrong("statistics/no_source", "counted twice", twice, COUNTERS),
    Wrong("statistics/config_name_tag", "another name", sabotage.filters(_absent_has_another_name), "expected the line"),
    Wrong("statistics/config_name_tag", "it is there", sabotage.filters(_absent_is_there), REJECTED),
    Wrong("statistics/remote_fetch_error", "another failure", comes_right, COUNTERS),
    Wrong("statistics/remote_fetch_error", "another name", sabotage.filter_named("another"), COUNTERS),
    Wrong("statistics/remote_fetch_error", "counted twice", twice, COUNTERS),
    Wrong("statistics/cache_miss_is_a_remote_fetch_error", "not rejected", no_nack, REJECTED),
    Wrong("statistics/cache_miss_is_a_remote_fetch_error", "counted twice", twice, COUNTERS),
    Wrong("statistics/custom_metrics", "another namespace", impatient(namespace("other")), "expected the metrics .* None"),
    Wrong("statistics/custom_metrics", "too few", loses_requests, "expected the metrics .* saw .*_count': 4.*_size': {3.0: 2}"),
    Wrong("statistics/custom_metrics", "no metrics", impatient(sabotage.filter_named("identity")), "expected the metrics"),
    Wrong("statistics/metrics_namespace", "the default one", impatient(namespace("")), "expected the metrics .* None"),
    Wrong("statistics/metrics_namespace", "too few", loses_requests, "expected the metrics .* saw .*_count': 4"),
    Wrong("statistics/new_in_1_39", "not there", has_none, "expected some of these counters"),
    Wrong("statistics/new_in_1_39", "there before", is_taken_for_older, "expected none of these counters"),
)
