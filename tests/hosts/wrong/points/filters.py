"""Ways to make what the cases of HTTP, network and listener filters look at wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import ModuleType

import pytest
from dmconform.casekit.raw_client import RawClient
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Language, Outcome
from dmconform.envoy.client import Answer
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.headers import Headers

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong
from tests.hosts.wrong.points import LACKS, soon, used, used_for, wrong_at

at_http = partial(wrong_at, ExtensionPoint.HTTP_FILTER)
at_network = partial(wrong_at, ExtensionPoint.NETWORK_FILTER)
at_listener = partial(wrong_at, ExtensionPoint.LISTENER_FILTER)
SERVED_BADLY = sabotage.answers(lambda answer: replace(answer, status=503))
LOGGED = "expected the log to hold 'dmconform panic in {}'"


def read(old: bytes, new: bytes) -> Sabotage:
    """A client of bytes reads others in the place of some; they are as many."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        for name in ("read", "read_until", "read_to_end"):
            patch.setattr(RawClient, name, _replaced(getattr(RawClient, name), old, new))
        return bench

    return apply


def sent(old: bytes, new: bytes) -> Sabotage:
    """A client of bytes sends others in the place of some."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        send = RawClient.send
        patch.setattr(RawClient, "send", lambda client, data: send(client, data.replace(old, new)))
        return bench

    return apply


def _replaced(method: Callable[..., bytes], old: bytes, new: bytes) -> Callable[..., bytes]:
    return lambda client, *given: method(client, *given).replace(old, new)


def brings_more(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """A connection brings something at its end."""
    to_end = RawClient.read_to_end
    patch.setattr(RawClient, "read_to_end", lambda client: to_end(client) + b"more")
    return bench


def counts_nothing(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """No counter of a module is above 0."""
    counters = Envoy.counters

    def changed(envoy: Envoy, prefix: str) -> dict[str, int]:
        seen = counters(envoy, prefix)
        return {name: 0 if "dmconform" in name else value for name, value in seen.items()}

    patch.setattr(Envoy, "counters", changed)
    return bench


def _without_trailers(answer: Answer) -> Answer:
    return replace(answer, trailers=Headers())


def _body(old: str, new: str) -> Sabotage:
    return sabotage.answers(lambda answer: replace(answer, body=answer.body.replace(old, new)))


HTTP: tuple[Wrong, ...] = (
    at_http("works", "it has another text", used(config="another"), "expected of /whole.trailers with .*: request header "),
    at_http("works", "it does nothing", used(name="panic", config="none"), r"expected res\[…\] around the body of /whole"),
    at_http("works", "it is not served", SERVED_BADLY, "expected status 200 for /whole"),
    at_http("works", "no mark", sabotage.answer_header("x-dmconform-response", "x"), "response header 'rust .*', saw 'x'"),
    at_http("works", "no trailers", sabotage.answers(_without_trailers), "response trailers .*, saw '{}'"),
    at_http("works", "another body", _body("req[", "[req"), r"request body 'req\[b"),
    at_http("works", "no trailers of requests", _body("x-last", "x-lost"), "request trailers .*, saw .*x-lost"),
    at_http("works", "the SDK has none", LACKS, "has HTTP filters", Outcome.NOT_APPLICABLE),
    at_http("unloaded", "C++: no end", soon(sabotage.log_without("ends on=")), "expected all that", language=Language.CPP),
    at_http("ends", "Go: no end", soon(sabotage.log_without("ends on=")), "expected all that", language=Language.GO),
    at_http("panic_in_traffic", "does not panic", used_for({"name": "panic"}, config="none"), LOGGED.format("request_headers")),
)

NETWORK: tuple[Wrong, ...] = (
    at_network("works", "it has another text", used(config="another"), "expected the client to be sent .* first, .*another"),
    at_network("works", "no line is first", read(b"rust [", b"dust ["), "expected the client to be sent b'rust .* first"),
    at_network("works", "it does not read on", sent(b"cipher\n", b"cypher\n"), "expected the client to be sent b'rust"),
    at_network("works", "it answers otherwise", read(b"UGGC/1.1 200", b"UGGC/1.1 503"), "expected an answer with status 200"),
    at_network(
        "works", "another body", sent(b"n obql", b"n obqm"), "expected the upstream to receive POST /first/1 .*'a bodz'"
    ),
    at_network("works", "more comes", brings_more, "expected the connection to end when its client ends it, .*b'more'"),
    at_network("works", "others are changed", SERVED_BADLY, "expected a connection that does not ask to pass unchanged"),
    at_network("works", "it does not count", soon(counts_nothing), r"expected the filter to count \d+ bytes, it counts 0"),
    at_network("works", "the SDK has none", LACKS, "has network filters", Outcome.NOT_APPLICABLE),
    at_network("unloaded", "C++: no end", soon(sabotage.log_without("ends on=")), "expected all that", language=Language.CPP),
    at_network("ends", "Go: no end", soon(sabotage.log_without("ends on=")), "expected all that", language=Language.GO),
    at_network("panic_in_traffic", "does not panic", used_for({"name": "panic"}, config="none"), LOGGED.format("creation")),
    at_network("panic_in_traffic", "others suffer", SERVED_BADLY, "expected traffic to go on after a panic in creation"),
)

LISTENER: tuple[Wrong, ...] = (
    at_listener("works", "it has another text", used(config="another"), "expected the client to be sent .* first, .*another"),
    at_listener("works", "the line is not read", sent(b"nform any", b"nfurm any"), "expected the client to be sent"),
    at_listener("works", "another body", sent(b"a body", b"no body"), "expected the upstream to receive POST /behind"),
    at_listener("works", "others are changed", SERVED_BADLY, "expected a connection without the line to pass unchanged"),
    at_listener(
        "works", "another name", sent(b"chosen.dmconform\n", b"closed.dmconform\n"), "expected the filter chain for chosen"
    ),
    at_listener(
        "works", "the same name", sent(b"other.dmconform\n", b"chosen.dmconform\n"), "expected the filter chain beside that"
    ),
    at_listener(
        "works",
        "no metadata",
        soon(sabotage.log_says("connection of chosen.dmconform: text of its own", "connection of chosen.dmconform: -")),
        "expected the log of connections to say 'dmconform connection of chosen.dmconform: text of its own 16'",
    ),
    at_listener("works", "it does not count", counts_nothing, "expected the filter to have counted 1 connections, it counts 0"),
    at_listener("works", "the SDK has none", LACKS, "has listener filters", Outcome.NOT_APPLICABLE),
    at_listener("unloaded", "C++: no end", soon(sabotage.log_without("ends on=")), "expected all that", language=Language.CPP),
    at_listener("ends", "Go: no end", soon(sabotage.log_without("ends on=")), "expected all that", language=Language.GO),
    at_listener("panic_in_traffic", "does not panic", used_for({"name": "panic"}, config="none"), LOGGED.format("creation")),
    at_listener("panic_in_traffic", "others suffer", SERVED_BADLY, "expected traffic to go on after a panic in creation"),
)

TABLE = (*HTTP, *NETWORK, *LISTENER)
