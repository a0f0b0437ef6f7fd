"""Specifiers of routes: `changes` changes the route that was found, or turns it down, as a request asks for it."""

from __future__ import annotations

import copy

from dmconform.casekit.at_points.model import ProbedPoint, When, ask_over_http
from dmconform.casekit.at_points.selection import (
    ASK,
    CLUSTER,
    CODE,
    MANY,
    MANY_TWICE,
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
from dmconform.envoy.config import DIRECT_BODY, DIRECT_PATH
from dmconform.envoy.connected import Client
from dmconform.envoy.connection import Protocol
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.http import METADATA_HEADER, ROUTE_HEADER
from dmconform.envoy.headers import Headers
from dmconform.envoy.upstream import Received
from dmconform.matrix.cell import Cell

_NAME = "changes"
_ROUTED = "dmconform_routed"
_SEEN, _RESPONSE, _REQUEST = "x-dmconform-seen", "x-dmconform-response", "x-dmconform-request"
_IN, _OUT = "x-dmconform-in", "x-dmconform-out"
_ROUTE = {"kind": "RouteEntry", "host": "all", "timeout": "15000", "status": "0"}
_ANOTHER = "another"
"""The configuration of a second specifier, which comes after the one that is looked at."""


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Has it change routes, leave them and turn them down; asserts what client and servers see of it."""
    text = f"{cell.language} {text}"
    before = counted(envoy, _ROUTED)
    for protocol in Protocol:
        with envoy.connect(protocol) as client:
            _assert_changes(client, protocol, text)
            _assert_decides(client, text)
    routed, asked = counted(envoy, _ROUTED) - before, 14 * len(Protocol)
    assert routed == asked, f"expected the specifier to count {asked} routes, it counts {routed}"

    with chosen_from_two(cell, _NAME, text.partition(" ")[2], _with_another) as (client, answer):
        # What the first one has changed is the route that the second one is shown.
        _assert_response(answer, f"{cell.language} {_ANOTHER}")
        assert_seen(answer, _SEEN, sees(Protocol.HTTP1, many=True) | _ROUTE | {"cluster": "second", "metadata": OF_ROUTE})
        _assert_response(send(client, 200, {ASK: "stop"}), text)


def _with_another(draft: Draft) -> None:
    """Adds a specifier, which is asked after the first one."""
    first = draft.virtual_host["route_specifiers"][0]
    second = copy.deepcopy(first)
    second["typed_config"]["specifier_config"]["value"] = _ANOTHER
    draft.virtual_host["route_specifiers"].append(second)


def _assert_changes(client: Client, protocol: Protocol, text: str) -> None:
    """Sends 4 requests, and asserts that their routes are changed."""
    answer = send(client, 200, Headers(MANY_TWICE))
    _assert_response(answer, text)
    assert_seen(answer, _SEEN, sees(protocol, many=True) | _ROUTE | {"cluster": "upstream", "metadata": "-"})

    headers = Headers([(ASK, "change"), (_IN, "first"), (_OUT, "yes"), *MANY_TWICE])
    answer = send(client, 200, headers, f"/specified?echo={_OUT}")
    received = Received.from_json(answer.body)
    seen = {
        "path": received.path,
        "host": received.headers.get("host"),
        "time": received.headers.get(TIMEOUT),
        "set": received.headers.get(_REQUEST),
        "added": ",".join(received.headers.all(_IN)),
        "removed": received.headers.get(MANY),
    }
    wanted = {
        "path": "/changed",
        "host": "changed.example",
        "time": "1234",
        "set": text,
        "added": "first,second",
        "removed": None,
    }
    assert seen == wanted, f"expected the upstream server to see {wanted}, it saw {seen}"
    seen = {name: answer.headers.get(name, "") for name in (f"{METADATA_HEADER}text", ROUTE_HEADER, _OUT)}
    wanted = {f"{METADATA_HEADER}text": text, ROUTE_HEADER: "changed", _OUT: ""}
    assert seen == wanted, f"expected the client to see {wanted}, it saw {seen}"

    send(client, 503, {CLUSTER: NOWHERE})
    send(client, 404, {CLUSTER: NOWHERE, CODE: "404"})


def _assert_decides(client: Client, text: str) -> None:
    """Sends 8 requests, and asserts which routes are taken, and as they are; it is asked 10 times.

    For `skip` that is once more than there are routes, about none; for `skip answers` about two.
    """
    # Where it cannot decide, and where there is no route that the request had before, the failure policy leaves it as it is.
    for asked in ("pass", "error", "previous"):
        _assert_response(send(client, 200, {ASK: asked}), None)
    send(client, 404, {ASK: "none"})
    send(client, 404, {ASK: "skip"})
    _assert_response(send(client, 200, {ASK: "stop"}), text)

    answer = send(client, 200, path=DIRECT_PATH)
    assert answer.body == DIRECT_BODY, f"expected the answer of the route {DIRECT_PATH}, saw {answer.body!r}"
    skipped = send(client, 200, {ASK: "skip answers"}, DIRECT_PATH)
    _assert_response(skipped, text)
    path = Received.from_json(skipped.body).path
    assert path == DIRECT_PATH, f"expected the request to go on to the next route, the upstream server saw {path}"


def _assert_response(answer: Answer, text: str | None) -> None:
    seen = answer.headers.get(_RESPONSE)
    assert seen == text, f"expected the route to set {_RESPONSE} to {text!r}, it is {seen!r}"


POINT = ProbedPoint(
    name=_NAME,
    hooks={"route": When.TRAFFIC, "route_destroy": When.TRAFFIC, "destroy": When.END},
    assert_works=assert_works,
    ask=ask_over_http,
    always_kept="hosts insist on do_not_close for route specifiers, so a module that was used as one is never unloaded",
)
