"""String data inputs of matchers: `values` gives what a predicate looks at that decides between two routes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dmconform.casekit.at_points.model import PANIC, Asked, ProbedPoint, When
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.http import INPUT_VALUE, OTHER, ROUTE_HEADER, TAKEN
from dmconform.matrix.cell import Cell

_VALUE, _ASK = "x-dmconform-in", "x-dmconform-ask"


def _questions(text: str) -> Iterator[tuple[str, Mapping[str, str], str]]:
    """Yields requests in words, their headers, and the routes that they must take where the input has this text."""
    yield "with text and value", {_VALUE: f"{text}: {INPUT_VALUE}"}, TAKEN
    yield "with another value", {_VALUE: f"{text}: another"}, OTHER
    yield "with a text alone", {_VALUE: f"{text}:"}, OTHER
    yield "with another text", {_VALUE: f"another: {INPUT_VALUE}"}, OTHER
    yield "with nothing", {}, OTHER
    yield "without a response yet", {_VALUE: f"{text}: {INPUT_VALUE}", _ASK: "response"}, TAKEN


def assert_works(_: Cell, envoy: Envoy, text: str) -> None:
    """Sends requests for which it gives the value that is looked for, and others."""
    for protocol in Protocol:
        with envoy.connect(protocol) as client:
            for what, headers, expected in _questions(text):
                answer = client.request(Request("/matched", headers=headers))
                assert answer.status == 200, f"expected a request {what} to be answered, saw {answer.summary}"
                route = answer.headers.get(ROUTE_HEADER)
                assert route == expected, f"expected a request {what} to take the route {expected}, it took {route}"


def _ask(_: Cell, envoy: Envoy, panic: bool) -> Asked:
    answer = envoy.request("/asked", headers=PANIC if panic else {})
    return Asked(answer.status == 200, f"{answer.summary}, route {answer.headers.get(ROUTE_HEADER, 'none')}")


POINT = ProbedPoint(
    name="values",
    hooks={"get": When.TRAFFIC, "destroy": When.END},
    assert_works=assert_works,
    ask=_ask,
)
