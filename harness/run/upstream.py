"""A real HTTP/1.1 server behind the Envoys: it answers with what it received, as JSON, in the way that the path asks for.

A thread for each connection, so that requests which are left open starve no others.
"""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Final
from urllib.parse import parse_qs, urlsplit

import h11

from harness.run.recorder import beyond
from harness.timeouts import SOURCE_HELD_S

_READ_BYTES: Final = 1 << 16
TRAILER: Final = "x-upstream-trailer"
"""The trailer of answers for which a path asks with `?trailers`; its value is `yes`."""


@dataclass(frozen=True)
class Received:
    """A request as the upstream server saw it; header names in lower case, the path without what follows a `?`."""

    method: str
    path: str
    headers: dict[str, str]
    body: str
    trailers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: str) -> Received:
        """Reads what the server answered.

        Raises:
            AssertionError: it is not an answer of this server: something on the way has garbled it.
        """
        try:
            data = json.loads(text)
            return cls(data["method"], data["path"], data["headers"], data["body"], data["trailers"])
        except (ValueError, KeyError, TypeError):
            raise AssertionError(f"expected an answer of the upstream server, saw {text[:200]!r}") from None


@dataclass(frozen=True)
class _Manner:
    """How a path asks to be answered, after its `?`: `hold`, `trailers`, `cut`, `status=503`, `size=1000`; several with `&`."""

    hold: bool  # not before the server is told to let go
    trailers: bool
    cut: bool  # the connection ends in the middle of the body
    status: int
    size: int | None  # a body of that many bytes in the place of the JSON

    @classmethod
    def of(cls, query: str) -> _Manner:
        asked = parse_qs(query, keep_blank_values=True)
        size = int(asked["size"][0]) if "size" in asked else None
        return cls("hold" in asked, "trailers" in asked, "cut" in asked, int(asked.get("status", ["200"])[0]), size)


class Upstream:
    """What the server has received, and how it goes on with what it holds."""

    def __init__(self) -> None:
        self.port = 0
        self._lock = threading.Lock()
        self._begun: Counter[str] = Counter()
        self._received: list[Received] = []
        self._let_go = threading.Event()

    def begun(self, path: str) -> int:
        """How many requests for a path have come, whole or not."""
        beyond("what the upstream server received")
        with self._lock:
            return self._begun[path]

    def received(self, path: str) -> list[Received]:
        """The requests for a path that have come as a whole, in their order."""
        beyond("what the upstream server received")
        with self._lock:
            return [one for one in self._received if one.path == path]

    def let_go(self) -> None:
        """Sends the answers that are held, and holds none from now on."""
        self._let_go.set()

    def begins(self, path: str) -> None:
        """Notes the headers of a request."""
        with self._lock:
            self._begun[path] += 1

    def takes(self, received: Received) -> None:
        """Notes a whole request."""
        with self._lock:
            self._received.append(received)

    def wait(self) -> None:
        """Waits until held answers may go."""
        self._let_go.wait(SOURCE_HELD_S)


class _Talk(socketserver.BaseRequestHandler):
    """One connection."""

    server: _Server
    request: socket.socket

    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        talk = h11.Connection(h11.SERVER)
        with contextlib.suppress(OSError, h11.RemoteProtocolError):  # clients go as they like
            while self._answers_one(talk):
                talk.start_next_cycle()

    def _next(self, talk: h11.Connection) -> h11.Event | type[h11.PAUSED]:
        while True:
            event = talk.next_event()
            if event is h11.PAUSED or isinstance(event, h11.Event):
                return event
            talk.receive_data(self.request.recv(_READ_BYTES))

    def _answers_one(self, talk: h11.Connection) -> bool:
        """Takes a request and answers it; whether another one may come on this connection."""
        upstream = self.server.upstream
        head = self._next(talk)
        if not isinstance(head, h11.Request):
            return False
        target = urlsplit(head.target.decode("latin-1"))
        upstream.begins(target.path)
        body = bytearray()
        while isinstance(event := self._next(talk), h11.Data):
            body += event.data
        if not isinstance(event, h11.EndOfMessage):
            return False
        text = body.decode(errors="replace")
        received = Received(head.method.decode(), target.path, _plain(head.headers), text, _plain(event.headers))
        upstream.takes(received)
        return self._send(talk, received, _Manner.of(target.query))

    def _send(self, talk: h11.Connection, received: Received, manner: _Manner) -> bool:
        if manner.hold:
            self.server.upstream.wait()
        content = json.dumps(asdict(received)).encode() if manner.size is None else b"x" * manner.size
        framing = ("transfer-encoding", "chunked") if manner.trailers else ("content-length", str(len(content)))
        headers = [("content-type", "application/json"), framing]
        data = talk.send(h11.Response(status_code=manner.status, headers=headers, reason=b"as asked")) or b""
        if manner.cut:
            self.request.sendall(data + content[: len(content) // 2])
            return False
        if received.method != "HEAD":
            data += talk.send(h11.Data(data=content)) or b""
        trailers = _trailers(manner) if received.method != "HEAD" else []  # an answer to HEAD ends with its headers
        self.request.sendall(data + (talk.send(h11.EndOfMessage(headers=trailers)) or b""))
        return talk.our_state is h11.DONE and talk.their_state is h11.DONE


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False  # connections are cut instead
    request_queue_size = 128

    def __init__(self, upstream: Upstream) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.upstream = upstream
        self._open: set[socket.socket] = set()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        assert isinstance(request, socket.socket)
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        assert isinstance(request, socket.socket)
        self._open.discard(request)
        super().shutdown_request(request)

    def cut_all(self) -> None:
        """Ends the connections that are open, and with them their threads."""
        for one in self._open.copy():
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def upstream() -> Iterator[Upstream]:
    """Serves on a loopback port of the kernel's choice."""
    state = Upstream()
    with _Server(state) as server:
        state.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="upstream", daemon=True)
        thread.start()
        try:
            yield state
        finally:
            state.let_go()
            server.shutdown()
            thread.join()
            server.cut_all()


@contextlib.contextmanager
def upstream_server() -> Iterator[int]:
    """Serves those who want nothing but its port, which it gives."""
    with upstream() as state:
        yield state.port


def _trailers(manner: _Manner) -> list[tuple[str, str]]:
    return [(TRAILER, "yes")] if manner.trailers else []


def _plain(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
