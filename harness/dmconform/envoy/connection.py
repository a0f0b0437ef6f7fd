"""One connection of a client, on which requests can be left open: what HTTP/1.1 and HTTP/2 have in common."""

from __future__ import annotations

import enum
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dmconform.core.waiting import waiting
from dmconform.envoy.client import Answer, NoAnswer
from dmconform.envoy.headers import Headers

if TYPE_CHECKING:
    from ssl import SSLContext
    from types import TracebackType
    from typing import Self

_READ_BYTES: Final = 1 << 16


class Protocol(enum.Enum):
    """What a client speaks."""

    HTTP1 = "HTTP/1.1"
    HTTP2 = "HTTP/2"  # by prior knowledge, without TLS


class Act(enum.Enum):
    """What a client does for a request on a connection that it keeps."""

    BEGIN = "begin"  # sends its headers
    SEND = "send"  # sends all of it
    PIECE = "piece"  # sends a piece of its body
    COMPLETE = "complete"  # sends what is held back
    CANCEL = "cancel"  # gives it up


@dataclass(frozen=True)
class Request:
    """A request. Header names are in lower case; trailers come after the body, and with HTTP/1.1 only in chunks.

    `Headers` sends a header twice: `Request(headers=Headers([("x-a", "1"), ("x-a", "2")]))`.
    """

    path: str = "/"
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    trailers: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_more(self) -> bool:
        """Whether anything comes after the headers."""
        return self.body is not None or bool(self.trailers)


class Exchange(ABC):
    """A request that is under way."""

    @abstractmethod
    def send_body(self, text: str) -> None:
        """Sends a piece of a body, before what `finish` sends."""

    @abstractmethod
    def complete(self) -> None:
        """Sends what is held back of the request, once."""

    def finish(self) -> Answer:
        """Sends what is held back of the request, and returns the answer.

        Raises:
            NoAnswer: it is not complete in time.
        """
        self.complete()
        return self.answer()

    @abstractmethod
    def answer(self) -> Answer:
        """Waits for the answer and sends nothing.

        Raises:
            NoAnswer: it is not complete in time.
        """

    @abstractmethod
    def cancel(self) -> None:
        """Gives the request up, as a client that goes away does."""


class Connection(ABC):
    """A connection to a loopback port. Use as a context manager: leaving it closes it."""

    def __init__(self, port: int, timeout_s: float, tls: SSLContext | None = None) -> None:
        """Connects.

        Args:
            port: on loopback.
            timeout_s: how long one answer may take, or one send.
            tls: speaks TLS if it is given.

        Raises:
            ConnectionError: no one accepts it.
            ssl.SSLError: there is no agreement on TLS.
            TimeoutError: either takes too long.
        """
        self.timeout_s = timeout_s
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket)  # closes it if that fails

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes it, whatever is under way."""
        self._socket.close()

    @abstractmethod
    def begin(self, request: Request) -> Exchange:
        """Sends the headers of a request, and holds back what comes after them."""

    def send(self, request: Request) -> Exchange:
        """Sends a whole request, and does not wait for its answer."""
        exchange = self.begin(request)
        exchange.complete()
        return exchange

    def request(self, request: Request) -> Answer:
        """Sends a whole request, and returns its answer.

        Raises:
            NoAnswer: it is not complete in time.
        """
        return self.send(request).answer()

    @property
    @abstractmethod
    def takes_more(self) -> bool:
        """Whether a request can begin now, after what has been sent and answered so far."""

    def look_if_open(self) -> bool:
        """Returns whether the other side has left it open so far, or something is there that was not taken off it yet."""
        if self._socket.fileno() < 0:
            return False
        self._socket.setblocking(False)
        try:
            return bool(self._socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            self._socket.settimeout(self.timeout_s)

    def _deadline(self) -> float:
        """Returns when what begins now is overdue, on the clock `time.monotonic`."""
        return time.monotonic() + self.timeout_s

    def _read(self, deadline: float, what: str) -> bytes:
        """Returns the next bytes; none at the end of the connection.

        Raises:
            NoAnswer: none come before the deadline.
            ConnectionError: the connection was cut.
        """
        left = deadline - time.monotonic()
        if left <= 0:
            raise NoAnswer(what)
        self._socket.settimeout(left)
        try:
            with waiting(self.timeout_s):
                return self._socket.recv(_READ_BYTES)
        except TimeoutError:
            raise NoAnswer(what) from None
        finally:
            self._socket.settimeout(self.timeout_s)


BODY_LIMIT_BYTES: Final = 4 << 20
"""More than any answer of a case has; a module may send a body without end."""
TOO_LONG: Final = f"its body is longer than {BODY_LIMIT_BYTES >> 20} MiB"


def cut(problem: object, status: int | None, headers: Mapping[str, str], body: bytes | bytearray) -> Answer:
    """Returns what is left of an answer whose connection ended before it was complete.

    Args:
        problem: what ended it, in words or as an exception.
        status: the HTTP status, if it came.
        headers: those that came.
        body: the bytes that came.
    """
    return Answer(None, Headers(headers), body.decode(errors="replace"), f"connection cut: {problem}", status_so_far=status)
