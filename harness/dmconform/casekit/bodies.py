"""Requests with bodies of all sizes, sent at once or in odd pieces, and what must come of them at both ends and in between."""

from __future__ import annotations

import functools
import itertools
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dmconform.envoy.client import Answer
from dmconform.envoy.connected import Client
from dmconform.envoy.connection import Protocol, Request

LARGE_BYTES: Final = 3 << 20
_SMALL_BYTES: Final = (1, 70_001)  # the second: more than the window with which streams of HTTP/2 begin
_PIECES: Final = (1, 3, 1021, 16_385, 40_000, 65_537)


@functools.lru_cache
def text_of(size: int) -> str:
    """Returns a text of so many characters, of which no part is like another."""
    return "".join(f"{number:x}," for number in range(size // 2 + 1))[:size]


def pieces_of(text: str) -> Iterator[str]:
    """Yields a text in pieces of odd sizes, the first of one character."""
    at = 0
    for length in itertools.cycle(_PIECES):
        yield text[at : at + length]
        at += length
        if at >= len(text):
            return


def adler(text: str) -> str:
    """Returns the Adler-32 of a text, as eight hexadecimal digits."""
    return f"{zlib.adler32(text.encode()):08x}"


@dataclass(frozen=True)
class Sent:
    """A request with a body, and the way in which it is sent. The upstream server sends the body back (`?mirror`)."""

    protocol: Protocol
    size: int
    in_pieces: bool  # with trailers, and answered with trailers

    def __str__(self) -> str:
        return f"{self.protocol.value}, {self.size} bytes {'in pieces' if self.in_pieces else 'at once'}"

    @property
    def body(self) -> str:
        """The body."""
        return text_of(self.size)

    def over(self, client: Client, path: str) -> Answer:
        """Sends it over a connection, and returns the answer.

        Args:
            client: the connection, which speaks the protocol.
            path: where it is sent; nothing follows a `?` yet.

        Raises:
            NoAnswer, HostHung, HostCrashed: as the connection does.
        """
        asked = {"accept-encoding": "gzip", "content-type": "text/plain"}
        if not self.in_pieces:
            return client.request(Request(f"{path}?mirror", "POST", asked, self.body))
        *pieces, last = pieces_of(self.body)
        pending = client.begin(Request(f"{path}?mirror&trailers", "POST", asked, last, {"x-last": "yes"}))
        for piece in pieces:
            pending.send_body(piece)
        return pending.finish()


SMALL: Final = tuple(Sent(protocol, size, way) for protocol in Protocol for size in _SMALL_BYTES for way in (False, True))
LARGE: Final = tuple(Sent(protocol, LARGE_BYTES, way) for protocol in Protocol for way in (False, True))
