"""A client's connection that is watched: what becomes of it shows the Envoy's health, and is kept as evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dmconform.core.timeouts import REQUEST_S
from dmconform.envoy.client import Answer, End, NoAnswer
from dmconform.envoy.connection import Act, Connection, Exchange, Protocol, Request
from dmconform.envoy.http1 import Http1Connection
from dmconform.envoy.http2 import Http2Connection

if TYPE_CHECKING:
    from typing import Self


@dataclass(frozen=True)
class Watch:
    """What is done with what a client sees."""

    act: Callable[[int, Act, Request, str], None]  # notes what is about to be done for the request of this number
    note: Callable[[int, Request, Answer | str], None]  # keeps the answer
    overdue: Callable[[Request, str], Exception]  # what to raise where no answer came in time
    look_after: Callable[[Request], None]  # called after an answer that ended early; raises if the Envoy has ended
    closes: Callable[[], None]  # notes that the client is about to close its connection


def connect(protocol: Protocol, port: int, timeout_s: float | None = None) -> Connection:
    """Opens a connection to a loopback port, with a bound on each wait (None: `REQUEST_S`).

    Raises:
        ConnectionError: no one accepts it.
    """
    return (Http2Connection if protocol is Protocol.HTTP2 else Http1Connection)(
        port, REQUEST_S if timeout_s is None else timeout_s
    )


class Pending:
    """A request of a watched client that is under way."""

    def __init__(self, number: int, request: Request, exchange: Exchange, watch: Watch) -> None:
        """Remembers the request.

        Args:
            number: of the request on its connection, from 1 on.
            request: as it was asked for.
            exchange: the connection's part of it.
            watch: is shown what is sent and answered.
        """
        self.request = request
        self._number = number
        self._exchange = exchange
        self._watch = watch

    def send_body(self, text: str) -> None:
        """Sends a piece of a body, before what `finish` sends. With HTTP/1.1 only for a request with trailers."""
        self._watch.act(self._number, Act.PIECE, self.request, text)
        self._exchange.send_body(text)

    def finish(self) -> Answer:
        """Sends what is held back of the request, and returns the answer."""
        self._watch.act(self._number, Act.COMPLETE, self.request, "")
        return self._reported(self._exchange.finish)

    def answer(self) -> Answer:
        """Waits for the answer and sends nothing."""
        return self._reported(self._exchange.answer)

    def cancel(self) -> None:
        """Gives the request up. HTTP/2: its stream is reset with CANCEL; HTTP/1.1: the connection is closed."""
        self._watch.act(self._number, Act.CANCEL, self.request, "")
        self._exchange.cancel()

    def _reported(self, ask: Callable[[], Answer]) -> Answer:
        try:
            answer = ask()
        except NoAnswer as error:
            self._watch.note(self._number, self.request, str(error))
            raise self._watch.overdue(self.request, str(error)) from None
        self._watch.note(self._number, self.request, answer)
        if answer.end is not End.COMPLETE:
            # A crash shows as a cut connection first, and writing its backtrace takes a moment: a living one answers.
            self._watch.look_after(self.request)
        return answer


class Client:
    """A watched connection. Use as a context manager."""

    def __init__(self, protocol: Protocol, port: int, watch: Watch, timeout_s: float | None = None) -> None:
        """Opens the connection.

        Args:
            protocol: what it speaks.
            port: on loopback.
            watch: is shown what is sent and answered.
            timeout_s: how long an answer may take; None for the default of `connect`.
        """
        self._connection = connect(protocol, port, timeout_s)
        self._watch = watch
        self._requests = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.closes()
        self._connection.close()

    def begin(self, request: Request) -> Pending:
        """Sends the headers of a request, and holds back what comes after them.

        HTTP/2: any number at once. HTTP/1.1: one after another, AssertionError otherwise.
        """
        number = self._acts(Act.BEGIN, request)
        return Pending(number, request, self._connection.begin(request), self._watch)

    def send(self, request: Request) -> Pending:
        """Sends a whole request, and does not wait for its answer."""
        number = self._acts(Act.SEND, request)
        return Pending(number, request, self._connection.send(request), self._watch)

    def _acts(self, act: Act, request: Request) -> int:
        """Notes a new request; returns its number, from 1 on."""
        self._requests += 1
        self._watch.act(self._requests, act, request, "")
        return self._requests

    def request(self, request: Request) -> Answer:
        """Sends a whole request, and returns its answer."""
        return self.send(request).answer()

    def look_if_open(self) -> bool:
        """Returns whether the other side has left the connection open so far."""
        return self._connection.look_if_open()
