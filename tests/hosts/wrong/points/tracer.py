"""Ways to make the cases of tracers wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import ModuleType

import pytest
from dmconform.casekit.at_points import tracer
from dmconform.core.extension_point import ExtensionPoint
from dmconform.envoy.connection import Request
from dmconform.envoy.upstream import Received, Upstream

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong
from tests.hosts.wrong.points import counts, like_first, soon, used, wrong_at

at_tracer = partial(wrong_at, ExtensionPoint.TRACER)


def collected(change: Callable[[list[Received]], list[Received]]) -> Sabotage:
    """The collector has got other spans."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        read = Upstream.read_received
        patch.setattr(Upstream, "read_received", lambda server, path: change(read(server, path)))
        return bench

    return soon(apply)


def saying(old: str, new: str) -> Sabotage:
    """Spans say another text in the place of one."""
    return collected(lambda spans: [replace(one, body=one.body.replace(old, new)) for one in spans])


def without(name: str) -> Sabotage:
    """Requests lack a header."""

    def change(request: Request) -> Request:
        return replace(request, headers={one: value for one, value in request.headers.items() if one != name})

    return soon(sabotage.sent(change))


TABLE: tuple[Wrong, ...] = (
    at_tracer("works", "it has another text", used(config="another"), "expected the spans to be of the tracer .*, they are of"),
    at_tracer(
        "works", "it does not trace", used(name="panic", config="none"), "expected the collector to get 1 spans .* has 0"
    ),
    at_tracer("works", "nothing is collected", collected(lambda _: []), "expected the collector to get 1 spans .*, it has 0"),
    at_tracer("works", "all comes twice", collected(lambda spans: spans * 2), "expected the collector to get 1 spans .* has 2"),
    at_tracer("works", "another status", saying("status_code=200", "status_code=204"), "expected the span of /direct.http1"),
    at_tracer("works", "no decision", saying("traced=true", "traced=false"), "expected the span of /direct.* 'traced': 'true'"),
    at_tracer(
        "works", "another trace", without("traceparent"), "expected the collector to get 2 spans with {'trace': .*, it has 0"
    ),
    at_tracer("works", "another child", saying("operation=router", "operation=x"), "expected the span of the call upstream of"),
    at_tracer("works", "not forced", without("x-client-trace-id"), "expected the span of /http1 .* 'reason': 'ClientForced'"),
    at_tracer("works", "no operation", without("x-envoy-decorator-operation"), "expected the span of /http1 .* 'an operation'"),
    at_tracer(
        "works",
        "nothing is injected",
        soon(sabotage.answers(lambda one: replace(one, body=one.body.replace('"x-dmconform-tracer"', '"x-other"')))),
        "expected the request upstream to have .*'x-dmconform-tracer': None",
    ),
    at_tracer("works", "no error", saying("tag error=true", "tag other=true"), "expected the span of /http1.status=503"),
    at_tracer(
        "works", "it is sampled", like_first(tracer, "_with_full_tracing"), "expected the client to get the trace .*, saw None"
    ),
    at_tracer("works", "no events", saying("events=", "events=0\nothers="), "expected both spans to have events, they have .0"),
    at_tracer("works", "it does not count", counts(0), "expected the tracer to count 12 spans, it counts 0"),
    at_tracer("ends", "is not served", sabotage.answers(lambda one: replace(one, status=503)), "expected traffic to be served"),
)
