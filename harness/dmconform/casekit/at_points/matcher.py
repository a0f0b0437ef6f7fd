"""Input matchers: `header` decides between two routes, which say their names in their answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dmconform.casekit.at_points.model import PANIC, Asked, ProbedPoint, When
from dmconform.envoy.connected import Client
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.http import OTHER, ROUTE_HEADER, TAKEN
from dmconform.envoy.headers import Headers
from dmconform.matrix.cell import Cell

_ASK, _ANSWER, _MANY = "x-dmconform-ask", "x-dmconform-in", "x-dmconform-many"
_MOST_HEADERS = 30
"""More than any request here has."""


@dataclass(frozen=True)
class _Question:
    """A request, and the route that it must take."""

    what: str
    headers: Mapping[str, str]
    route: str


def _questions(text: str) -> Iterator[_Question]:
    """Yields requests for which a matcher with this text holds, and others that are nearly the same."""
    yield _Question("that has the text", {_ANSWER: text}, TAKEN)
    yield _Question("that has another text", {_ANSWER: f"{text}."}, OTHER)
    yield _Question("that has none", {}, OTHER)
    for values, route in (("one,two", TAKEN), ("two,one", OTHER)):
        headers = Headers([(_ASK, "many"), (_ANSWER, values), (_MANY, "one"), (_MANY, "two")])
        yield _Question(f"with two headers of one name that is to have {values}", headers, route)
    # There is no response yet: no header of the name, none in all and none by number.
    for answer, route in (("- 0 0", TAKEN), ("yes 1 1", OTHER)):
        yield _Question(f"whose response is to be seen as {answer}", {_ASK: "response", _ANSWER: answer}, route)


def _route(client: Client, headers: Mapping[str, str]) -> str | None:
    """Returns the name of the route that a request takes."""
    answer = client.request(Request("/matched", headers=headers))
    assert answer.status == 200, f"expected a matched request to be answered, saw {answer.summary}"
    return answer.headers.get(ROUTE_HEADER)


def assert_works(_: Cell, envoy: Envoy, text: str) -> None:
    """Sends requests for which it holds and others, and asserts that each takes its route; then has it count headers."""
    for protocol in Protocol:
        with envoy.connect(protocol) as client:
            for one in _questions(text):
                route = _route(client, one.headers)
                assert route == one.route, f"expected a request {one.what} to take the route {one.route}, it took {route}"
            _assert_counts(client)


def _assert_counts(client: Client) -> None:
    """Asserts that it sees one number of headers, and with three headers more three more."""
    few, many = (_counts(client, more) for more in ({}, {"x-a": "1", "x-b": "2", "x-c": "3"}))
    assert len(few) == 1, f"expected the matcher to see one number of headers, it says yes to {few}"
    assert many == [few[0] + 3], f"expected the matcher to see 3 more than {few[0]} headers, it says yes to {many}"


def _counts(client: Client, more: Mapping[str, str]) -> list[int]:
    """Returns the numbers of headers that it says yes to."""
    return [
        number for number in range(_MOST_HEADERS) if _route(client, {_ASK: "headers", _ANSWER: str(number), **more}) == TAKEN
    ]


def _ask(_: Cell, envoy: Envoy, panic: bool) -> Asked:
    answer = envoy.request("/asked", headers=PANIC if panic else {})
    return Asked(answer.status == 200, f"{answer.summary}, route {answer.headers.get(ROUTE_HEADER, 'none')}")


POINT = ProbedPoint(
    name="header",
    hooks={"match": When.TRAFFIC, "destroy": When.END},
    assert_works=assert_works,
    ask=_ask,
)
