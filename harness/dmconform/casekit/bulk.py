"""A client that asks a listener very often: requests of HTTP/2 whose bytes are made once, many at a time on one connection."""

from __future__ import annotations

import os
import struct
from typing import Final

import h2.config
import h2.connection
import h2.settings
import hpack

from dmconform.casekit.raw_client import RawClient, raw_client
from dmconform.envoy.config import DIRECT_PATH
from dmconform.envoy.outcomes import Blocked

_AT_ONCE: Final = 50
_MOST_BYTES: Final = (1 << 31) - 1 - (1 << 16)
_HEADER_BYTES: Final = 9
_HEADERS, _RESET, _GOAWAY = 1, 3, 7
_END_STREAM: Final = 1
_END_HEADERS: Final = 4


def ask_in_bulk(port: int, count: int) -> int:
    """Sends requests that Envoy answers by itself, and returns how many of them were answered to the end.

    Args:
        port: on loopback, of a listener.
        count: how many.

    Raises:
        TimeoutError: nothing comes for `REQUEST_S`.
    """
    encoder = hpack.Encoder()
    headers = [(":method", "GET"), (":scheme", "http"), (":authority", "bulk"), (":path", DIRECT_PATH)]
    first, again = encoder.encode(headers), encoder.encode(headers)  # the second refers to what the first has defined
    with raw_client(port) as client:
        client.send(_preface())
        ended, number = 0, 0
        while number < count:
            batch = min(_AT_ONCE, count - number)
            blocks = (again if number + each else first for each in range(batch))
            client.send(b"".join(_frame(block, 2 * (number + each) + 1) for each, block in enumerate(blocks)))
            number += batch
            ended += _take(client, batch)
            if ended < number:
                break
    return ended


def _preface() -> bytes:
    settings = h2.config.H2Configuration(client_side=True)
    client = h2.connection.H2Connection(settings)
    client.initiate_connection()
    client.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: _MOST_BYTES})
    client.increment_flow_control_window(_MOST_BYTES)
    return bytes(client.data_to_send())


def _frame(block: bytes, stream: int) -> bytes:
    return struct.pack(">I", len(block))[1:] + bytes((_HEADERS, _END_STREAM | _END_HEADERS)) + struct.pack(">I", stream) + block


def _take(client: RawClient, count: int) -> int:
    """Reads until so many streams have ended, or the other side ends the connection or a stream early."""
    ended = 0
    while ended < count:
        head = client.read(_HEADER_BYTES)
        if len(head) < _HEADER_BYTES:
            return ended
        length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
        client.read(length)
        if kind in (_RESET, _GOAWAY):
            return ended
        ended += kind <= _HEADERS and bool(flags & _END_STREAM)
    return ended


REQUESTS_VARIABLE: Final = "DMCONFORM_LOAD_REQUESTS"
"""The environment variable with the number of requests of a load, such as 100000 for a long run; reports have the number."""
_REQUESTS: Final = 10_000


def requests_of_a_load() -> int:
    """Returns how many requests a load has: what `REQUESTS_VARIABLE` says, or enough for a short run.

    Raises:
        Blocked: the variable has something else than a number above 0.
    """
    text = os.environ.get(REQUESTS_VARIABLE, str(_REQUESTS))
    if not text.isdecimal() or int(text) < 1:
        raise Blocked(f"{REQUESTS_VARIABLE}={text}: expected a number of requests above 0")
    return int(text)
