"""Specifiers of clusters: `named` names the cluster that a request asks for."""

from __future__ import annotations

from dmconform.casekit.at_points.model import ProbedPoint, When, ask_over_http
from dmconform.casekit.at_points.selection import (
    ASK,
    CLUSTER,
    CODE,
    MANY_TWICE,
    NAMED,
    NOWHERE,
    OF_ROUTE,
    TIMEOUT,
    assert_seen,
    chosen_from_two,
    counted,
    sees,
    send,
)
from dmconform.envoy.client import Answer
from dmconform.envoy.connected import Client
from dmconform.envoy.connection import Protocol
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.http import METADATA_HEADER
from dmconform.envoy.headers import Headers
from dmconform.envoy.upstream import Received
from dmconform.matrix.cell import Cell

_NAME = "named"
_SELECTED = "dmconform_selected"
_TEXT, _SEEN = f"{METADATA_HEADER}text", f"{METADATA_HEADER}seen"
_UNDECIDED = {ASK: "undecided"}
_NO_CLUSTER = "-"


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Has it name clusters that there are and others, and set what else it can; asserts what client and servers see of it."""
    before = counted(envoy, _SELECTED)
    for protocol in Protocol:
        with envoy.connect(protocol) as client:
            _assert_selects(client, protocol, text)
    selected, sent = counted(envoy, _SELECTED) - before, 7 * len(Protocol)
    assert selected == sent, f"expected the specifier to count {sent} selections, it counts {selected}"

    with chosen_from_two(cell, _NAME, text) as (client, answer):
        assert_seen(answer, _SEEN, sees(Protocol.HTTP1, many=True) | {"route": NAMED, "code": "-"})
        _assert_metadata(answer, text)
        _assert_metadata(send(client, 503, _UNDECIDED), OF_ROUTE)


def _assert_selects(client: Client, protocol: Protocol, text: str) -> None:
    """Sends 7 requests, and asserts what becomes of each."""
    answer = send(client, 200, Headers(MANY_TWICE))
    _assert_metadata(answer, text)
    assert_seen(answer, _SEEN, sees(protocol, many=True) | {"route": "-", "code": "-"})
    values = {key: answer.headers.get(f"{METADATA_HEADER}{key}") for key in ("number", "yes")}
    assert values == {"number": "7", "yes": "true"}, f"expected the route's metadata to have 7 and true, saw {values}"

    limited = Received.from_json(send(client, 200, {"x-dmconform-timeout": "1234"}).body).headers.get(TIMEOUT)
    assert limited == "1234", f"expected the upstream server to be given 1234 ms for its answer, it was given {limited}"

    send(client, 503, {CLUSTER: NOWHERE})
    for code, taken in (("404", "true"), ("700", "false")):
        answer = send(client, 404 if taken == "true" else 503, {CLUSTER: NOWHERE, CODE: code})
        assert_seen(answer, _SEEN, sees(protocol, many=False) | {"route": "-", "code": taken})
    send(client, 503, {CLUSTER: _NO_CLUSTER})
    _assert_metadata(send(client, 503, _UNDECIDED), None)


def _assert_metadata(answer: Answer, text: str | None) -> None:
    seen = answer.headers.get(_TEXT)
    assert seen == text, f"expected the route's metadata to have {text!r}, it has {seen!r}"


POINT = ProbedPoint(
    name=_NAME,
    hooks={"select": When.TRAFFIC, "destroy": When.END},
    assert_works=assert_works,
    ask=ask_over_http,
)
