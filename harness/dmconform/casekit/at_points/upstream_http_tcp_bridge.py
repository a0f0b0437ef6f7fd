"""Bridges from HTTP to TCP: a bridge that speaks to the server behind Envoy by itself, whose bytes come back as they are."""

from __future__ import annotations

from dataclasses import dataclass

from dmconform.casekit.at_points.model import PANIC, Asked, ProbedPoint, When
from dmconform.core.timeouts import NEVER_S, REQUEST_S
from dmconform.envoy.client import Answer, NoAnswer
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.headers import Headers
from dmconform.envoy.upstream import Received
from dmconform.matrix.cell import Cell

_BODY_BYTES = 100_000
"""More than fits into one piece of a body."""
_IN = "x-dmconform-in"
_TEXT = "x-dmconform-text"
_HTTP_CONNECTIONS = "cluster.upstream.upstream_cx_http1_total"


@dataclass(frozen=True)
class _Sent:
    """A request, and what the server must get of it besides its method, path and body."""

    request: Request
    values: tuple[str, ...] = ()  # of the header `x-dmconform-in`


def assert_works(_: Cell, envoy: Envoy, text: str) -> None:
    """Sends requests of several kinds, and asserts what the server got of each, and the client of the server."""
    before = envoy.statistic(_HTTP_CONNECTIONS)
    for protocol in Protocol:
        mark = protocol.name.lower()
        for sent in (
            _Sent(Request(f"/{mark}/get", headers=Headers([(_IN, "first"), (_IN, "second")])), ("first", "second")),
            _Sent(Request(f"/{mark}/post", "POST", {_IN: "one"}, "a body"), ("one",)),
            _Sent(Request(f"/{mark}/large", "POST", body="b" * _BODY_BYTES)),
            _Sent(Request(f"/{mark}/trailers", "POST", body="a body", trailers={"x-last": "yes"})),
        ):
            with envoy.connect(protocol) as client:
                answer = client.request(sent.request)
            _assert_carried(text, sent, answer)
    connections = envoy.statistic(_HTTP_CONNECTIONS)
    assert connections == before, (
        f"expected the host to speak no HTTP to the server, saw {connections} connections, {before} before"
    )


def _assert_carried(text: str, sent: _Sent, answer: Answer) -> None:
    request = sent.request
    assert answer.status == 200, f"expected {request.path} to be answered by the bridge with 200, saw {answer.summary}"
    seen = answer.headers.get(_TEXT)
    assert seen == text, f"expected the answer to {request.path} to have {_TEXT}: {text}, it has {seen}"
    head, _, rest = answer.body.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 "), (
        f"expected the server's bytes as the body for {request.path}, saw {answer.body[:80]!r}"
    )
    received = Received.from_json(rest)
    expected = (request.method, request.path, request.body or "")
    got = (received.method, received.path, received.body)
    assert got == expected, f"expected the server to get {_short(expected)} from the bridge, it got {_short(got)}"
    framing = {"content-length": "0"} if not request.has_more else {"transfer-encoding": "chunked"}
    headers = framing | {
        "host": "dmconform",
        "connection": "close",
        _TEXT: text,
        "x-dmconform-values": str(len(sent.values)),
        "x-dmconform-last": "".join(sent.values[-1:]),
        "x-dmconform-headers": f"{len(sent.values)} true",
    }
    assert dict(received.headers) == headers, (
        f"expected the server to get of {request.path} {headers}, it got {received.headers.pairs}"
    )
    trailers = {"x-dmconform-trailers": "yes"} if request.trailers else {}
    assert dict(received.trailers) == trailers, (
        f"expected the trailers {trailers} of {request.path}, saw {received.trailers.pairs}"
    )


def _short(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part if len(part) < 80 else f"{len(part)} bytes" for part in parts)


def _ask(_: Cell, envoy: Envoy, panic: bool) -> Asked:
    request = Request("/asked", "POST", PANIC if panic else {}, "a body", {"x-last": "yes"})
    try:
        with envoy.connect(Protocol.HTTP2, patience_s=NEVER_S if panic else REQUEST_S) as client:
            answer = client.request(request)
    except NoAnswer:
        return Asked(False, "no answer")
    return Asked(answer.status == 200, answer.summary)


POINT = ProbedPoint(
    name="raw",
    hooks={
        "creation": When.TRAFFIC,
        "headers": When.TRAFFIC,
        "data": When.TRAFFIC,
        "trailers": When.TRAFFIC,
        "upstream_data": When.TRAFFIC,
        "destroy": When.TRAFFIC,
    },
    assert_works=assert_works,
    ask=_ask,
    may_stay=True,
)
