"""A client of HTTP/2 by prior knowledge: many requests at once, trailers both ways, resets with their error code."""

from __future__ import annotations

import contextlib
import select
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
from hyperframe.frame import Frame, GoAwayFrame

from dmconform.envoy.client import Answer, NoAnswer
from dmconform.envoy.connection import BODY_LIMIT_BYTES, TOO_LONG, Connection, Exchange, Request, cut
from dmconform.envoy.headers import Headers, pairs_of

_WINDOW_BYTES: Final = 1 << 24
"""How much the other side may send at once, on the connection and on each stream: more than any answer of a case."""


@dataclass
class _Stream:
    """The part of an answer that has arrived so far."""

    status: int | None = None
    headers: Headers = field(default_factory=Headers)
    body: bytearray = field(default_factory=bytearray)
    trailers: Headers = field(default_factory=Headers)
    reset: str | None = None
    ended: bool = False

    @property
    def is_over(self) -> bool:
        return self.ended or self.reset is not None

    def answer(self) -> Answer:
        """Returns what the client saw; `is_over` must hold."""
        body = self.body.decode(errors="replace")
        if self.ended:
            return Answer(self.status, self.headers, body, trailers=self.trailers)
        problem = f"stream reset: {self.reset}"
        return Answer(None, self.headers, body, problem, self.trailers, self.reset, self.status)


class _H2(h2.connection.H2Connection):
    """An h2 connection that still takes answers after an orderly GOAWAY; h2's own takes nothing after any."""

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[h2.events.Event]]:
        if frame.error_code == h2.errors.ErrorCodes.NO_ERROR:
            return [], []
        return super()._receive_goaway_frame(frame)


class Http2Connection(Connection):
    """A connection that speaks HTTP/2."""

    def __init__(self, port: int, timeout_s: float) -> None:
        """Connects: see `Connection`."""
        super().__init__(port, timeout_s)
        # Whether what comes is a proper response is for the case to say, not for the client to refuse.
        settings = h2.config.H2Configuration(client_side=True, header_encoding="utf-8", validate_inbound_headers=False)
        self._h2 = _H2(settings)
        self._streams: dict[int, _Stream] = {}
        self._cut: str | None = None  # how the connection ended
        self._h2.initiate_connection()
        self._h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW_BYTES})
        self._h2.increment_flow_control_window(_WINDOW_BYTES)
        self._flush()

    def begin(self, request: Request) -> Exchange:
        """Sends the headers of a request on a separate stream."""
        number = self._h2.get_next_available_stream_id()
        stream = self._streams[number] = _Stream()
        headers = [
            (":method", request.method),
            (":scheme", "http"),
            (":authority", "dmconform"),
            (":path", request.path),
            *pairs_of(request.headers),
        ]
        self._do(lambda: self._h2.send_headers(number, headers, end_stream=not request.has_more))
        return _Http2Exchange(self, number, stream, request)

    @property
    def takes_more(self) -> bool:
        """Whether another request may be sent."""
        return self._cut is None

    def look_if_open(self) -> bool:
        """Returns whether the other side has left it open so far; takes whatever has come."""
        if self._socket.fileno() < 0:
            return False
        while self._cut is None and select.select([self._socket], [], [], 0)[0]:
            self._take(self._deadline())
        return self._cut is None

    def _do(self, action: Callable[[], None]) -> None:
        """Sends something, unless the stream or the connection is over: then the answer says why."""
        if self._cut is None:
            with contextlib.suppress(h2.exceptions.StreamClosedError):
                action()
            self._flush()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if not data or self._cut is not None:
            return
        try:
            self._socket.sendall(data)
        except OSError as error:
            self._await_end(f"{type(error).__name__}: {error}")

    def _await_end(self, problem: str) -> None:
        """Takes what came before the connection broke, and notes that it did."""
        deadline = self._deadline()
        with contextlib.suppress(NoAnswer):
            while self._cut is None:
                self._take(deadline)
        self._cut = self._cut or problem

    def _send_data(self, number: int, stream: _Stream, data: bytes, *, end: bool) -> None:
        """Sends a body as far as the other side has room for it, and waits for that."""
        deadline = self._deadline()
        while not stream.is_over and self._cut is None:
            try:
                room = min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size)
            except (h2.exceptions.StreamClosedError, h2.exceptions.NoSuchStreamError):
                return
            if data and room <= 0:
                self._take(deadline)
                continue
            piece, data = data[:room], data[room:]
            last = end and not data
            self._do(lambda piece=piece, last=last: self._h2.send_data(number, piece, end_stream=last))  # type: ignore[misc]
            if not data:
                return

    def _take(self, deadline: float) -> None:
        """Takes the next bytes off the connection, for whichever streams they are."""
        try:
            data = self._read(deadline, "no complete answer in time")
        except ConnectionError as error:
            self._cut = f"{type(error).__name__}: {error}"
            return
        if not data:
            self._cut = self._cut or "it ended before an answer"
            return
        try:
            events = self._h2.receive_data(data)
        except h2.exceptions.ProtocolError as error:
            self._cut = f"what came is no HTTP/2: {error}"
            return
        for event in events:
            self._note(event)
        self._flush()

    def _note(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.ConnectionTerminated):
            self._cut = f"GOAWAY with {_code(event.error_code)}"
            return
        stream = self._streams.get(getattr(event, "stream_id", None) or 0)
        if stream is None:
            return
        match event:
            case h2.events.ResponseReceived():
                received = _plain(event.headers)
                stream.status = int(received[":status"])
                stream.headers = Headers(pair for pair in received.pairs if pair[0] != ":status")
            case h2.events.DataReceived():
                stream.body += event.data
                if len(stream.body) > BODY_LIMIT_BYTES:
                    self._cut = TOO_LONG
                with contextlib.suppress(h2.exceptions.StreamClosedError):
                    self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case h2.events.TrailersReceived():
                stream.trailers = _plain(event.headers)
            case h2.events.StreamEnded():
                stream.ended = True
            case h2.events.StreamReset():
                # NO_ERROR after a whole answer asks the client to stop sending.
                stream.reset = None if stream.ended else _code(event.error_code)

    def _answer(self, stream: _Stream) -> Answer:
        deadline = self._deadline()
        while not stream.is_over:
            if self._cut is not None:
                return cut(self._cut, stream.status, stream.headers, stream.body)
            try:
                self._take(deadline)
            except NoAnswer:
                raise NoAnswer(f"no complete answer in time (status so far: {stream.status})") from None
        return stream.answer()


class _Http2Exchange(Exchange):
    def __init__(self, connection: Http2Connection, number: int, stream: _Stream, request: Request) -> None:
        self._connection = connection
        self._number = number
        self._stream = stream
        self._request = request
        self._is_complete = not request.has_more

    def send_body(self, text: str) -> None:
        self._connection._send_data(self._number, self._stream, text.encode(), end=False)

    def complete(self) -> None:
        if self._is_complete:
            return
        self._is_complete = True
        connection, number, trailers = self._connection, self._number, list(pairs_of(self._request.trailers))
        body = (self._request.body or "").encode()
        if body or not trailers:
            connection._send_data(number, self._stream, body, end=not trailers)
        if trailers:
            connection._do(lambda: connection._h2.send_headers(number, trailers, end_stream=True))

    def answer(self) -> Answer:
        return self._connection._answer(self._stream)

    def cancel(self) -> None:
        """Resets the stream with CANCEL; its answer shows this."""
        self._stream.reset = h2.errors.ErrorCodes.CANCEL.name
        self._connection._do(lambda: self._connection._h2.reset_stream(self._number, h2.errors.ErrorCodes.CANCEL))


def _plain(headers: Iterable[tuple[str | bytes, str | bytes]]) -> Headers:
    return Headers((_text(name), _text(value)) for name, value in headers)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode(errors="replace")


def _code(code: h2.errors.ErrorCodes | int | None) -> str:
    return code.name if isinstance(code, h2.errors.ErrorCodes) else f"error code {code}"
