"""An HTTP/2 client by prior knowledge: any number of requests at once, with the h2 that came with the archive."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterable, Mapping
from typing import Any

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from .answer import Answer, NoAnswer

_READ_BYTES = 1 << 16
_WINDOW_BYTES = 1 << 24


class _Cut(Exception):
    """The connection ended."""


class Http2:
    """One connection to a loopback port."""

    def __init__(self, port: int, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._port = port
        self._socket: socket.socket | None = None
        self._streams: dict[int, _Stream] = {}
        self._is_cut = False

    def _connect(self) -> None:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=self._timeout_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            settings = h2.config.H2Configuration(client_side=True, header_encoding="utf-8", validate_inbound_headers=False)
            self._h2 = _Connection(settings)
            self._h2.initiate_connection()
            self._h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW_BYTES})
            self._h2.increment_flow_control_window(_WINDOW_BYTES)

    def close(self) -> None:
        """Closes it."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def act(self, number: int, act: str, request: Mapping[str, Any], text: str) -> None:
        """Does something for the request of a number; a connection that ends shows in the answers."""
        try:
            self._connect()
            if act in ("begin", "send"):
                self._begin(number, request)
            stream = self._streams[number]
            if act == "piece":
                self._send_data(stream, text.encode(), end=False)
            elif act == "cancel":
                self._h2.reset_stream(stream.number, h2.errors.ErrorCodes.CANCEL)
            elif act != "begin":
                self._complete(stream, request)
            self._flush()
        except h2.exceptions.StreamClosedError:
            pass  # its answer tells why
        except (OSError, h2.exceptions.ProtocolError):
            self._await_end()
        except (NoAnswer, _Cut):
            self._is_cut = True

    def answer(self, number: int) -> Answer:
        """Waits for the answer to the request of a number.

        Raises:
            NoAnswer: it is not complete in time.
        """
        stream = self._streams.get(number)
        deadline = time.monotonic() + self._timeout_s
        while stream is not None and not stream.is_over and not self._is_cut:
            try:
                self._take(deadline)
            except (_Cut, OSError, h2.exceptions.ProtocolError):
                self._is_cut = True
        return stream.answer() if stream is not None and stream.is_over else Answer(None)

    def _await_end(self) -> None:
        """Takes what came before the connection broke."""
        deadline = time.monotonic() + self._timeout_s
        with contextlib.suppress(NoAnswer, _Cut, OSError, h2.exceptions.ProtocolError):
            while True:
                self._take(deadline)
        self._is_cut = True

    def _begin(self, number: int, request: Mapping[str, Any]) -> None:
        stream = self._streams[number] = _Stream(self._h2.get_next_available_stream_id())
        pseudo = ((":method", request["method"]), (":scheme", "http"), (":authority", "dmconform"), (":path", request["path"]))
        has_more = request["body"] is not None or bool(request["trailers"])
        self._h2.send_headers(stream.number, [*pseudo, *request["headers"].items()], end_stream=not has_more)
        self._flush()

    def _complete(self, stream: _Stream, request: Mapping[str, Any]) -> None:
        body, trailers = (request["body"] or "").encode(), list(request["trailers"].items())
        if request["body"] is None and not trailers:
            return
        if body or not trailers:
            self._send_data(stream, body, end=not trailers)
        if trailers and not stream.is_over:
            self._h2.send_headers(stream.number, trailers, end_stream=True)

    def _send_data(self, stream: _Stream, data: bytes, end: bool) -> None:
        """Sends a body as far as the other side has room for it, and waits for that."""
        deadline = time.monotonic() + self._timeout_s
        while not stream.is_over:
            room = min(self._h2.local_flow_control_window(stream.number), self._h2.max_outbound_frame_size)
            if data and room <= 0:
                self._take(deadline)
                continue
            piece, data = data[:room], data[room:]
            self._h2.send_data(stream.number, piece, end_stream=end and not data)
            self._flush()
            if not data:
                return

    def _flush(self) -> None:
        assert self._socket is not None
        data = self._h2.data_to_send()
        if data:
            self._socket.settimeout(self._timeout_s)
            self._socket.sendall(data)

    def _take(self, deadline: float) -> None:
        """Takes the next bytes off the connection, for whichever streams they are."""
        assert self._socket is not None
        left = deadline - time.monotonic()
        if left <= 0:
            raise NoAnswer("no complete answer in time")
        self._flush()
        self._socket.settimeout(left)
        try:
            data = self._socket.recv(_READ_BYTES)
        except socket.timeout:  # noqa: UP041 (another exception before Python 3.10)
            raise NoAnswer("no complete answer in time") from None
        if not data:
            raise _Cut
        for event in self._h2.receive_data(data):
            if isinstance(event, h2.events.ConnectionTerminated) and event.error_code != h2.errors.ErrorCodes.NO_ERROR:
                raise _Cut
            if isinstance(event, h2.events.DataReceived):
                with contextlib.suppress(h2.exceptions.StreamClosedError):
                    self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            for stream in self._streams.values():
                if getattr(event, "stream_id", None) == stream.number:
                    stream.take(event)
        self._flush()


class _Connection(h2.connection.H2Connection):
    """h2's own takes nothing after a GOAWAY; but what was asked before an orderly one is still answered."""

    def _receive_goaway_frame(self, frame: Any) -> tuple[list[Any], list[h2.events.Event]]:  # noqa: ANN401 (of hyperframe)
        if frame.error_code == h2.errors.ErrorCodes.NO_ERROR:
            return [], []
        return super()._receive_goaway_frame(frame)


class _Stream:
    """What has come of an answer so far."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._headers: dict[str, str] = {}
        self._body = b""
        self._trailers: dict[str, str] = {}
        self._reset: str | None = None
        self._ended = False

    @property
    def is_over(self) -> bool:
        """Whether nothing comes any more."""
        return self._ended or self._reset is not None

    def take(self, event: h2.events.Event) -> None:
        """Notes what came."""
        if isinstance(event, h2.events.ResponseReceived):
            self._headers = _plain(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            self._body += event.data
        elif isinstance(event, h2.events.TrailersReceived):
            self._trailers = _plain(event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            self._ended = True
        elif isinstance(event, h2.events.StreamReset) and not self._ended:
            code = event.error_code
            self._reset = code.name if isinstance(code, h2.errors.ErrorCodes) else f"error code {code}"

    def answer(self) -> Answer:
        """The answer; `is_over` must hold."""
        status = int(self._headers.pop(":status", "0"))
        body = self._body.decode(errors="replace")
        return Answer(status if self._ended else None, self._headers, body, self._trailers, self._reset)


def _plain(headers: Iterable[tuple[Any, Any]]) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in headers}


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode(errors="replace")
