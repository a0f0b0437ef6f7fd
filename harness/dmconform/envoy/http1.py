"""The client of HTTP/1.1, with keep-alive, chunks and trailers: one request after another on one connection."""

from __future__ import annotations

import ssl
from collections.abc import Iterable

import h11

from dmconform.envoy.client import Answer, NoAnswer
from dmconform.envoy.connection import BODY_LIMIT_BYTES, TOO_LONG, Connection, Exchange, Request, cut
from dmconform.envoy.headers import Headers, pairs_of
from dmconform.envoy.http_server import HEADERS_LIMIT_BYTES


class Http1Connection(Connection):
    """A connection that speaks HTTP/1.1."""

    def __init__(self, port: int, timeout_s: float, tls: ssl.SSLContext | None = None) -> None:
        """Connects: see `Connection`."""
        super().__init__(port, timeout_s, tls)
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEADERS_LIMIT_BYTES)
        self._broken: OSError | None = None  # what sending ran into; an answer may have come before

    def begin(self, request: Request) -> Exchange:
        """Sends the headers of a request.

        Raises:
            AssertionError: the request before is not answered yet, or its answer is the last one of the connection.
        """
        assert self.takes_more, (
            f"expected a connection that is free, the answer to the request before is {self._h11.their_state}"
        )
        if self._h11.our_state is h11.DONE:
            self._h11.start_next_cycle()
        headers = list(pairs_of(Headers({"host": "dmconform"}) | request.headers))
        if request.trailers:
            headers.append(("transfer-encoding", "chunked"))
        elif request.body is not None:
            headers.append(("content-length", str(len(request.body.encode()))))
        self._emit(h11.Request(method=request.method, target=request.path, headers=headers))
        if not request.has_more:
            self._emit(h11.EndOfMessage())
        return _Http1Exchange(self, request)

    @property
    def takes_more(self) -> bool:
        """Whether another request may be sent."""
        return (self._h11.our_state, self._h11.their_state) in ((h11.IDLE, h11.IDLE), (h11.DONE, h11.DONE))

    def _emit(self, event: h11.Request | h11.Data | h11.EndOfMessage) -> None:
        data = self._h11.send(event)
        if data is None or self._broken is not None:
            return
        try:
            self._socket.sendall(data)
        except OSError as error:
            self._broken = error

    def _answer(self) -> Answer:
        state = self._h11.their_state
        assert state in (h11.SEND_RESPONSE, h11.SEND_BODY), f"expected a request whose answer is not taken yet, it is {state}"
        deadline = self._deadline()
        status: int | None = None
        headers = Headers()
        body = bytearray()
        try:
            while True:
                event = self._h11.next_event()
                match event:
                    case h11.NEED_DATA:
                        data = self._read(deadline, f"no complete answer in time (status so far: {status})")
                        if not data and status is None:  # h11 would only say that it is surprised
                            return cut(self._broken or "it ended before an answer", None, headers, body)
                        self._h11.receive_data(data)
                    case h11.Response():
                        status, headers = event.status_code, _plain(event.headers)
                    case h11.Data():
                        body += event.data
                        if len(body) > BODY_LIMIT_BYTES:
                            return cut(TOO_LONG, status, headers, body)
                    case h11.EndOfMessage():
                        return Answer(status, headers, body.decode(errors="replace"), trailers=_plain(event.headers))
        except (OSError, h11.RemoteProtocolError) as error:
            return cut(f"{type(error).__name__}: {error}", status, headers, body)


class _Http1Exchange(Exchange):
    def __init__(self, connection: Http1Connection, request: Request) -> None:
        self._connection = connection
        self._request = request
        self._is_complete = not request.has_more

    def send_body(self, text: str) -> None:
        """Sends a piece of a body. Needs a request with trailers: only then the headers do not give the length."""
        self._connection._emit(h11.Data(data=text.encode()))

    def complete(self) -> None:
        if self._is_complete:
            return
        self._is_complete = True
        if self._request.body:
            self.send_body(self._request.body)
        self._connection._emit(h11.EndOfMessage(headers=list(pairs_of(self._request.trailers))))

    def answer(self) -> Answer:
        return self._connection._answer()

    def cancel(self) -> None:
        """Closes the connection: HTTP/1.1 has no other way."""
        self._connection.close()


def exchange(port: int, request: Request, timeout_s: float, tls: ssl.SSLContext | None = None) -> Answer:
    """Sends one request over a separate connection.

    Args:
        port: on loopback.
        request: what is sent.
        timeout_s: how long the answer may take.
        tls: speaks TLS if it is given.

    Returns:
        The answer; a connection that no one accepts, or that is not agreed on, counts as one that was cut.

    Raises:
        NoAnswer: it is not complete in time.
    """
    try:
        connection = Http1Connection(port, timeout_s, tls)
    except TimeoutError:
        raise NoAnswer("no connection in time") from None
    except (ConnectionError, ssl.SSLError) as error:
        return cut(f"{type(error).__name__}: {error}", None, {}, b"")
    with connection:
        return connection.request(request)


def _plain(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    return Headers((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)
