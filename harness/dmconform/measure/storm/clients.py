"""The clients of a storm: threads that open connections, send requests, and leave as their plan says."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import h2.config
import h2.connection
from hyperframe.frame import RstStreamFrame

from dmconform.core.timeouts import REQUEST_S
from dmconform.envoy.config import DIRECT_PATH
from dmconform.envoy.connection import Protocol
from dmconform.measure.storm.plan import STREAMS, Leave, Visit, visits

PLAIN: Final = "plain"
TLS: Final = "tls"
"""The listeners that clients go to."""
_AT_ONCE: Final = struct.pack("ii", 1, 0)  # closing resets
_CANCEL: Final = 8  # error code of HTTP/2
_READ_BYTES: Final = 1 << 16


def _http2(path: str) -> bytes:
    """Returns what a client of HTTP/2 sends that begins so many requests at once."""
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_connection()
    for stream in range(1, 2 * STREAMS, 2):
        headers = [(":method", "GET"), (":scheme", "http"), (":authority", "storm"), (":path", path)]
        client.send_headers(stream, headers, end_stream=True)
    return bytes(client.data_to_send())


_PATHS: Final = {True: DIRECT_PATH, False: "/storm"}
_REQUESTS: Final = {
    **{(Protocol.HTTP1, direct): f"GET {path} HTTP/1.1\r\nhost: storm\r\n\r\n".encode() for direct, path in _PATHS.items()},
    **{(Protocol.HTTP2, direct): _http2(path) for direct, path in _PATHS.items()},
}
_CANCELS: Final = b"".join(RstStreamFrame(stream, _CANCEL).serialize() for stream in range(1, 2 * STREAMS, 2))


@dataclass(frozen=True)
class Counts:
    """The work of all clients so far."""

    requests: int
    answered: int  # connections on which something came back before the client left
    resets: int  # connections and streams
    refused: int  # connections that could not be opened, or broke before the requests were sent


class Clients:
    """Threads that visit the listeners of an Envoy. Use `storming`."""

    def __init__(self, seed: int, count: int, ports: Mapping[str, int]) -> None:
        """Starts them.

        Args:
            seed: of the plan.
            count: how many there are.
            ports: of the listeners `PLAIN` and `TLS`, on loopback.
        """
        self._ports = ports
        self._lock = threading.Lock()
        self._counted: Counter[str] = Counter()
        self._stopped = threading.Event()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE
        self._threads = [
            threading.Thread(target=self._run, args=(seed, number), name=f"storm client {number}", daemon=True)
            for number in range(count)
        ]
        for one in self._threads:
            one.start()

    @property
    def counts(self) -> Counts:
        """The work so far."""
        with self._lock:
            seen = self._counted
            return Counts(seen["requests"], seen["answered"], seen["resets"], seen["refused"])

    def stop(self) -> None:
        """Ends them after the connections that are open."""
        self._stopped.set()
        for one in self._threads:
            one.join()

    def _run(self, seed: int, number: int) -> None:
        for visit in visits(seed, number):
            if self._stopped.is_set():
                return
            seen = self._visit(visit)
            with self._lock:
                self._counted += seen
            if seen["refused"]:
                self._stopped.wait(0.01)  # there may be nobody any more

    def _visit(self, visit: Visit) -> Counter[str]:
        many = STREAMS if visit.protocol is Protocol.HTTP2 else 1
        try:
            connection = self._connected(visit)
        except OSError:
            return Counter(refused=1)
        with connection:
            try:
                connection.sendall(_REQUESTS[visit.protocol, visit.direct])
                came = bool(select.select([connection], [], [], visit.wait_s)[0] and connection.recv(_READ_BYTES))
                resets = self._leave(connection, visit, many)
            except OSError:  # Envoy was faster
                return Counter(requests=many, resets=1)
        return Counter(requests=many, answered=int(came), resets=resets)

    def _connected(self, visit: Visit) -> socket.socket:
        port = self._ports[TLS if visit.tls else PLAIN]
        plain = socket.create_connection(("127.0.0.1", port), timeout=REQUEST_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._tls.wrap_socket(plain) if visit.tls else plain

    @staticmethod
    def _leave(connection: socket.socket, visit: Visit, many: int) -> int:
        """Leaves; returns how many connections and streams were reset. The caller closes the connection."""
        if visit.leave is Leave.RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            return 1
        if visit.leave is Leave.CANCEL and visit.protocol is Protocol.HTTP2:
            connection.sendall(_CANCELS)
            return many
        if visit.leave is Leave.HALF_CLOSE:
            connection.shutdown(socket.SHUT_WR)
        return 0


@contextlib.contextmanager
def storming(seed: int, count: int, ports: Mapping[str, int]) -> Iterator[Clients]:
    """Runs the clients until the end of the block; see `Clients`."""
    clients = Clients(seed, count, ports)
    try:
        yield clients
    finally:
        clients.stop()
