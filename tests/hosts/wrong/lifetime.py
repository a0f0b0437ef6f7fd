"""Ways to make the cases of `lifetime` wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dmconform.envoy.config import PerRoute
from dmconform.matrix.cell import Cell

from tests.hosts import sabotage
from tests.hosts.wrong import Wrong

NEVER_CLOSED = sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=True)))
GONE = "to stay loaded, it is gone|to have kept its state and count 2, it counts 1"
TOGETHER = "expected 2 workers to have counted from 1 on, each for itself"


def _one_worker(_: Cell, options: dict[str, Any]) -> None:
    options["concurrency"] = 1


def _kept(given: tuple[PerRoute, ...]) -> tuple[PerRoute, ...]:
    return tuple(replace(one, module=replace(one.module, do_not_close=True)) for one in given)


TABLE = (
    Wrong(
        "lifetime/constructors_and_destructors",
        "never closed",
        NEVER_CLOSED,
        "expected liblifetime.so to be unloaded when nothing uses it",
    ),
    Wrong(
        "lifetime/constructors_and_destructors",
        "closed too early",
        sabotage.listener_uses_copy("b"),
        "expected the library to have been constructed; it was constructed, destructed",
    ),
    Wrong(
        "lifetime/constructors_and_destructors",
        "has no constructor",
        sabotage.impatient(sabotage.module_is("lifetime", "probe")),
        "expected the library to have been constructed; it was $",
    ),
    Wrong(
        "lifetime/kept_is_not_destructed",
        "flag not set",
        sabotage.modules(lambda module: replace(module, do_not_close=False)),
        GONE,
    ),
    Wrong(
        "lifetime/kept_is_not_destructed",
        "has no constructor",
        sabotage.impatient(sabotage.module_is("lifetime", "probe")),
        "expected the library to have been constructed; it was $",
    ),
    Wrong(
        "lifetime/each_step_once",
        "never closed",
        sabotage.both(NEVER_CLOSED, sabotage.routes(_kept)),
        "expected libwitness.so to be unloaded when nothing uses it",
    ),
    Wrong(
        "lifetime/each_step_once",
        "another text",
        sabotage.configured("another text"),
        "expected the module to see .* it saw ",
    ),
    Wrong(
        "lifetime/each_step_once",
        "configured twice",
        sabotage.filters_twice,
        "expected the module to see .* it saw ",
    ),
    Wrong(
        "lifetime/path_as_it_is_named",
        "the folder itself",
        sabotage.searching("real"),
        "expected the module to say that it is .*/link/liblinked.so, it said",
    ),
    Wrong(
        "lifetime/path_as_it_is_named",
        "says nothing",
        sabotage.log_without("dmconform: witness"),
        "expected the module to say that it is .*/link/liblinked.so, it said",
    ),
    Wrong("lifetime/marked_nodelete", "not marked", sabotage.module_is("nodelete", "lifetime"), GONE),
    Wrong(
        "lifetime/marked_nodelete",
        "counts in twos",
        sabotage.filters_twice,
        "expected a fresh module to count 1, it counts 2",
    ),
    Wrong("lifetime/thread_local", "one worker", sabotage.start_with(_one_worker), TOGETHER),
    Wrong("lifetime/thread_local", "counts in twos", sabotage.filters_twice, TOGETHER),
    Wrong(
        "lifetime/thread_local",
        "never closed",
        NEVER_CLOSED,
        "expected libthread_local.so to be unloaded when nothing uses it",
    ),
    Wrong(
        "lifetime/filter_listener_routes_go",
        "never closed",
        sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=module.name == "wanted"))),
        "expected libwanted.so to be unloaded when nothing uses it",
    ),
    Wrong(
        "lifetime/filter_listener_routes_go",
        "routes do not name it",
        sabotage.no_per_route,
        "expected the module to stay loaded after libcanary2.so, it is gone",
    ),
    Wrong(
        "lifetime/request_keeps_its_route",
        "never closed",
        sabotage.impatient(sabotage.routes(_kept)),
        "expected libcanary.so to be unloaded when nothing uses it",
    ),
    Wrong(
        "lifetime/request_keeps_its_route",
        "routes do not name it",
        sabotage.no_per_route,
        "expected the module to stay loaded while a request keeps its route, it is gone",
    ),
)
