"""Ways to make the cases of `connections` wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from dmconform.casekit import extensions, identity
from dmconform.core.values import Language, Outcome
from dmconform.envoy.config import Listener, ModuleRef
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.source_server import SourceServer

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong


def listeners(change: Callable[[Listener], Listener]) -> Sabotage:
    """Listeners are not those of the case."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        to_json = Listener.to_json
        patch.setattr(Listener, "to_json", lambda one: to_json(change(one)))
        return bench

    return apply


def socket_of(name: str, config: str) -> Sabotage:
    """The transport socket to the upstream server is another one; `none` stands for Envoy's own."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        alter = (lambda _: None) if name == "none" else extensions.upstream_socket(name, config)
        patch.setattr(case, "upstream_socket", lambda *_: alter)
        return bench

    return apply


def _without_filters(one: Listener) -> Listener:
    return replace(one, network=(), listening=()) if one.tcp else one


def _http(one: Listener) -> Listener:
    return replace(one, tcp=False)


def _panics(one: Listener) -> Listener:
    network = tuple(replace(each, config="new_connection") for each in one.network)
    return replace(one, network=network, listening=tuple(replace(each, config="accept") for each in one.listening))


def _modules(change: Callable[[ModuleRef], ModuleRef]) -> Sabotage:
    def changed(one: Listener) -> Listener:
        network = tuple(replace(each, module=change(each.module)) for each in one.network)
        listening = tuple(replace(each, module=change(each.module)) for each in one.listening)
        return replace(one, network=network, listening=listening)

    return listeners(changed)


no_filter = listeners(_without_filters)
as_http = listeners(_http)
panics = listeners(_panics)
closes = _modules(lambda one: replace(one, do_not_close=False))
locally = _modules(lambda one: replace(one, load_globally=False))


def bytes_change(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """What goes to the upstream server is not what the client says."""
    request = Envoy.request

    def changed(envoy: Envoy, path: str, **options: Any) -> object:  # noqa: ANN401 - as they come
        if options.get("body"):
            options["body"] = options["body"][:-1] + "?"
        return request(envoy, path.replace("size=1", "size=2"), **options)

    patch.setattr(Envoy, "request", changed)
    return bench


def nothing_behind(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Nobody answers behind the listener."""
    to_json = Listener._tcp_proxy

    def elsewhere(one: Listener) -> dict[str, Any]:
        proxy = to_json(one)
        proxy["typed_config"]["cluster"] = "nowhere"
        return proxy

    patch.setattr(Listener, "_tcp_proxy", elsewhere)
    return bench


def always_terminal(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The filter says always that it is the last one."""
    to_json = case.Last.to_json
    patch.setattr(case.Last, "to_json", lambda one: to_json(replace(one, terminal=True)))
    return bench


def never_terminal(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The filter says never that it is the last one."""
    to_json = case.Last.to_json
    patch.setattr(case.Last, "to_json", lambda one: to_json(replace(one, terminal=False)))
    return bench


def is_not_asked_for(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The server counts a fetch that there was not."""
    patch.setattr(SourceServer, "count_fetches", lambda *_: 1)
    return bench


def not_global(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The witness sees another library."""
    real = identity.identity_of
    patch.setattr(case, "identity_of", lambda answer, what: "libother.so" if what == "global" else real(answer, what))
    return bench


FROM_UPSTREAM = "expected the upstream server to answer"
WITHOUT_MANAGER = "expected the bytes to pass without a connection manager"
REJECTED = "expected a filter .* to be rejected"

TABLE = (
    Wrong("connections/network_passes", "http", as_http, WITHOUT_MANAGER),
    Wrong("connections/network_passes", "panics", panics, FROM_UPSTREAM),
    Wrong("connections/network_passes", "other bytes", bytes_change, "expected 'a body' at the upstream server"),
    Wrong("connections/network_large_data", "other bytes", bytes_change, "expected 100000 bytes as they were sent"),
    Wrong("connections/network_large_data", "nothing behind", nothing_behind, "expected an answer to 100000 bytes"),
    Wrong("connections/network_half_close", "nothing behind", nothing_behind, "expected the answer of the upstream server"),
    Wrong("connections/network_half_close", "panics", panics, "expected the answer of the upstream server"),
    Wrong("connections/listener_passes", "http", as_http, WITHOUT_MANAGER),
    Wrong("connections/listener_passes", "panics", panics, FROM_UPSTREAM),
    Wrong(
        "connections/network_terminal", "always", always_terminal, "expected a chain without a terminal filter to be rejected"
    ),
    Wrong("connections/network_terminal", "never", never_terminal, "terminal", outcome=Outcome.REJECTED),
    Wrong("connections/network_rejected", "no filter", no_filter, REJECTED),
    Wrong("connections/network_rejected", "other words", sabotage.log_says("libabsent", "lib"), "to name libabsent.so"),
    Wrong(
        "connections/network_rejected",
        "no words",
        sabotage.log_without("filter config"),
        "that the filter's configuration failed",
    ),
    Wrong("connections/listener_rejected", "no filter", no_filter, REJECTED),
    Wrong("connections/listener_rejected", "other words", sabotage.log_says("libabsent", "lib"), "to name libabsent.so"),
    Wrong("connections/network_without_hooks", "no filter", no_filter, REJECTED),
    Wrong(
        "connections/network_without_hooks", "other words", sabotage.log_says("on_network", "on"), "to name a hook of network"
    ),
    Wrong("connections/listener_without_hooks", "no filter", no_filter, REJECTED),
    Wrong(
        "connections/listener_without_hooks",
        "other words",
        sabotage.log_says("on_listener", "on"),
        "to name a hook of listener",
    ),
    Wrong("connections/network_flags", "closes", closes, "expected the module with do_not_close to stay loaded"),
    Wrong("connections/network_flags", "local", locally, "expected the symbols of libflagged.so to be visible"),
    Wrong("connections/listener_flags", "closes", closes, "expected the module with do_not_close to stay loaded"),
    Wrong("connections/listener_flags", "local", locally, "expected the symbols of libflagged.so to be visible"),
    Wrong("connections/no_remote_source", "no filter", no_filter, REJECTED),
    Wrong("connections/no_remote_source", "fetched", is_not_asked_for, "expected nothing to be fetched"),
    *(
        Wrong("connections/upstream_socket", how, sabotage_, detail, language=Language.RUST)
        for how, sabotage_, detail in (
            ("another text", socket_of("masked", "another"), "expected the server to receive the mask"),
            ("none", socket_of("none", ""), "expected the server to receive the mask"),
            ("downstream", sabotage.log_says("upstream=true", "upstream=false"), "expected the socket to have seen"),
            ("it read less", sabotage.log_says(" read=18", " read=8"), "expected the socket to have seen"),
        )
    ),
)
