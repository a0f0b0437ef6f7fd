"""A real HTTP/1.1 server for those who say how a request is answered.

A thread for each connection, so that requests which are left open starve no others.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import h11

from dmconform.envoy.headers import Headers

_READ_BYTES: Final = 1 << 16
_REASON: Final = b"as asked"


HEADERS_LIMIT_BYTES: Final = 1 << 20
"""More than any Envoy takes. The default of h11, 16 KiB, counts only where headers come in several pieces, which is chance."""


@dataclass(frozen=True)
class Head:
    """The beginning of a request; header names in lower case, the path without what follows a `?`."""

    method: str
    path: str
    query: str
    headers: Headers
    spelled: tuple[str, ...]  # the names of the headers as they came

    @property
    def in_chunks(self) -> bool:
        """Whether its body may be held back: nothing says how long it is."""
        return "transfer-encoding" in self.headers


@dataclass(frozen=True)
class Rest:
    """What follows the headers of a request."""

    body: bytes
    trailers: Headers


class Gone(Exception):
    """The client has gone, or speaks no HTTP/1.1."""


class Talk:
    """One connection: for each request `head`, `rest` and `answer`, or `answer` before `rest`."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._talk = h11.Connection(h11.SERVER, max_incomplete_event_size=HEADERS_LIMIT_BYTES)
        self._has_body = True

    def head(self) -> Head:
        """Waits for a request.

        Raises:
            Gone: there is none any more.
        """
        event = self._next()
        if not isinstance(event, h11.Request):
            raise Gone
        method, target = event.method.decode(), urlsplit(event.target.decode("latin-1"))
        self._has_body = method != "HEAD"
        spelled = tuple(name.decode("latin-1") for name, _ in event.headers.raw_items())
        return Head(method, target.path, target.query, _plain(event.headers), spelled)

    def rest(self) -> Rest:
        """Waits for the whole request.

        Raises:
            Gone: it never becomes whole.
        """
        body = bytearray()
        while isinstance(event := self._next(), h11.Data):
            body += event.data
        if not isinstance(event, h11.EndOfMessage):
            raise Gone
        return Rest(bytes(body), _plain(event.headers))

    def answer(
        self,
        status: int,
        content: bytes,
        *,
        headers: Iterable[tuple[str, str]] = (),
        trailers: Mapping[str, str] | None = None,
        cut: bool = False,
        padding: int = 0,
        halfway: Callable[[], object] | None = None,
    ) -> None:
        """Sends an answer.

        Args:
            status: its status.
            content: its body; an answer to HEAD only gives its length.
            headers: further headers.
            trailers: its trailers; with some the body is sent in chunks.
            cut: only half of the body, then the connection ends.
            padding: how many zero bytes follow the body.
            halfway: called when half of the body is sent.

        Raises:
            Gone: it was cut.
        """
        framing = ("transfer-encoding", "chunked") if trailers else ("content-length", str(len(content) + padding))
        data = self._talk.send(h11.Response(status_code=status, headers=[framing, *headers], reason=_REASON)) or b""
        if cut:
            self._socket.sendall(data + content[: len(content) // 2])
            raise Gone
        last = h11.EndOfMessage()
        if self._has_body:  # an answer to HEAD ends with its headers
            if halfway is not None:
                begin, content = content[: len(content) // 2], content[len(content) // 2 :]
                self._socket.sendall(data + (self._talk.send(h11.Data(data=begin)) or b""))
                halfway()
                data = b""
            data += self._talk.send(h11.Data(data=content)) or b""
            for left in range(padding, 0, -_READ_BYTES):  # in pieces, as it may be large
                self._socket.sendall(data)
                data = self._talk.send(h11.Data(data=bytes(min(left, _READ_BYTES)))) or b""
            last = h11.EndOfMessage(headers=list((trailers or {}).items()))
        self._socket.sendall(data + (self._talk.send(last) or b""))

    def next_cycle(self) -> bool:
        """Prepares for another request after one was taken and answered; returns whether one may come."""
        if self._talk.our_state is h11.DONE and self._talk.their_state is h11.DONE:
            self._talk.start_next_cycle()
            return True
        return False

    def _next(self) -> h11.Event | type[h11.PAUSED]:
        try:
            while True:
                event = self._talk.next_event()
                if event is h11.PAUSED or isinstance(event, h11.Event):
                    return event
                self._talk.receive_data(self._socket.recv(_READ_BYTES))
        except h11.RemoteProtocolError as error:
            raise Gone from error


class _Handler(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        with contextlib.suppress(OSError, Gone):  # clients go as they like
            self.server.handles(self.request)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False  # connections are cut instead
    request_queue_size = 128

    def __init__(self, handles: Callable[[socket.socket], None]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.handles = handles
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
def serving_sockets(handles: Callable[[socket.socket], None], let_go: Callable[[], None]) -> Iterator[int]:
    """Serves bytes on a loopback port of the kernel's choice, which it yields.

    Args:
        handles: takes a connection until it is done with it; its errors of the system end the connection alone.
        let_go: called at the end; it must end every wait in `handles` but those for the other side.
    """
    with _Server(handles) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="server", daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            let_go()
            server.shutdown()
            thread.join()
            server.cut_all()


@contextlib.contextmanager
def serving(answers: Callable[[Talk], None], let_go: Callable[[], None]) -> Iterator[int]:
    """Serves HTTP/1.1 on a loopback port of the kernel's choice, which it yields.

    Args:
        answers: takes one request of a connection and answers it.
        let_go: called at the end; it must end every wait in `answers`.
    """

    def handles(connection: socket.socket) -> None:
        talk = Talk(connection)
        answers(talk)
        while talk.next_cycle():
            answers(talk)

    with serving_sockets(handles, let_go) as port:
        yield port


def _plain(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    return Headers((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)
