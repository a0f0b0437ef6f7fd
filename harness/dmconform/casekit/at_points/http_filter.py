"""HTTP filters: what `marks` does with headers, bodies and trailers of requests and responses."""

from __future__ import annotations

from dmconform.casekit.at_points.model import PANIC, Asked, ProbedPoint, When
from dmconform.casekit.panics import answer_soon, in_words
from dmconform.core.timeouts import NEVER_S
from dmconform.envoy.client import Answer
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.upstream import TRAILER, Received
from dmconform.matrix.cell import Cell

_BODY = "b" * 5000
_VALUE = "a value"
_SENT_TRAILERS = {"x-last": "words"}


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Sends requests with bodies and trailers, and asserts what the upstream server and the client get of each part."""
    mark = f"{cell.language} [{text}]"
    for protocol in Protocol:
        with envoy.connect(protocol) as client:
            for request in (
                Request("/whole?trailers", "POST", {"x-dmconform-in": _VALUE}, _BODY, _SENT_TRAILERS),
                Request("/headers"),
            ):
                _assert_marked(client.request(request), request, mark, f"{request.path} with {protocol.value}")


def _assert_marked(answer: Answer, request: Request, mark: str, what: str) -> None:
    assert answer.status == 200, f"expected status 200 for {what}, saw {answer.summary}"
    assert answer.body.startswith("res[") and answer.body.endswith("]"), (
        f"expected res[…] around the body of {what}, saw {answer.body[:100]!r}"
    )
    received = Received.from_json(answer.body[4:-1])
    value, body = request.headers.get("x-dmconform-in", "-"), f"req[{request.body}]" if request.body else ""
    trailed = bool(request.trailers)
    seen = {
        "request header": received.headers.get("x-dmconform-request"),
        "request body": received.body,
        "request trailers": dict(received.trailers),
        "response header": answer.headers.get("x-dmconform-response"),
        "response trailers": dict(answer.trailers),
    }
    expected = {
        "request header": f"{mark} {value}",
        "request body": body,
        "request trailers": {**request.trailers, "x-dmconform-request-trailer": mark} if trailed else {},
        "response header": mark,
        "response trailers": {TRAILER: "yes", "x-dmconform-response-trailer": mark} if trailed else {},
    }
    wrong = [part for part in expected if seen[part] != expected[part]]
    assert not wrong, f"expected of {what}: " + "; ".join(
        f"{part} {str(expected[part])[:100]!r}, saw {str(seen[part])[:100]!r}" for part in wrong
    )


def _ask(_: Cell, envoy: Envoy, panic: bool) -> Asked:
    """Sends a request that has all parts, as has its answer."""
    request = Request("/asked?trailers", "POST", PANIC if panic else {}, "body", _SENT_TRAILERS)
    with envoy.connect(Protocol.HTTP1, patience_s=NEVER_S if panic else None) as connection:
        seen = answer_soon(envoy, connection.send(request))
    return Asked(seen is not None and seen.status == 200, in_words(seen))


POINT = ProbedPoint(
    name="marks",
    # Cases of `panics` have `creation` and `destroy`: hosts of 1.37 have no request yet in the one, some SDKs lack the other.
    hooks=dict.fromkeys(
        (
            "request_headers",
            "request_body",
            "request_trailers",
            "response_headers",
            "response_body",
            "response_trailers",
            "stream_complete",
            "callout_done",
            "scheduled",
        ),
        When.TRAFFIC,
    ),
    assert_works=assert_works,
    ask=_ask,
)
