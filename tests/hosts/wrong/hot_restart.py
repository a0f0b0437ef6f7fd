"""Ways to make the cases of `hot_restart` wrong."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from dmconform.casekit.hot_restart import HotRestart
from dmconform.envoy.config import Listener
from dmconform.envoy.envoy import Envoy

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.wrong import NEWEST, Wrong


def labels_get_lost(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The second time, a counter is part of its own name."""
    counted = case.counted

    def lost(envoy: Envoy) -> list[str]:
        return [one.replace('{kind="get"} 2', "_kind_get{} 2") for one in counted(envoy)]

    patch.setattr(case, "counted", lost)
    return bench


def begins_anew(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The second Envoy counts from the beginning."""
    counted = case.counted
    patch.setattr(case, "counted", lambda envoy: [one.replace(" 2", " 1") for one in counted(envoy)])
    return bench


def one_folder(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Both Envoys have the module of the first."""
    start = HotRestart.start

    def changed(chain: HotRestart, *listeners: Listener, **options: Any) -> Envoy:  # noqa: ANN401 - as they come
        if "search_path" in options:
            options["search_path"] = options["search_path"].with_name("old")
        return start(chain, *listeners, **options)

    patch.setattr(HotRestart, "start", changed)
    return bench


TABLE = (
    Wrong(
        "hot_restart/labels",
        "labels get lost",
        labels_get_lost,
        r"expected envoy_dynamicmodulescustom_calls.kind=.get.. 2, saw envoy_dynamicmodulescustom_calls_kind_get.. 2",
        host=NEWEST,
    ),
    Wrong(
        "hot_restart/labels", "begins anew", begins_anew, "expected envoy_dynamicmodulescustom_calls.* 2, saw .* 1", host=NEWEST
    ),
    Wrong(
        "hot_restart/labels",
        "does not count",
        sabotage.module_is("labelled_counter", "harmless"),
        "expected the counter to be 1, saw ",
        host=NEWEST,
    ),
    Wrong("hot_restart/modules", "one folder", one_folder, "expected libprobe.so of new to be mapped, it is not"),
    Wrong("hot_restart/modules", "another filter", sabotage.filter_named("transform"), "expected the header x-dmconform-count"),
)
