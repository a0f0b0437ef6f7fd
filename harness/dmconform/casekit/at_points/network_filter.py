"""Network filters: what `cipher` makes of the bytes of connections, for clients that cipher and for one that does not."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field

from dmconform.casekit.at_points.connections import ask, counted
from dmconform.casekit.at_points.model import ProbedPoint, When
from dmconform.casekit.bodies import pieces_of, text_of
from dmconform.casekit.raw_client import RawClient, raw_client
from dmconform.casekit.raw_requests import assert_received, read_answer, request_bytes
from dmconform.core.timeouts import LOG_LINE_S
from dmconform.core.waiting import poll
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import MAIN
from dmconform.matrix.cell import Cell

EXCHANGED = "dmconform_exchanged"
"""The counter of bytes that were exchanged, in both directions."""
_PREFACE = b"dmconform cipher\n"
_BODY = text_of(150_000)
"""More than what one read brings."""


def exchanged(data: bytes) -> bytes:
    """Returns bytes with each letter of ASCII in the place of the one that is 13 places on."""
    return codecs.encode(data.decode("latin-1"), "rot13").encode("latin-1")


@dataclass
class _Ciphering:
    """A client that ciphers, and how many bytes were exchanged for it."""

    client: RawClient
    begun: bool = False
    bytes_exchanged: int = field(default=0)

    def send(self, request: bytes) -> None:
        """Sends a request in pieces."""
        for piece in pieces_of(exchanged(request).decode("latin-1")):
            self.client.send(piece.encode("latin-1"))
        self.bytes_exchanged += len(request)

    def read(self) -> str:
        """Returns the body of an answer."""
        body, size = read_answer(self.client, exchanged)
        self.bytes_exchanged += size
        return body


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Has two clients cipher at once; asserts what they and the upstream server get, and that others pass unchanged."""
    before, port = counted(envoy, EXCHANGED), envoy.take_port(MAIN)
    with raw_client(port) as one, raw_client(port) as other:
        first, second = _Ciphering(one), _Ciphering(other)
        one.send(_PREFACE[:10])
        other.send(_PREFACE)
        second.send(request_bytes("/second", _BODY))
        _assert_greeted(cell, other, text)
        assert_received(second.read(), "/second", _BODY)
        one.send(_PREFACE[10:])
        for number in (1, 2):  # the connection goes on after an answer
            first.send(request_bytes(f"/first/{number}", "a body"))
            if number == 1:
                _assert_greeted(cell, one, text)
            assert_received(first.read(), f"/first/{number}", "a body")
        one.end_sending()
        rest = one.read_to_end()
        assert not rest, f"expected the connection to end when its client ends it, it brought {rest[:100]!r} before"
    plain = envoy.request("/plain")
    assert plain.status == 200, f"expected a connection that does not ask to pass unchanged, saw {plain.summary}"
    total = before + first.bytes_exchanged + second.bytes_exchanged
    poll(lambda: counted(envoy, EXCHANGED) >= total, LOG_LINE_S)
    seen = counted(envoy, EXCHANGED)
    assert seen == total, f"expected the filter to count {total} bytes, it counts {seen}"


def _assert_greeted(cell: Cell, client: RawClient, text: str) -> None:
    greeting, seen = f"{cell.language} [{text}]\n".encode(), client.read_until(b"\n")
    assert seen == greeting, f"expected the client to be sent {greeting!r} first, it was sent {seen[:100]!r}"


POINT = ProbedPoint(
    name="cipher",
    hooks=dict.fromkeys(("creation", "new_connection", "read", "write", "event", "destroy"), When.TRAFFIC),
    assert_works=assert_works,
    ask=ask,
)
