"""Ways to make the cases of `callbacks` wrong: the module is another one, or what comes of it is not what it set."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest
from dmconform.envoy.client import Answer
from dmconform.envoy.connection import Request
from dmconform.envoy.envoy import Envoy

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong


def _prometheus(old: str, new: str) -> Sabotage:
    """The host has another text among its metrics."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        admin = Envoy.admin

        def changed(envoy: Envoy, path: str, method: str = "GET") -> Answer:
            answer = admin(envoy, path, method)
            return replace(answer, body=answer.body.replace(old, new))

        patch.setattr(Envoy, "admin", changed)
        return bench

    return apply


def _cut(answer: Answer) -> Answer:
    return replace(answer, body=answer.body.removesuffix("tail"))


def _without_trailers(request: Request) -> Request:
    return replace(request, trailers={"x-other": "a trailer"})


TABLE = (
    Wrong("callbacks/http", "the module does nothing", sabotage.module_is("callbacks_http", "recorder"), "it printed none"),
    Wrong(
        "callbacks/http",
        "a body loses its end",
        sabotage.answers(_cut),
        "expected a body that ends with what the filter appends, saw",
    ),
    Wrong(
        "callbacks/http",
        "a header has another value",
        sabotage.answer_header("x-answer-set", "a longer"),
        "expected the header x-answer-set to be 'a longer value' at the client",
    ),
    Wrong(
        "callbacks/http",
        "the client sends another trailer",
        sabotage.sent(_without_trailers),
        "expected the client's trailer and the filter's at the upstream server",
    ),
    Wrong(
        "callbacks/http",
        "a label is lost",
        _prometheus('color="red",', ""),
        'expected the counter with the labels color="red",shape="round" to be 2',
    ),
    Wrong(
        "callbacks/http",
        "a warning is logged as an error",
        sabotage.log_says("[warning][dynamic_modules]", "[error][dynamic_modules]"),
        "expected one line in the log for each of the levels",
    ),
    Wrong(
        "callbacks/network",
        "the module does nothing",
        sabotage.module_is("callbacks_connections", "recorder"),
        "expected the module to print results of network, network_filter, it printed none",
    ),
    Wrong(
        "callbacks/network",
        "a counter is lost",
        _prometheus("network_filter_count", "network_filter_"),
        "expected the metric network_filter_count 3, saw",
    ),
    Wrong(
        "callbacks/listener",
        "the module does nothing",
        sabotage.module_is("callbacks_connections", "recorder"),
        "expected the module to print results of listener, listener_filter, it printed none",
    ),
    Wrong(
        "callbacks/listener",
        "a gauge is lost",
        _prometheus("listener_filter_level", "listener_filter_"),
        "expected the metric listener_filter_level 10, saw",
    ),
    Wrong(
        "callbacks/udp_listener",
        "the module does nothing",
        sabotage.module_is("callbacks_connections", "recorder"),
        "expected the module to print results of udp, udp_listener_filter, it printed none",
    ),
    Wrong(
        "callbacks/udp_listener",
        "a histogram is lost",
        _prometheus("udp_listener_filter_sizes_count", "udp_listener_filter_"),
        "expected the metric udp_listener_filter_sizes_count 1, saw",
    ),
)
