"""Listener filters: what `preface` does for connections that begin with its line, and that others pass unchanged."""

from __future__ import annotations

import copy

from dmconform.casekit.at_points.connections import ask, counted
from dmconform.casekit.at_points.model import ProbedPoint, When
from dmconform.casekit.points import draft_at
from dmconform.casekit.raw_client import raw_client
from dmconform.casekit.raw_requests import assert_received, read_answer, request_bytes
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import MAIN, Draft, message_of
from dmconform.envoy.extension_points.use import ModuleUse
from dmconform.matrix.cell import PROBE, Cell

CHOSEN = "dmconform_chosen"
"""The counter of connections that began with the line."""
_NAME = "chosen.dmconform"
_BODY = "chosen"
_LOGGED = (
    "dmconform connection of %REQUESTED_SERVER_NAME%: %DYNAMIC_METADATA(dmconform:text)% %DYNAMIC_METADATA(dmconform:number)%\n"
)


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Sends requests behind a line, and asserts what becomes of it; then the same where it decides on the filter chain."""
    before = counted(envoy, CHOSEN)
    assert_received(_ask_behind(cell, envoy, "any.dmconform", text, "a body"), "/behind", "a body")
    plain = envoy.request("/plain")
    assert plain.status == 200, f"expected a connection without the line to pass unchanged, saw {plain.summary}"
    _assert_counted(envoy, before + 1)
    draft = draft_at(cell, [ModuleUse(cell.point, ModuleRef(PROBE), POINT.name, text)], _chosen_by_name)
    cell.reconfigure(envoy, *draft.written())
    before = counted(envoy, CHOSEN)
    for name, is_chosen in ((_NAME, True), ("other.dmconform", False)):
        answer = _ask_behind(cell, envoy, name, text, "")
        assert (answer == _BODY) is is_chosen, (
            f"expected the filter chain {'for' if is_chosen else 'beside that for'} {_NAME} to be chosen for {name}, "
            f"saw {answer[:100]!r}"
        )
    # Of a log the first line is there at once, the next ones up to 10 s later.
    expected = f"dmconform connection of {_NAME}: {text} {len(_NAME)}"
    assert envoy.wait_for_log(expected), f"expected the log of connections to say {expected!r}, it does not"
    _assert_counted(envoy, before + 2)


def _assert_counted(envoy: Envoy, number: int) -> None:
    seen = counted(envoy, CHOSEN)
    assert seen == number, f"expected the filter to have counted {number} connections, it counts {seen}"


def _ask_behind(cell: Cell, envoy: Envoy, name: str, text: str, body: str) -> str:
    """Sends a line with a name and a request behind it, and returns the body of the answer that comes behind a line."""
    with raw_client(envoy.take_port(MAIN)) as client:
        line = f"dmconform {name}\n".encode()
        client.send(line[:4])
        client.send(line[4:] + request_bytes("/behind", body))
        greeting, seen = f"{cell.language} [{text}]\n".encode(), client.read_until(b"\n")
        assert seen == greeting, f"expected the client to be sent {greeting!r} first, it was sent {seen[:100]!r}"
        return read_answer(client)[0]


def _chosen_by_name(draft: Draft) -> None:
    """Adds a filter chain for a server name and a protocol, whose routes answer by themselves, and a log of connections."""
    chain = copy.deepcopy(draft.chain)
    chain["filter_chain_match"] = {"server_names": [_NAME], "application_protocols": ["dmconform"]}
    (manager,) = (one["typed_config"] for one in chain["filters"])
    for route in manager["route_config"]["virtual_hosts"][0]["routes"]:
        route.pop("route", None)
        route["direct_response"] = {"status": 200, "body": {"inline_string": _BODY}}
    draft.main["filter_chains"].append(chain)
    log = message_of("access_loggers.stream.v3.StderrAccessLog", log_format={"text_format_source": {"inline_string": _LOGGED}})
    draft.main["access_log"] = [{"name": "stderr", "typed_config": log}]


POINT = ProbedPoint(
    name="preface",
    hooks=dict.fromkeys(("creation", "accept", "data"), When.TRAFFIC),
    assert_works=assert_works,
    ask=ask,
)
