"""Ways to make the cases of `updates` wrong."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from dmconform.casekit.load import LoadClient
from dmconform.core.values import Outcome
from dmconform.envoy.config import HttpFilter, ModuleRef
from dmconform.envoy.envoy import Envoy

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong


def loses_some(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Every third request is lost."""
    ask = LoadClient._ask
    patch.setattr(LoadClient, "_ask", lambda load, port: "lost" if load.total % 3 == 2 else ask(load, port))
    return bench


def goes_back(old: int | str, new: int | str) -> Sabotage:
    """The old module answers once more when the new one has."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        ask = LoadClient._ask
        patch.setattr(
            LoadClient, "_ask", lambda load, port: old if load.latest == new and len(load.turns) == 2 else ask(load, port)
        )
        return bench

    return apply


def route_seen(reported: str, **otherwise: Any) -> Sabotage:  # noqa: ANN401 - whatever a PerRoute has
    """Routes that have a configuration are not as the case says."""
    return sabotage.routes(lambda given: tuple(replace(one, **otherwise) if one.config == reported else one for one in given))


def stops_asking(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The client is gone after a few requests."""
    patch.setattr(import_module(LoadClient.__module__), "MOST_REQUESTS", 3)  # `casekit.load` is the function
    patch.setattr(case, "REQUEST_S", 0.3)
    return bench


def impatient(then: Sabotage) -> Sabotage:
    """Waits that must end in vain are short."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        patch.setattr(case, "CONFIG_UPDATE_S", 0.5)
        return then(bench, case, patch)

    return apply


def rejections_not_counted(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The host does not count the updates that it rejects."""
    counters = Envoy.counters
    patch.setattr(
        Envoy, "counters", lambda envoy, prefix: {} if prefix.endswith("update_rejected") else counters(envoy, prefix)
    )
    return bench


def _other_is_absent(one: HttpFilter) -> HttpFilter:
    return replace(one, module=ModuleRef("absent")) if one.module.name == "other" else one


LOST = "expected every request to be answered"

TABLE = (
    Wrong("updates/bad_update", "not bad", sabotage.with_copy_named("absent"), "expected bad update 1 to be rejected"),
    Wrong("updates/bad_update", "not counted", rejections_not_counted, "expected 1 rejected update"),
    Wrong("updates/bad_update", "requests lost", loses_some, LOST),
    Wrong("updates/bad_update", "no load", stops_asking, "expected requests to go on"),
    Wrong(
        "updates/good_update_under_load",
        "no change",
        impatient(sabotage.configured("418")),
        "expected the new module to answer",
    ),
    Wrong("updates/good_update_under_load", "requests lost", loses_some, LOST),
    Wrong("updates/good_update_under_load", "goes back", goes_back(418, 422), "expected one turn from 418 to 422"),
    Wrong("updates/good_update_under_load", "not loaded", sabotage.filters(_other_is_absent), "absent", Outcome.REJECTED),
    Wrong("updates/many_updates", "no change", impatient(sabotage.configured("418")), "expected the last update to answer 500"),
    Wrong("updates/many_updates", "requests lost", loses_some, LOST),
    Wrong("updates/many_updates", "not loaded", sabotage.filters(_other_is_absent), "absent", Outcome.REJECTED),
    Wrong(
        "updates/good_update_under_http2",
        "no change",
        impatient(sabotage.configured("418")),
        "expected the new module to answer",
    ),
    Wrong("updates/good_update_under_http2", "requests lost", loses_some, LOST),
    Wrong("updates/good_update_under_http2", "goes back", goes_back(418, 422), "expected one turn from 418 to 422"),
    Wrong("updates/good_update_under_http2", "not loaded", sabotage.filters(_other_is_absent), "absent", Outcome.REJECTED),
    Wrong("updates/bad_routes", "not bad", sabotage.no_per_route, "expected bad routes 1 to be rejected, they were accepted"),
    Wrong("updates/bad_routes", "not counted", rejections_not_counted, r"expected 1 rejected update\(s\) of routes"),
    Wrong("updates/bad_routes", "requests lost", loses_some, LOST),
    Wrong(
        "updates/good_routes_under_load",
        "no change",
        impatient(route_seen("new", config="old")),
        "expected the filter to be told 'new', saw 'old'",
    ),
    Wrong("updates/good_routes_under_load", "requests lost", loses_some, LOST),
    Wrong("updates/good_routes_under_load", "goes back", goes_back("old", "new"), "expected one turn from 'old' to 'new'"),
    Wrong("updates/good_routes_under_load", "rejected", route_seen("new", name="unknown"), "Failed to", Outcome.REJECTED),
    Wrong(
        "updates/many_routes",
        "the last is not taken",
        impatient(route_seen("100", config="99")),
        "expected the filter to be told 100 in the end, saw 99",
    ),
    Wrong("updates/many_routes", "requests lost", loses_some, LOST),
    Wrong(
        "updates/many_routes",
        "never closed",
        sabotage.impatient(route_seen("unheard", module=ModuleRef("odd", do_not_close=True))),
        "expected libodd.so to be unloaded with the last route that names it|expected libeven.so to stay loaded",
    ),
)
