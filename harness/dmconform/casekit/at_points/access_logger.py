"""Access loggers: the lines that `lines` writes, and requests whose client knows what must stand there."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from dmconform.casekit.at_points.model import ProbedPoint, When, ask_over_http
from dmconform.core.timeouts import LOG_LINE_S
from dmconform.core.versions import Minor
from dmconform.core.waiting import poll
from dmconform.envoy.client import Answer
from dmconform.envoy.config import DIRECT_PATH
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.envoy import Envoy
from dmconform.matrix.cell import Cell

Line = dict[str, str]

LOGGED = "dmconform_logged"
"""The counter of what was logged."""
_LINE = re.compile(r"^dmconform access (?P<language>\w+) \[(?P<text>.*)\] (?P<pairs>\S+=.*)$", re.MULTILINE)
_SHOWN_SINCE = Minor(1, 38)
_BODY_BYTES = 5000
_VALUE = "a value"


def _lines(cell: Cell, envoy: Envoy, text: str, name: str, value: str) -> list[Line]:
    """Returns the lines so far of the loggers with this text in which a name has a value."""
    return [
        pairs
        for found in _LINE.finditer(envoy.read_log())
        if (found["language"], found["text"]) == (cell.language, text)
        if (pairs := dict(pair.partition("=")[::2] for pair in found["pairs"].split(" "))).get(name) == value
    ]


def _line(cell: Cell, envoy: Envoy, text: str, path: str) -> Line:
    """Returns the only line about the request with this path.

    Raises:
        AssertionError: there is none in time, or more than one.
    """
    poll(lambda: bool(_lines(cell, envoy, text, "path", path)), LOG_LINE_S)
    envoy.check_alive(f"before it logged {path}")
    lines = _lines(cell, envoy, text, "path", path)
    assert len(lines) == 1, f"expected one line of the logger [{text}] about {path}, saw {len(lines)}"
    return lines[0]


@dataclass(frozen=True)
class _Sent:
    """A request, when it was sent, and what came back."""

    request: Request
    protocol: Protocol
    answer: Answer
    began_ns: int  # since 1970
    took_ns: int


def _send(envoy: Envoy, request: Request, protocol: Protocol) -> _Sent:
    with envoy.connect(protocol) as client:
        began = time.time_ns()
        answer = client.request(request)
        return _Sent(request, protocol, answer, began, time.time_ns() - began)


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Sends requests of several kinds, and asserts that each is logged once, as client and upstream server know it."""
    for protocol in Protocol:
        mark = protocol.name.lower()
        for request, expected in (
            (
                Request(f"{DIRECT_PATH}?{mark}"),
                {"method": "GET", "details": "direct_response", "cluster": "-", "in": "-", "out": "-"},
            ),
            (
                Request(f"/{mark}?echo=x-dmconform-in", headers={"x-dmconform-in": _VALUE}),
                {"method": "GET", "details": "via_upstream", "cluster": "upstream", "in": _VALUE, "out": _VALUE},
            ),
            (
                Request(f"/{mark}", "POST", body="b" * _BODY_BYTES),
                {"method": "POST", "details": "via_upstream", "cluster": "upstream", "in": "-", "out": "-"},
            ),
        ):
            sent = _send(envoy, request, protocol)
            assert sent.answer.status == 200, f"expected {request.path} to be answered, saw {sent.answer.summary}"
            _assert_line(cell, _line(cell, envoy, text, request.path), sent, expected)
    _assert_counted(cell, envoy)


def _assert_line(cell: Cell, line: Line, sent: _Sent, expected: Line) -> None:
    path, body = sent.request.path, sent.request.body or ""
    wanted = {name: value.replace(" ", "\\x20") for name, value in expected.items()} | {
        "status": str(sent.answer.status),
        "protocol": {Protocol.HTTP1: "HTTP/1.1", Protocol.HTTP2: "HTTP/2"}[sent.protocol],
        "received": str(len(body)),
        "sent": str(len(sent.answer.body)),
        "mtls": "false",
        "traced": "false",
        "health_check": "false",
    }
    if cell.sdk_minor >= _SHOWN_SINCE:
        attempts = "0" if expected["cluster"] == "-" else "1"
        wanted |= {"type": "DownstreamEnd", "worker": "0", "flags": "0", "attempts": attempts, "address": "127.0.0.1"}
    seen = {name: line.get(name, "(nothing)") for name in wanted}
    assert seen == wanted, f"expected the logger to see of {path} {wanted}, it saw {seen}"
    _assert_times(line, sent, proxied=expected["cluster"] != "-")


def _assert_times(line: Line, sent: _Sent, *, proxied: bool) -> None:
    """Asserts that the times in a line are in their order, and that the request began when its client sent it."""
    start, complete = int(line["start_ns"]), int(line["complete_ns"])
    # Envoy's start is whole microseconds.
    late = start // 1000 - sent.began_ns // 1000
    assert 0 <= late <= sent.took_ns // 1000, (
        f"expected {sent.request.path} to start within {sent.took_ns} ns of when it was sent, it started {late} us later"
    )
    names = ("upstream_first_sent_ns", "upstream_first_received_ns", "downstream_last_sent_ns") if proxied else ()
    times = [0, *(int(line[name]) for name in names), complete]
    assert times == sorted(times) and complete > 0, f"expected the times of {sent.request.path} to be in order, saw {times}"


def _assert_counted(cell: Cell, envoy: Envoy) -> None:
    """Asserts that the logger's own counter is the number of its lines."""
    number = 3 * len(Protocol)
    seen = {name.rpartition(".")[2]: value for name, value in envoy.counters("dynamic").items() if name.endswith(LOGGED)}
    assert seen == {LOGGED: number}, f"expected the logger to count {number}, saw {seen}"


POINT = ProbedPoint(
    name="lines",
    hooks={"creation": When.CREATION, "log": When.TRAFFIC, "flush": When.END, "destroy": When.END},
    assert_works=assert_works,
    ask=ask_over_http,
)
