"""Early header mutations: the requests that `headers` has changed, as routes and the upstream server see them."""

from __future__ import annotations

from dmconform.casekit.at_points.model import ProbedPoint, When, ask_over_http
from dmconform.casekit.points import listeners_at
from dmconform.envoy.client import Answer
from dmconform.envoy.config import DIRECT_BODY, DIRECT_PATH, Listener, ModuleRef
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.use import ModuleUse
from dmconform.envoy.headers import Headers
from dmconform.envoy.upstream import Received
from dmconform.matrix.cell import MAIN, PROBE, Cell

NAME = "headers"
SEEN = "x-dmconform-early"
"""The header in which the module says what it has seen of a request."""
TWICE = "twice"
"""The listener at which the module changes each request a second time."""
_IN, _LAST, _PATH, _REMOVED = "x-dmconform-in", "x-dmconform-last", "x-dmconform-path", "x-dmconform-removed"
_SENT = ("one value", "another")
_WIRE = {Protocol.HTTP1: "HTTP/1.1", Protocol.HTTP2: "HTTP/2"}
# Beside those that clients send: `:method`, `:path`, `:authority`, and `:scheme`, which Envoy adds to HTTP/1.1 later.
_OF_EACH = {Protocol.HTTP1: 3, Protocol.HTTP2: 4}


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Sends requests of several kinds, and asserts that each is routed, and comes to the upstream server, as it was changed."""
    for protocol in Protocol:
        _assert_changed(cell, envoy, protocol, text)
        _assert_routed(envoy, protocol)
    cell.reconfigure(envoy, *_with_two(cell, text))
    for protocol in Protocol:
        _assert_in_a_row(envoy, protocol)


def _send(envoy: Envoy, request: Request, protocol: Protocol, name: str = MAIN) -> Answer:
    with envoy.connect(protocol, listener=name) as client:
        answer = client.request(request)
    assert answer.status == 200, f"expected {request.path} to be answered, saw {answer.summary}"
    return answer


def _assert_changed(cell: Cell, envoy: Envoy, protocol: Protocol, text: str) -> None:
    """Asserts that headers were seen, set, added to and removed."""
    path = f"/{protocol.name.lower()}"
    headers = Headers([*((_IN, one) for one in _SENT), (_REMOVED, "yes")])
    received = Received.from_json(_send(envoy, Request(path, headers=headers), protocol).body)
    number = len(headers.pairs) + _OF_EACH[protocol]
    wanted = (
        f"{cell.language} [{text}] method=GET path={path} values={len(_SENT)} last={_SENT[-1]} protocol={_WIRE[protocol]} "
        f"headers={number}"
    )
    seen = received.headers.get(SEEN)
    assert seen == wanted, f"expected the module to see of {path} {wanted!r}, it saw {seen!r}"
    values = received.headers.all(_IN)
    assert values == (*_SENT, "added"), f"expected {_IN} to come as {_SENT} and what was added, saw {values}"
    assert _REMOVED not in received.headers, f"expected {_REMOVED} to be removed, it came"


def _assert_routed(envoy: Envoy, protocol: Protocol) -> None:
    """Asserts that the path that the module sets decides on the route, in the place of the client's."""
    direct = _send(envoy, Request("/changed", headers={_PATH: DIRECT_PATH}), protocol)
    assert direct.body == DIRECT_BODY, f"expected the path that the module sets to lead to Envoy's answer, saw {direct.body!r}"
    elsewhere = _send(envoy, Request(DIRECT_PATH, headers={_PATH: "/elsewhere"}), protocol)
    received = Received.from_json(elsewhere.body)
    assert received.path == "/elsewhere", f"expected the path upstream to be that which the module sets, saw {received.path}"


def _with_two(cell: Cell, text: str) -> tuple[Listener, ...]:
    """Returns the listener of the extension point, and one that has the same mutation twice."""
    use = ModuleUse(cell.point, ModuleRef(PROBE), NAME, text)

    def alter(draft: Draft) -> None:
        draft.main["name"] = TWICE
        draft.manager["early_header_mutation_extensions"] *= 2

    return (*listeners_at(cell, use), *listeners_at(cell, use, alter))


def _assert_in_a_row(envoy: Envoy, protocol: Protocol) -> None:
    """Asserts that a mutation decides whether the next one sees the request."""
    for headers, times in (({}, 2), ({_LAST: "yes"}, 1)):
        received = Received.from_json(_send(envoy, Request("/row", headers=headers), protocol, TWICE).body)
        values = received.headers.all(_IN)
        assert values == ("added",) * times, f"expected {times} of two mutations to change a request, saw {values}"


POINT = ProbedPoint(
    name=NAME,
    hooks={"mutate": When.TRAFFIC, "config_destroy": When.END},
    assert_works=assert_works,
    ask=ask_over_http,
)
