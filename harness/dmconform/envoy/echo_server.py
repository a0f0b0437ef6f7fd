"""A real server of bytes behind the Envoys: it sends back what comes, and agrees to an upgrade of HTTP/1.1 before."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Final

from dmconform.envoy.http_server import serving_sockets
from dmconform.envoy.observer import UNOBSERVED, Observer

_READ_BYTES: Final = 1 << 16
_HEAD_END: Final = b"\r\n\r\n"
_AGREES: Final = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"


class EchoServer:
    """What the server has received, connection by connection, in the order in which they ended."""

    def __init__(self, observer: Observer = UNOBSERVED) -> None:
        self.port = 0
        self._observer = observer
        self._lock = threading.Lock()
        self._received: list[bytes] = []

    def read_received(self) -> list[bytes]:
        """Returns the bytes of each connection that its client has ended; an archive notes that they are not compared."""
        self._observer.note_unreplayed("what the server of bytes received")
        with self._lock:
            return list(self._received)

    def handles(self, connection: socket.socket) -> None:
        """Sends back what comes, until the other side ends it; of a request with an upgrade what comes after its headers."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = connection.recv(_READ_BYTES)
        if data.startswith(b"GET "):
            while _HEAD_END not in data:
                data += connection.recv(_READ_BYTES)
            data = data.partition(_HEAD_END)[2]
            connection.sendall(_AGREES)
        received = bytearray(data)
        connection.sendall(data)
        while data := connection.recv(_READ_BYTES):
            received += data
            connection.sendall(data)
        with self._lock:
            self._received.append(bytes(received))


@contextlib.contextmanager
def echo_server(observer: Observer = UNOBSERVED) -> Iterator[EchoServer]:
    """Serves on a loopback port of the kernel's choice. A case uses `Cell.echo_server`, which has the cell's observer."""
    state = EchoServer(observer)
    with serving_sockets(state.handles, lambda: None) as state.port:
        yield state
