"""Tracers: what `spans` puts into requests upstream, and the spans that a collector gets from it."""

from __future__ import annotations

import uuid

from dmconform.casekit.at_points.model import ProbedPoint, When, ask_over_http
from dmconform.casekit.points import listeners_at
from dmconform.core.timeouts import LOG_LINE_S
from dmconform.core.waiting import poll
from dmconform.envoy.client import Answer
from dmconform.envoy.config import DIRECT_PATH, Listener, ModuleRef
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.use import ModuleUse
from dmconform.envoy.upstream import Received, Upstream
from dmconform.matrix.cell import MAIN, PROBE, Cell

Span = dict[str, str]
"""A span as a collector received it: by name what the contract lists, such as `operation` and `tag http.method`."""

NAME = "spans"
FINISHED = "dmconform_spans"
"""The counter of spans that are over."""
COLLECTED = "/spans"
"""Where spans are sent."""
_COLLECTOR = "x-dmconform-collector"
_OPERATION = "an operation"
_BODY = "b" * 5000
_FULL = "full"
_TRACE = "x-trace"
_TAG = "a value of its own"
_WIRE = {Protocol.HTTP1: "HTTP/1.1", Protocol.HTTP2: "HTTP/2"}
_SPANS = 12
"""How many spans come of what `assert_works` sends: one for each request, and one for each that goes upstream."""


class _Collected:
    """The spans that a collector has, of one configuration."""

    def __init__(self, cell: Cell, envoy: Envoy, collector: Upstream, text: str) -> None:
        self._cell = cell
        self._envoy = envoy
        self._collector = collector
        self._text = text

    @property
    def headers(self) -> dict[str, str]:
        """What a request carries so that its spans come here."""
        return {_COLLECTOR: str(self._collector.port)}

    def of_trace(self, number: int, **values: str) -> list[Span]:
        """Returns the spans of the trace to which one with these values belongs, the request's first.

        Raises:
            AssertionError: there are not so many in time, or more, or they are not of this configuration.
        """

        def spans() -> list[Span]:
            everything = [_span(one) for one in self._collector.read_received(COLLECTED)]
            traces = {one["trace"] for one in everything if values.items() <= one.items()}
            return [one for one in everything if one["trace"] in traces]

        poll(lambda: len(spans()) >= number, LOG_LINE_S)
        self._envoy.check_alive("before its spans had come")
        found = sorted(spans(), key=lambda one: "path" not in one)
        assert len(found) == number, f"expected the collector to get {number} spans with {values}, it has {len(found)}"
        of = {(one["language"], one["text"]) for one in found}
        mine = {(self._cell.language, self._text)}
        assert of == mine, f"expected the spans to be of the tracer {mine}, they are of {of}"
        return found


def _span(received: Received) -> Span:
    return dict(line.partition("=")[::2] for line in received.body.splitlines())


def _assert_has(span: Span, what: str, wanted: Span) -> None:
    seen = {name: span.get(name, "(nothing)") for name in wanted}
    assert seen == wanted, f"expected the span of {what} to have {wanted}, it has {seen}"


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Sends requests of several kinds, and asserts that each has its spans, as its client and the upstream server know them."""
    before = _finished(envoy)
    with cell.upstream() as collector:
        collected = _Collected(cell, envoy, collector, text)
        for protocol in Protocol:
            shown = _assert_direct(envoy, collected, protocol)["protocol"]
            # The ABI's comment promises the protocol, which no host has given so far.
            cell.facts[f"protocol that a tracer is given of {_WIRE[protocol]}"] = "none" if shown == "-" else shown
            _assert_continued(cell, envoy, collected, protocol, text)
            _assert_failed(envoy, collected, protocol)
        cell.reconfigure(envoy, *_with_full_tracing(cell, text))
        _assert_not_sampled(envoy, collected)
    finished = _finished(envoy) - before
    assert finished == _SPANS, f"expected the tracer to count {_SPANS} spans, it counts {finished}"


def _finished(envoy: Envoy) -> int:
    return sum(value for name, value in envoy.counters("dynamic").items() if name.endswith(FINISHED))


def _send(envoy: Envoy, request: Request, protocol: Protocol = Protocol.HTTP1, status: int = 200, name: str = MAIN) -> Answer:
    with envoy.connect(protocol, listener=name) as client:
        answer = client.request(request)
    assert answer.status == status, f"expected {request.path} to be answered with {status}, saw {answer.summary}"
    return answer


def _assert_direct(envoy: Envoy, collected: _Collected, protocol: Protocol) -> Span:
    """Asserts that a request that Envoy answers has one span, which begins a trace, and returns it."""
    path = f"{DIRECT_PATH}?{protocol.name.lower()}"
    answer = _send(envoy, Request(path, headers=collected.headers), protocol)
    (span,) = collected.of_trace(1, path=path)
    wanted = {
        "parent": "-",
        "operation": "ingress",
        "traced": "true",
        "sampled": "true",
        "reason": "Sampling",
        "method": "GET",
        "tag http.status_code": "200",
        "tag http.protocol": _WIRE[protocol],
        "tag request_size": "0",
        "tag response_size": str(len(answer.body)),
    }
    _assert_has(span, path, wanted)
    return span


def _assert_continued(cell: Cell, envoy: Envoy, collected: _Collected, protocol: Protocol, text: str) -> None:
    """Asserts that a request goes on with its client's trace, and that the upstream server can go on with it as well."""
    path = f"/{protocol.name.lower()}"
    trace, parent = uuid.uuid4().hex, uuid.uuid4().hex[:16]
    headers = {
        **collected.headers,
        "traceparent": f"00-{trace}-{parent}-01",
        "x-client-trace-id": "of the client",
        "x-envoy-decorator-operation": _OPERATION,
    }
    answer = _send(envoy, Request(path, "POST", headers=headers, body=_BODY), protocol)
    received = Received.from_json(answer.body)
    request, call = collected.of_trace(2, trace=trace)
    injected = {
        "traceparent": f"00-{trace}-{call['span']}-01",
        "x-dmconform-tracer": f"{cell.language} {text}",
        _COLLECTOR: None,  # taken out
    }
    seen = {name: received.headers.get(name) for name in injected}
    assert seen == injected, f"expected the request upstream to have {injected}, it has {seen}"
    wanted = {
        "parent": parent,
        "operation": _OPERATION,
        "reason": "ClientForced",
        "host": "dmconform",
        "path": path,
        "method": "POST",
        "tag request_size": str(len(_BODY)),
        "tag response_size": str(len(answer.body)),
        "tag guid:x-client-trace-id": "of the client",
    }
    _assert_has(request, path, wanted)
    wanted = {
        "parent": request["span"],
        "operation": "router upstream egress",
        "tag http.status_code": "200",
        "tag http.protocol": "HTTP/1.1",
        "tag upstream_cluster": "upstream",
    }
    _assert_has(call, f"the call upstream of {path}", wanted)


def _assert_failed(envoy: Envoy, collected: _Collected, protocol: Protocol) -> None:
    """Asserts that both spans of a request that fails say so."""
    path = f"/{protocol.name.lower()}?status=503"
    _send(envoy, Request(path, headers=collected.headers), protocol, status=503)
    spans = collected.of_trace(2, path=path)
    for span in spans:
        _assert_has(span, path, {"tag error": "true", "tag http.status_code": "503"})


def _with_full_tracing(cell: Cell, text: str) -> tuple[Listener, ...]:
    """Returns the listener of the extension point, and one that samples nothing, and adds events, tags and response headers."""
    use = ModuleUse(cell.point, ModuleRef(PROBE), NAME, text)

    def alter(draft: Draft) -> None:
        draft.main["name"] = _FULL
        draft.manager["tracing"] |= {
            "random_sampling": {"value": 0.0},
            "verbose": True,
            "custom_tags": [{"tag": "literal", "literal": {"value": _TAG}}],
        }
        draft.virtual_host["response_headers_to_add"] = [{"header": {"key": _TRACE, "value": "%TRACE_ID%"}}]

    return (*listeners_at(cell, use), *listeners_at(cell, use, alter))


def _assert_not_sampled(envoy: Envoy, collected: _Collected) -> None:
    """Asserts that the spans of a request that is not sampled say so, with events and tags; its client gets the trace."""
    path = "/not-sampled"
    answer = _send(envoy, Request(path, headers=collected.headers), name=_FULL)
    received = Received.from_json(answer.body)
    request, call = collected.of_trace(2, path=path)
    trace = answer.headers.get(_TRACE)
    assert trace == request["trace"], f"expected the client to get the trace {request['trace']}, saw {trace}"
    flags = received.headers.get("traceparent", "").rpartition("-")[2]
    assert flags == "00", f"expected the request upstream not to be sampled, saw the flags {flags!r}"
    _assert_has(request, path, {"traced": "false", "sampled": "false", "reason": "NotTraceable", "tag literal": _TAG})
    _assert_has(call, f"the call upstream of {path}", {"sampled": "false", "tag literal": _TAG})
    events = [int(span["events"]) for span in (request, call)]
    assert all(events), f"expected both spans to have events, they have {events}"


POINT = ProbedPoint(
    name=NAME,
    hooks={
        "start_span": When.TRAFFIC,
        "set_tag": When.TRAFFIC,
        "inject_context": When.TRAFFIC,
        "spawn_child": When.TRAFFIC,
        "finish": When.TRAFFIC,
        "destroy": When.TRAFFIC,
        "config_destroy": When.END,
    },
    assert_works=assert_works,
    ask=ask_over_http,
)
