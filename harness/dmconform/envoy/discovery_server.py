"""A real discovery server over gRPC, for clusters: it sends updates, and keeps what the Envoy makes of them."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from dmconform.core.timeouts import POLL_S
from dmconform.envoy.http_server import serving_sockets

CLUSTER_TYPE: Final = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
_DELTA = "DeltaClusters"
_READ_BYTES = 1 << 16
_FRAME_HEAD_BYTES = 5


@dataclass(frozen=True)
class Discovered:
    """An update: names of clusters that come, each without endpoints, and of those that go, which only a delta update has."""

    version: str
    clusters: tuple[str, ...]
    removed: tuple[str, ...] = ()


class DiscoveryServer:
    """Sends updates to the Envoy that is connected, in order, each when the one before is judged: see `discovery_server`."""

    def __init__(self) -> None:
        """Has nothing to send yet."""
        self.port = 0
        self._closing = threading.Event()
        self._updates: list[Discovered] = []
        self._verdicts: dict[str, str] = {}

    def send(self, update: Discovered) -> None:
        """Sends an update once the Envoy is connected."""
        self._updates.append(update)

    def verdict_of(self, update: Discovered) -> str | None:
        """Returns the text with which an update was rejected, empty where it was accepted; None until the Envoy has said so."""
        return self._verdicts.get(update.version)

    def handles(self, connection: socket.socket) -> None:
        """Takes one connection until the other side ends it."""
        stream = _Stream(connection)
        sent = 0
        while not self._closing.is_set() and stream.turn():
            self._verdicts.update(stream.take_verdicts())
            if (
                stream.is_open
                and sent < len(self._updates)
                and all(one.version in self._verdicts for one in self._updates[:sent])
            ):
                stream.send(self._updates[sent])
                sent += 1

    def close(self) -> None:
        """Lets go of all connections."""
        self._closing.set()


@contextlib.contextmanager
def discovery_server() -> Iterator[DiscoveryServer]:
    """Serves on a loopback port of the kernel's choice until the end of the block."""
    server = DiscoveryServer()
    with serving_sockets(server.handles, server.close) as server.port:
        yield server


class _Stream:
    """A connection with the one stream of gRPC on which an Envoy asks for clusters."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self._h2.initiate_connection()
        self._number: int | None = None
        self._is_delta = False
        self._received = b""
        self._verdicts: dict[str, str] = {}

    @property
    def is_open(self) -> bool:
        return self._number is not None

    def turn(self) -> bool:
        """Takes what comes within `POLL_S`; returns whether the connection goes on."""
        try:
            self._socket.sendall(self._h2.data_to_send())
            if not select.select([self._socket], [], [], POLL_S)[0]:
                return True
            data = self._socket.recv(_READ_BYTES)
            for event in self._h2.receive_data(data) if data else ():
                self._note(event)
        except (OSError, h2.exceptions.ProtocolError):
            return False
        return bool(data)

    def send(self, update: Discovered) -> None:
        """Sends an update; small ones need no leave."""
        message = _delta(update) if self._is_delta else _state(update)
        assert self._number is not None, "expected a stream"
        self._h2.send_data(self._number, b"\0" + len(message).to_bytes(4, "big") + message)

    def take_verdicts(self) -> dict[str, str]:
        """Returns what has been said so far of updates, by their versions."""
        return self._verdicts

    def _note(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                self._number = event.stream_id
                self._is_delta = dict(event.headers)[b":path"].decode().endswith(_DELTA)
                self._h2.send_headers(event.stream_id, [(":status", "200"), ("content-type", "application/grpc")])
            case h2.events.DataReceived():
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                self._received += event.data
                self._read()
            case h2.events.StreamReset() | h2.events.StreamEnded():
                self._number = None

    def _read(self) -> None:
        """Reads the requests that are whole."""
        while len(self._received) >= _FRAME_HEAD_BYTES:
            end = _FRAME_HEAD_BYTES + int.from_bytes(self._received[1:_FRAME_HEAD_BYTES], "big")
            if len(self._received) < end:
                return
            fields = _fields(self._received[_FRAME_HEAD_BYTES:end])
            self._received = self._received[end:]
            nonce, error = (6, 7) if self._is_delta else (5, 6)
            if nonce in fields:
                status = _fields(fields.get(error, b""))
                self._verdicts[fields[nonce].decode()] = status.get(2, b"").decode()


def _state(update: Discovered) -> bytes:
    """Returns a `DiscoveryResponse`; its nonce is its version."""
    resources = b"".join(_field(2, _cluster(name)) for name in update.clusters)
    return _text(1, update.version) + resources + _text(4, CLUSTER_TYPE) + _text(5, update.version)


def _delta(update: Discovered) -> bytes:
    """Returns a `DeltaDiscoveryResponse`; its nonce is its version."""
    resources = (_text(3, name) + _text(1, update.version) + _field(2, _cluster(name)) for name in update.clusters)
    removed = b"".join(_text(6, name) for name in update.removed)
    body = b"".join(_field(2, one) for one in resources)
    return _text(1, update.version) + body + _text(4, CLUSTER_TYPE) + _text(5, update.version) + removed


def _cluster(name: str) -> bytes:
    """Returns a `Cluster` that has nothing but its name, as an `Any`."""
    return _text(1, CLUSTER_TYPE) + _field(2, _text(1, name))


def _text(number: int, value: str) -> bytes:
    return _field(number, value.encode())


def _field(number: int, value: bytes) -> bytes:
    """Returns a field of bytes, in protobuf's encoding."""
    return bytes((number << 3 | 2,)) + _number(len(value)) + value


def _number(value: int) -> bytes:
    """Returns a number, in protobuf's encoding."""
    groups = []
    while value >= 0x80:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*groups, value))


def _fields(message: bytes) -> dict[int, bytes]:
    """Returns the fields of bytes of a message, the last one of each number; those of other kinds are passed over."""
    found: dict[int, bytes] = {}
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte, at = message[at], at + 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = number()
        match key & 7:
            case 0:
                number()
            case 1:
                at += 8
            case 2:
                size = number()
                found[key >> 3] = message[at : at + size]
                at += size
            case 5:
                at += 4
            case kind:
                raise ValueError(f"a field of kind {kind} in a message of an Envoy")
    return found
