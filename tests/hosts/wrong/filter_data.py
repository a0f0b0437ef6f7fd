"""Ways to make the cases of `filter_data` wrong."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from dmconform.envoy.config import NetworkFilter
from dmconform.envoy.upstream import Upstream
from dmconform.matrix.cell import Cell

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import NEWEST, Wrong


def harmless(name: str) -> Sabotage:
    """The module does nothing of what it is for."""
    return sabotage.impatient(sabotage.module_is(name, "harmless"))


def to_nowhere(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The network filter names a cluster that does not exist."""
    to_json = NetworkFilter.to_json
    patch.setattr(NetworkFilter, "to_json", lambda one: to_json(replace(one, config="nowhere")))
    return bench


def nothing_received(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The upstream server receives nothing."""
    patch.setattr(Upstream, "read_received", lambda *_: [])
    return bench


def none_refuses(cell: Cell, options: dict[str, Any]) -> None:
    """The cluster whose server refuses is that of one which answers."""
    options["clusters"] = {**options["clusters"], "refusing": cell.upstream_port}


TABLE = (
    Wrong(
        "filter_data/attributes", "the module does nothing", harmless("attributes"), "expected the attributes .0, 1, 2.* given"
    ),
    Wrong(
        "filter_data/attributes",
        "another method",
        sabotage.sent(lambda one: replace(one, method="PUT")),
        "expected the attributes .4: 'POST'. at request, saw .4: 'PUT'",
    ),
    Wrong(
        "filter_data/attributes",
        "another route",
        sabotage.listeners_say('"a route"', '"another"'),
        "expected the attributes .61: 'a route'. at request, saw .61: 'another'",
    ),
    Wrong(
        "filter_data/kept_data",
        "the module does nothing",
        harmless("kept_data"),
        "expected the module to read each type of metadata of the route",
    ),
    Wrong(
        "filter_data/kept_data",
        "the route has another number",
        sabotage.listeners_say('"number": 4.5', '"number": 5'),
        "expected the module to read each type of metadata of the route, saw '1111111 of the route 5 ",
    ),
    Wrong(
        "filter_data/kept_data",
        "cluster and endpoint have none",
        sabotage.in_case("with_metadata", lambda *_: None),
        "expected the module to read each type of metadata of the cluster",
    ),
    Wrong(
        "filter_data/kept_data",
        "Envoy has another state",
        sabotage.answer_header("x-server", "other"),
        "expected Envoy to have .*, it has .*other",
    ),
    Wrong(
        "filter_data/kept_data",
        "no flags",
        sabotage.listeners_say("%CUSTOM_FLAGS%", "-"),
        "expected the flags of the module and the status in the access log, saw '- 200'",
    ),
    Wrong(
        "filter_data/cluster_by_filter_state",
        "the module does nothing",
        harmless("kept_data"),
        "expected the connection to go to the cluster of the filter state, 0 requests",
    ),
    Wrong("filter_data/cluster_by_filter_state", "an unknown cluster", to_nowhere, "expected an answer, saw"),
    Wrong(
        "filter_data/labels",
        "the module does nothing",
        harmless("labels"),
        "expected histograms to be merged|expected the results 0 0 0 0 0 of right",
    ),
    Wrong(
        "filter_data/labels",
        "an unknown metric is known",
        sabotage.log_says("callbacks unknown 1 1 1", "callbacks unknown 0 0 0"),
        "expected the results 1 1 1 of unknown",
    ),
    Wrong(
        "filter_data/labels",
        "a label is lost",
        sabotage.admin_says('who="plain"', 'who="other"'),
        "expected each label to have its own series",
    ),
    Wrong(
        "filter_data/labels",
        "another value",
        sabotage.requests(lambda _, options: options.update(headers={"x-label": "plain"})),
        "expected each label to have its own series",
    ),
    Wrong(
        "filter_data/stream_callout",
        "the module does nothing",
        harmless("stream_callout"),
        "expected what was sent to come back through the stream",
    ),
    Wrong("filter_data/stream_callout", "nothing comes", nothing_received, "expected the pieces and the trailer"),
    Wrong(
        "filter_data/stream_callout",
        "none refuses",
        sabotage.start_with(none_refuses),
        "expected the module to see the ends .*'refusing': '200, 503'.*, saw .*'refusing': '200, 200'",
    ),
    Wrong(
        "filter_data/socket_options",
        "the module does nothing",
        harmless("keep_alive"),
        "expected the kernel to keep alive .*, saw .*'main': .'client': False, 'upstream': False",
    ),
    Wrong(
        "filter_data/socket_options",
        "all are kept alive",
        sabotage.in_case("timers_of", lambda real, pid: [(own, other, "02") for own, other, _ in real(pid)]),
        "expected the kernel to keep alive .*, saw .*'plain': .'client': True",
    ),
    Wrong(
        "filter_data/generic_secret",
        "the module does nothing",
        harmless("generic_secret"),
        "expected the secret 'first', the module has",
        host=NEWEST,
    ),
    Wrong(
        "filter_data/generic_secret",
        "the file stays",
        sabotage.impatient(sabotage.in_case("write_secret", lambda write, file, _: write(file, "first"))),
        "expected the secret 'second', the module has 'first'",
        host=NEWEST,
    ),
)
