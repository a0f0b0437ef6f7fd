"""Ways to make the cases of `window` wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from dmconform.core.values import Outcome
from dmconform.envoy.config import Listener
from dmconform.envoy.connection import Request
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.headers import Headers
from dmconform.envoy.source_server import Reply, SourceServer

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong


def of_stream(name: str, **changes: Any) -> Sabotage:  # noqa: ANN401 - whatever a Request has
    """The request with this body is another one."""
    return sabotage.sent(lambda one: replace(one, **changes) if one.body == name else one)


def without_trailers(one: Request) -> Request:
    """The request has none and asks for none."""
    return replace(one, trailers=Headers(), path=one.path.removesuffix("?trailers"))


def answers_whole(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The server that is to cut its answer does not."""
    offer = SourceServer.offer
    patch.setattr(SourceServer, "offer", lambda server, path, *_: offer(server, path, Reply(b"whole")))
    return bench


def without_header(name: str) -> Sabotage:
    """Requests lack a header."""

    def change(_: str, options: dict[str, dict[str, str]]) -> None:
        options["headers"] = {key: value for key, value in options["headers"].items() if key != name}

    return sabotage.requests(change)


def host_formats(change: Callable[[str], str]) -> Sabotage:
    """Envoy adds other headers to responses."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        routes = Listener.routes

        def changed(one: Listener) -> dict[str, object]:
            formats = {name: change(format_) for name, format_ in one.response_headers.items()}
            return routes(replace(one, response_headers=formats))

        patch.setattr(Listener, "routes", changed)
        return bench

    return apply


def stays_quiet(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The host's log level cannot be changed."""
    patch.setattr(Envoy, "set_module_log_level", lambda *_: None)
    patch.setattr(case, "LOG_LINE_S", 0.3)
    return bench


TABLE = (
    Wrong(
        "window/loads",
        "ABI of the SDK wrong",
        sabotage.recorded_of_sdk(abi_version="v9.9.9"),
        "expected a warning, the verdict is matched",
    ),
    Wrong(
        "window/loads",
        "ABI of the host wrong",
        sabotage.recorded_of_host(abi_version="v9.9.9"),
        "expected a warning, the verdict is matched",
    ),
    Wrong(
        "window/loads",
        "a warning without reason",
        sabotage.log_says("ABI version v0.1.0 matched", "ABI version v0.1.0 is deprecated"),
        "expected no warning, the verdict is deprecated",
    ),
    Wrong(
        "window/loads",
        "the host says nothing",
        sabotage.log_without("ABI version"),
        "expected the host to say whether the ABI string matches, it is silent",
    ),
    Wrong(
        "window/loads",
        "not a module",
        sabotage.module_is("probe", "no_program_init"),
        "program_init",
        Outcome.REJECTED,
    ),
    Wrong("window/proxied_traffic", "another language", sabotage.language_is("go"), "expected the response header to be set"),
    Wrong(
        "window/proxied_traffic",
        "nothing is changed",
        sabotage.filter_named("identity"),
        "expected the response header to be set",
    ),
    Wrong(
        "window/proxied_traffic", "another configuration", sabotage.configured("x"), "expected the response header to be set"
    ),
    Wrong(
        "window/proxied_traffic",
        "request header not read",
        sabotage.headers_at("/proxied", {}),
        "expected the request header at the upstream, saw 'cpp window -'",
    ),
    Wrong(
        "window/proxied_traffic",
        "no body",
        sabotage.requests(lambda _, options: options.update(body="")),
        "expected the upstream to receive 'req.hello.'",
    ),
    Wrong(
        "window/proxied_traffic",
        "the body is garbled",
        sabotage.filters_twice,
        "expected an answer of the upstream server, saw 'res.",
    ),
    Wrong("window/direct_traffic", "another language", sabotage.language_is("go"), "expected the response header to be set"),
    Wrong(
        "window/direct_traffic",
        "nothing is changed",
        sabotage.filter_named("identity"),
        "expected the response header to be set",
    ),
    Wrong("window/local_reply", "another status", sabotage.configured("419"), "expected status, header and body .* saw .419"),
    Wrong("window/local_reply", "another language", sabotage.language_is("go"), "expected status, header and body .*'go'"),
    Wrong("window/local_reply", "no reply", sabotage.filter_named("identity"), "expected status, header and body .* saw .200"),
    Wrong(
        "window/http2_traffic",
        "nothing is changed",
        sabotage.filter_named("identity"),
        "expected the response header to be set",
    ),
    Wrong(
        "window/http2_traffic",
        "another stream's body",
        of_stream("stream-3", body="stream-2"),
        "expected the upstream to receive 'req.stream-3.' for stream-3",
    ),
    Wrong(
        "window/http2_traffic",
        "a stream is reset",
        of_stream("stream-1", path="/?cut"),
        "expected status 200 for stream-1, saw",
    ),
    Wrong(
        "window/request_trailers", "none are sent", sabotage.sent(without_trailers), "expected the trailers .* at the upstream"
    ),
    Wrong("window/request_trailers", "none is added", sabotage.filter_named("identity"), "expected the response header"),
    Wrong(
        "window/response_trailers", "none are sent", sabotage.sent(without_trailers), "expected the trailers .* at the client"
    ),
    Wrong(
        "window/response_trailers",
        "they are lost",
        sabotage.answers(lambda one: replace(one, trailers=Headers())),
        "expected the trailers .* at the client with HTTP/1.1, it received {}",
    ),
    Wrong(
        "window/large_bodies",
        "a byte is lost",
        sabotage.sent(lambda one: replace(one, body=(one.body or "")[1:])),
        "expected the upstream to receive .* 1000004 bytes where it should be 1000005",
    ),
    Wrong(
        "window/large_bodies",
        "too large",
        sabotage.sent(lambda one: replace(one, body=(one.body or "") * 2)),
        "expected status 200 with HTTP/1.1, saw status 413",
    ),
    Wrong(
        "window/many_headers", "one is lost", without_header("x-many-3"), "expected .* as they were sent, not so .'x-many-3'"
    ),
    Wrong(
        "window/many_headers", "nothing is changed", sabotage.filter_named("identity"), "expected the response header to be set"
    ),
    Wrong(
        "window/repeated_headers",
        "it is sent once",
        sabotage.sent(lambda one: replace(one, headers=Headers({"x-twice": "second"}))),
        "expected x-twice .* at the upstream with HTTP/1.1, saw .'second',.",
    ),
    Wrong(
        "window/repeated_headers",
        "it comes back once",
        sabotage.sent(lambda one: replace(one, path="/twice")),
        "expected x-twice .* at the client with HTTP/1.1, saw ..",
    ),
    Wrong(
        "window/under_load",
        "another answer",
        sabotage.filter_named("local_reply", "418"),
        "expected each of 160 requests to be answered with 200, saw {'status 418': 160}",
    ),
    Wrong(
        "window/under_load",
        "nothing is changed",
        sabotage.filter_named("identity"),
        "expected 160 requests .* saw .160, 0, 0",
    ),
    Wrong("window/per_route_configuration", "none", sabotage.no_per_route, "expected .*'of the route'.* for /with, they are"),
    Wrong(
        "window/per_route_configuration",
        "on every route",
        sabotage.answer_header("x-dmconform-route", "of the route"),
        "expected .*'none'.* for /plain, they are .*'of the route'",
    ),
    Wrong("window/scheduled_event", "no event", sabotage.filter_named("identity"), "expected the event's header .* saw .None"),
    Wrong(
        "window/scheduled_event", "another language", sabotage.language_is("go"), "expected the event's header .* saw .'cpp'"
    ),
    Wrong("window/callout", "an unknown cluster", sabotage.configured("nowhere"), "expected the module to answer .* saw .502"),
    Wrong("window/callout", "no callout", sabotage.filter_named("identity"), "expected the module to answer .* saw .200, None"),
    Wrong("window/callout_to_unknown_cluster", "it is known", sabotage.configured("upstream"), "expected .* saw .200"),
    Wrong("window/callout_to_unknown_cluster", "no callout", sabotage.filter_named("local_reply", "502"), "saw .502, 'local"),
    Wrong("window/callout_refused", "not refused", sabotage.configured("upstream"), "expected .* 503'.* saw .200, 'cpp 200'"),
    Wrong("window/callout_refused", "unknown", sabotage.configured("nowhere"), "expected .* 503'.* saw .502, None"),
    Wrong(
        "window/callout_cut",
        "not cut",
        answers_whole,
        "expected the module to answer with .*'callout failed'.* saw .200, 'whole",
    ),
    Wrong("window/callout_cut", "not started", sabotage.configured("nowhere"), "expected .* saw .502, 'callout not started'"),
    Wrong("window/dynamic_metadata", "another text", sabotage.configured("x"), "expected Envoy to have .* it has .'x', '7'"),
    Wrong(
        "window/dynamic_metadata",
        "of another namespace",
        host_formats(lambda one: one.replace("dmconform", "other")),
        "expected Envoy to have the metadata",
    ),
    Wrong(
        "window/dynamic_metadata",
        "not read again",
        sabotage.answer_header("x-dmconform-metadata", "- -"),
        "expected the module to read 'window 7' again, it read '- -'",
    ),
    Wrong("window/filter_state", "another text", sabotage.configured("x"), "expected Envoy to have .* it has 'x'"),
    Wrong(
        "window/filter_state",
        "not seen by Envoy",
        host_formats(lambda one: one.replace("dmconform.", "other.")),
        "expected Envoy to have the filter state",
    ),
    Wrong(
        "window/filter_state",
        "not read again",
        sabotage.answer_header("x-dmconform-state", "-"),
        "expected the module to read 'window' again, it read '-'",
    ),
    Wrong(
        "window/logging",
        "another level",
        sabotage.log_says("[warning][dyn", "[error][dyn"),
        "expected the lines .* at level info",
    ),
    Wrong("window/logging", "a line is lost", sabotage.log_without("log error"), "expected the lines .* at level info"),
    Wrong("window/logging", "nothing below the host's level", stays_quiet, "expected the lines .* at level trace"),
)
