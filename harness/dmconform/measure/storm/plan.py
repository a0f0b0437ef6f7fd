"""The plan of a storm: what each client does, in which order, drawn from a seed. The same seed gives the same plan."""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dmconform.envoy.connection import Protocol

STREAMS: Final = 4
"""How many requests a connection of HTTP/2 carries."""
_LONGEST_WAIT_S: Final = 0.02


class Leave(enum.Enum):
    """How a client ends what it began."""

    RESET = "it resets the connection"  # TCP RST
    CLOSE = "it closes the connection"
    HALF_CLOSE = "it ends its side, and closes the connection after that"
    CANCEL = "it resets each stream, and closes the connection after that"  # HTTP/2; of HTTP/1.1 the same as CLOSE


@dataclass(frozen=True)
class Visit:
    """One connection of a client."""

    tls: bool
    protocol: Protocol
    direct: bool  # Envoy itself answers where the module lets the request pass; else the upstream server
    wait_s: float  # for an answer, at most, before it leaves
    leave: Leave


def visits(seed: int, client: int) -> Iterator[Visit]:
    """Yields the connections of a client, without end.

    Args:
        seed: of the round.
        client: its number; each has a sequence that is like no other's.
    """
    draw = random.Random(f"{seed}/{client}")  # to be repeated, not to be secret
    while True:
        yield Visit(
            tls=draw.random() < 0.1,
            protocol=draw.choice((Protocol.HTTP1, Protocol.HTTP1, Protocol.HTTP1, Protocol.HTTP2)),
            direct=draw.random() < 0.8,
            # Most leave at once: then the stream is young, and events for it are under way.
            wait_s=draw.random() ** 3 * _LONGEST_WAIT_S,
            leave=draw.choice((Leave.RESET, Leave.RESET, Leave.CLOSE, Leave.HALF_CLOSE, Leave.CANCEL)),
        )
