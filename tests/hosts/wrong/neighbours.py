"""Ways to make the cases of `neighbours` wrong."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest
from dmconform.casekit.envoy_filters import Neighbour
from dmconform.envoy.config import EnvoyFilter
from dmconform.envoy.connected import Pending
from dmconform.envoy.echo_server import EchoServer
from dmconform.envoy.headers import Headers

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.wrong import Wrong


def neighbour_is(name: str, *filters: EnvoyFilter) -> sabotage.Sabotage:
    """Other filters are in the place of a neighbour."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        patch.setitem(case.NEIGHBOURS, name, Neighbour(name, filters))
        patch.setattr(case, "REQUEST_S", 0.3)
        return bench

    return apply


def pieces_get_lost(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """What clients send in pieces does not go out."""
    patch.setattr(Pending, "send_body", lambda *_: None)
    return bench


def nowhere(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """No filter is on the upstream side."""
    patch.setattr(case, "on_the_upstream_side", lambda *_, **__: None)
    return bench


def nothing_received(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The server of bytes has received nothing."""
    patch.setattr(EchoServer, "read_received", lambda _: [])
    patch.setattr(case, "REQUEST_S", 0.3)
    return bench


response_cut = sabotage.answers(lambda one: replace(one, body=one.body[:-1]))
no_trailers = sabotage.answers(lambda one: replace(one, trailers=Headers()))
unseen = sabotage.log_without("neighbour pass response")
BUFFER = EnvoyFilter("buffer", "buffer.v3.Buffer", {"max_request_bytes": 1 << 20})

TABLE = (
    Wrong("neighbours/held_by_ext_authz", "nobody asks", neighbour_is("ext_authz", BUFFER), "expected ext_authz to ask"),
    Wrong("neighbours/held_by_ext_authz", "lost", pieces_get_lost, "to receive all 196605 bytes, it received 131070"),
    Wrong("neighbours/passed_on", "response", response_cut, "(?s)expected whole bodies .*: the response is cut"),
    Wrong("neighbours/passed_on", "request", pieces_get_lost, "(?s)expected whole bodies .*: the request is cut"),
    Wrong("neighbours/passed_on", "unseen", unseen, "expected the modules to see each body as it was sent"),
    Wrong("neighbours/held_until_whole", "response", response_cut, "(?s)expected whole bodies .*: the response is cut"),
    Wrong("neighbours/held_until_whole", "trailers", no_trailers, "(?s)expected whole bodies .*: the trailers are lost"),
    Wrong(
        "neighbours/trailers_from_behind", "nothing behind", neighbour_is("compressor"), "expected the trailer x-envoy-decomp"
    ),
    Wrong("neighbours/trailers_from_behind", "cut", response_cut, "expected a response with trailers to be whole, it is cut"),
    Wrong("neighbours/upstream_side", "nowhere", nowhere, "expected the modules to see each body as it was sent"),
    Wrong("neighbours/upstream_side", "request", pieces_get_lost, "(?s)expected whole bodies .*: the request is cut"),
    Wrong("neighbours/internal_listener", "unseen", unseen, "expected the modules to see each body as it was sent"),
    Wrong("neighbours/internal_listener", "trailers", no_trailers, "(?s)expected whole bodies .*: the trailers are lost"),
    Wrong(
        "neighbours/ahead_of_tcp_proxy",
        "another module",
        sabotage.module_is("neighbour_tcp", "neighbour"),
        "expected the filters to see each byte, both ways; missing",
    ),
    Wrong("neighbours/ahead_of_tcp_proxy", "nothing received", nothing_received, "expected the upstream to receive 1 bytes"),
    Wrong("neighbours/transform", "another filter", sabotage.filter_named("identity"), "expected bodies to be changed by each"),
    Wrong("neighbours/transform", "cut", response_cut, "expected bodies to be changed by each filter, both ways; saw"),
)
