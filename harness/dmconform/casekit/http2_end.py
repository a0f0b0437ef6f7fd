"""Both ends of an HTTP/2 stream, with the small windows that the protocol begins with, which read late: when a case wants it.

An end that does not read takes what comes, and gives no leave to send more than the window.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from dmconform.core.timeouts import POLL_S, REQUEST_S
from dmconform.envoy.http_server import serving_sockets

HTTP2_WINDOW_BYTES: Final = 65_535
"""How much an end may be sent before it reads: on its stream, and on its connection."""
_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_READ_BYTES: Final = 1 << 16


class _End:
    """One end of a connection with one stream."""

    def __init__(self, connection: socket.socket, sends: bytes, *, client: bool) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.status = ""  # a client's answer
        self.received = bytearray()
        self.ended = False  # whether the other side has sent all
        self.problem = ""  # why the stream ended early
        self._socket = connection
        self._is_client = client
        self._left = sends
        self._kept = b""  # is sent later than that
        self._sent_end = False
        self._stream: int | None = None
        self._unread = 0
        self._reads = False
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=client))
        self._h2.initiate_connection()

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self.ended or bool(self.problem)

    @property
    def is_stuck(self) -> bool:
        """Whether it has more to send, and no leave."""
        return bool(self._left) and self._stream is not None and self._h2.local_flow_control_window(self._stream) == 0

    @property
    def has_sent_all(self) -> bool:
        """Whether nothing of its body is left to send."""
        return not (self._left or self._kept)

    def keep(self, size: int) -> None:
        """Keeps what is beyond so many bytes of its body, until it goes on."""
        self._left, self._kept = self._left[:size], self._left[size:]

    def go_on(self, size: int | None = None) -> None:
        """Sends so many bytes more of its body, as far as it may; all of it without a size."""
        more = len(self._kept) if size is None else size
        self._left, self._kept = self._left + self._kept[:more], self._kept[more:]

    @property
    def has_begun(self) -> bool:
        """Whether its stream is open, or was."""
        return self._stream is not None

    def begin(self, *headers: tuple[str, str]) -> None:
        """Opens the stream with these headers."""
        self._stream = self._h2.get_next_available_stream_id()
        self._h2.send_headers(self._stream, headers)

    def read(self) -> None:
        """Reads what has come, and all that comes from now on."""
        if self._reads:
            return
        self._reads = True
        self._give_leave(self._unread)

    def turn(self) -> None:
        """Takes what comes within `POLL_S`, and sends what it has leave for."""
        self._send()
        if self.problem or not select.select([self._socket], [], [], POLL_S)[0]:
            return
        try:
            data = self._socket.recv(_READ_BYTES)
            events = self._h2.receive_data(data) if data else []
        except (OSError, h2.exceptions.ProtocolError) as error:
            self.problem = f"{type(error).__name__}: {error}"
            return
        if not data:
            self.problem = "connection cut"
        for event in events:
            self._note(event)
        self._send()

    def _note(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                self._stream = event.stream_id
                self._h2.send_headers(event.stream_id, [(":status", "200")])
            case h2.events.ResponseReceived():
                self.status = dict(event.headers)[b":status"].decode()
            case h2.events.DataReceived():
                self.received += event.data
                if self._reads:
                    self._give_leave(event.flow_controlled_length)
                else:
                    self._unread += event.flow_controlled_length
            case h2.events.StreamEnded():
                self.ended = True
            case h2.events.StreamReset():
                self.problem = f"stream reset with {event.error_code!s}"
            case h2.events.ConnectionTerminated():
                self.problem = f"GOAWAY with {event.error_code!s}"

    def _give_leave(self, size: int) -> None:
        if size and self._stream is not None:
            with contextlib.suppress(h2.exceptions.StreamClosedError):
                self._h2.acknowledge_received_data(size, self._stream)

    @property
    def _ends_now(self) -> bool:
        """Whether all is sent but the end, and that may be."""
        return not (self._left or self._kept or self._sent_end) and (self._is_client or self.ended)

    def _send(self) -> None:
        with contextlib.suppress(h2.exceptions.StreamClosedError, OSError):
            while self._stream is not None and self._left:
                room = min(self._h2.local_flow_control_window(self._stream), self._h2.max_outbound_frame_size)
                if room <= 0:
                    break
                self._h2.send_data(self._stream, self._left[:room])
                self._left = self._left[room:]
            # A server that ended its answer before the request would have the rest of that thrown away.
            if self._stream is not None and self._ends_now:
                self._sent_end = True
                self._h2.end_stream(self._stream)
            self._socket.sendall(self._h2.data_to_send())


class Http2Client:
    """A client of one request, which sends its body as far as it may, and reads late."""

    def __init__(self, port: int, headers: Sequence[tuple[str, str]], body: bytes, at_first: int) -> None:
        """Connects, and begins a request: see `http2_client`.

        Args:
            port: on loopback.
            headers: of the request, those included that begin with a colon.
            body: what it sends.
            at_first: how many bytes of that it sends before `go_on`.
        """
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=REQUEST_S)
        self._end = _End(self._socket, body, client=True)
        self._end.keep(at_first)
        self._end.begin(*headers)

    def goes_on_until(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Sends and takes what it may until something is done or its stream is over; returns whether it is done in time."""
        turns = int(timeout_s / POLL_S)
        for _ in range(turns):
            self._end.turn()
            if done():
                return True
            if self._end.is_over:
                return done()
        return False

    def go_on(self, size: int | None = None) -> None:
        """Sends so many bytes more of its body, as far as it may; all of it without a size."""
        self._end.go_on(size)

    def read(self) -> None:
        """Reads from now on."""
        self._end.read()

    @property
    def is_stuck(self) -> bool:
        """Whether it has more to send, and no leave."""
        return self._end.is_stuck

    @property
    def has_sent_all(self) -> bool:
        """Whether nothing of its body is left to send."""
        return self._end.has_sent_all

    @property
    def received(self) -> bytes:
        """What has come of the answer's body."""
        return bytes(self._end.received)

    @property
    def is_answered(self) -> bool:
        """Whether the whole answer has come."""
        return self._end.ended

    @property
    def summary(self) -> str:
        """What has become of the request, in words."""
        return self._end.problem or f"status {self._end.status or 'none'}{'' if self._end.ended else ', not ended'}"

    def close(self) -> None:
        """Ends the connection."""
        self._socket.close()


@contextlib.contextmanager
def http2_client(port: int, path: str, body: bytes, at_first: int) -> Iterator[Http2Client]:
    """Yields a client of HTTP/2, whose connection ends with the block.

    Args:
        port: on loopback.
        path: what it asks for, with POST.
        body: what it sends.
        at_first: how many bytes of that it sends before `go_on`.
    """
    headers = ((":method", "POST"), (":scheme", "http"), (":authority", "late"), (":path", path))
    with contextlib.closing(Http2Client(port, headers, body, at_first)) as client:
        yield client


@contextlib.contextmanager
def http2_upgrade(port: int, path: str, body: bytes, protocol: str | None) -> Iterator[Http2Client]:
    """Yields a client that turns a stream of HTTP/2 into something else, and sends bytes over it: see `http2_client`.

    Args:
        port: on loopback.
        path: what it asks for, where there is a protocol.
        body: what it sends.
        protocol: what the stream is to be, such as `websocket`; a tunnel of bytes (CONNECT) if None.
    """
    headers = [(":method", "CONNECT"), (":authority", "a:80")]
    if protocol is not None:
        headers += [(":protocol", protocol), (":scheme", "http"), (":path", path)]
    with contextlib.closing(Http2Client(port, headers, body, len(body))) as client:
        yield client


class Http2Server:
    """A server that answers at once, with the same body each time, and reads requests late: see `http2_server`."""

    def __init__(self, body: bytes, at_first: int) -> None:
        """Prepares the answer.

        Args:
            body: of every answer.
            at_first: how many bytes of that it sends before `go_on`.
        """
        self.port = 0
        self._body = body
        self._at_first = at_first
        self._reads = threading.Event()
        self._goes_on = threading.Event()
        self._closing = threading.Event()
        self._end: _End | None = None

    def read(self) -> None:
        """Reads from now on."""
        self._reads.set()

    def go_on(self) -> None:
        """Sends all of its answers, as far as it may."""
        self._goes_on.set()

    @property
    def has_request(self) -> bool:
        """Whether a request has come, with its headers."""
        return self._end is not None and self._end.has_begun

    @property
    def is_stuck(self) -> bool:
        """Whether it has more to send to the last request, and no leave."""
        return self._end is not None and self._end.is_stuck

    @property
    def has_sent_all(self) -> bool:
        """Whether nothing of its last answer is left to send."""
        return self._end is not None and self._end.has_sent_all

    @property
    def received(self) -> bytes:
        """What has come of the last request's body."""
        return bytes(self._end.received) if self._end is not None else b""

    def handles(self, connection: socket.socket) -> None:
        """Takes one connection until the other side ends it."""
        end = self._end = _End(connection, self._body, client=False)
        end.keep(self._at_first)
        while not end.problem and not self._closing.is_set():
            if self._goes_on.is_set():
                end.go_on()
            if self._reads.is_set():
                end.read()
            end.turn()

    def close(self) -> None:
        """Lets go of all connections."""
        self._closing.set()


@contextlib.contextmanager
def http2_server(body: bytes, at_first: int | None = None) -> Iterator[Http2Server]:
    """Serves on a loopback port of the kernel's choice, with this body as the answer to everything.

    Args:
        body: of every answer.
        at_first: how many bytes of that it sends before `go_on`; all without it.
    """
    server = Http2Server(body, len(body) if at_first is None else at_first)
    with serving_sockets(server.handles, server.close) as server.port:
        yield server


def over_http2(**cluster: Any) -> Callable[[dict[str, Any]], None]:  # noqa: ANN401 - JSON
    """Returns what makes the cluster `upstream` speak HTTP/2 with small windows, with further fields of it: for `alter`."""

    def alter(bootstrap: dict[str, Any]) -> None:
        its = next(one for one in bootstrap["static_resources"]["clusters"] if one["name"] == "upstream")
        its["typed_extension_protocol_options"][_OPTIONS]["explicit_http_config"] = {"http2_protocol_options": SMALL_WINDOWS}
        its.update(cluster)

    return alter


SMALL_WINDOWS: Final = {"initial_stream_window_size": 65_536, "initial_connection_window_size": 65_536}
"""What an Envoy takes before it has handed it on: of HTTP/2, on each side, as `http2_protocol_options`."""
