"""A client that sends what a case says, byte by byte: for what a client of HTTP would not send, and for ends of all kinds."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from typing import Final

from dmconform.core.timeouts import REQUEST_S
from dmconform.core.waiting import waiting

_READ_BYTES: Final = 1 << 16


class RawClient:
    """A connection to a loopback port. Reads raise TimeoutError where nothing comes within `REQUEST_S`."""

    def __init__(self, port: int) -> None:
        """Connects."""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=REQUEST_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._left = b""  # read beyond what was asked for

    @property
    def local_port(self) -> int:
        """Its own port."""
        port: int = self._socket.getsockname()[1]
        return port

    def send(self, data: bytes) -> None:
        """Sends all of it."""
        self._socket.sendall(data)

    def read_until(self, end: bytes) -> bytes:
        """Returns what comes up to `end`, which is included; less where the other side ends the connection before."""
        while end not in self._left and self._more():
            pass
        found, mark, self._left = self._left.partition(end)
        return found + mark

    def read(self, size: int) -> bytes:
        """Returns so many bytes; fewer where the other side ends the connection before."""
        while len(self._left) < size and self._more():
            pass
        found, self._left = self._left[:size], self._left[size:]
        return found

    def read_to_end(self) -> bytes:
        """Returns all that comes until the other side ends the connection."""
        while self._more():
            pass
        found, self._left = self._left, b""
        return found

    def _more(self) -> bool:
        with waiting(REQUEST_S):
            data = self._socket.recv(_READ_BYTES)
        self._left += data
        return bool(data)

    def end_sending(self) -> None:
        """Ends its own side of the connection, and goes on reading."""
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Ends the connection by a reset (TCP RST)."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def close(self) -> None:
        """Ends the connection."""
        self._socket.close()


@contextlib.contextmanager
def raw_client(port: int) -> Iterator[RawClient]:
    """Yields a connection to a loopback port (see `Envoy.take_port`), and closes it at the end of the block."""
    client = RawClient(port)
    try:
        yield client
    finally:
        client.close()
