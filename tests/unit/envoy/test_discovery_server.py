"""The discovery server, as a client over gRPC sees it."""

from __future__ import annotations

import socket

import h2.config
import h2.connection
import h2.events
import pytest
from dmconform.core.waiting import poll
from dmconform.envoy.discovery_server import Discovered, discovery_server

ANSWER_S = 5.0
FRAME_HEAD_BYTES = 5
STATE, DELTA = "StreamClusters", "DeltaClusters"
UPDATE = Discovered("v1", ("a" * 200, "b"), ("c",))


def field(number: int, value: bytes) -> bytes:
    return bytes((number << 3 | 2, len(value))) + value


class Client:
    """One stream of a client that asks for clusters."""

    def __init__(self, port: int, method: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.h2.initiate_connection()
        path = f"/envoy.service.cluster.v3.ClusterDiscoveryService/{method}"
        self.h2.send_headers(1, [(":method", "POST"), (":path", path), (":scheme", "http"), (":authority", "x")])
        self.socket.sendall(self.h2.data_to_send())

    def send(self, message: bytes) -> None:
        """Sends a message in two pieces."""
        framed = b"\0" + len(message).to_bytes(4, "big") + message
        for piece in (framed[:3], framed[3:]):
            self.h2.send_data(1, piece)
            self.socket.sendall(self.h2.data_to_send())

    def receive(self) -> bytes:
        """Returns the next message; all of it comes in one piece."""
        while True:
            for event in self.h2.receive_data(self.socket.recv(1 << 16)):
                if isinstance(event, h2.events.DataReceived):
                    return bytes(event.data[FRAME_HEAD_BYTES:])
            self.socket.sendall(self.h2.data_to_send())


@pytest.mark.parametrize(("method", "nonce", "error"), [(STATE, 5, 6), (DELTA, 6, 7)])
def test_updates_are_sent_one_after_the_other_and_the_verdicts_kept(method: str, nonce: int, error: int) -> None:
    second = Discovered("v2", ("d",))
    with discovery_server() as server:
        client = Client(server.port, method)
        with client.socket:
            client.send(field(2, b"no verdict"))
            server.send(UPDATE)
            server.send(second)
            first = client.receive()
            assert b"a" * 200 in first and b"v1" in first
            assert (field(6, b"c") in first) is (method == DELTA)
            assert server.verdict_of(UPDATE) is None
            client.send(field(nonce, b"v1") + b"\x08\x01" + field(error, b"\x08\x0d" + field(2, b"not this")))
            assert b"v2" in client.receive()
            client.send(field(nonce, b"v2"))
            poll(lambda: server.verdict_of(second) is not None, ANSWER_S)
            assert (server.verdict_of(UPDATE), server.verdict_of(second)) == ("not this", "")


def test_what_is_no_http2_ends_its_connection_alone() -> None:
    with discovery_server() as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=ANSWER_S) as other:
            other.sendall(b"GET / HTTP/1.1\r\n\r\n")
            while other.recv(1 << 10):
                pass
        server.send(UPDATE)
        client = Client(server.port, STATE)
        with client.socket:
            assert b"v1" in client.receive()
