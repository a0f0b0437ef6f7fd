"""A client that asks one listener again and again while something else happens."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Final

from dmconform.core.timeouts import REQUEST_S
from dmconform.envoy.client import Answer, NoAnswer
from dmconform.envoy.connected import connect
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.http1 import exchange

MOST_REQUESTS: Final = 20_000
"""Where it ends if it is not stopped."""
AT_ONCE: Final = 4
"""How many requests share a connection of HTTP/2."""


class LoadClient:
    """A client's observations so far: of an answer its status, or a header; without an answer, text with the reason."""

    def __init__(self, port: int, shows: str | None = None, protocol: Protocol = Protocol.HTTP1) -> None:
        """Starts the client as `load` describes."""
        self.answers: Counter[int | str] = Counter()
        self.turns: list[int | str] = []  # the answers without those that are the same as the one before
        self._shows = shows
        self._protocol = protocol
        self._batch: list[int | str] = []  # answers that came together, and are not counted yet
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(port,), name="load", daemon=True)
        self._thread.start()

    @property
    def total(self) -> int:
        """The number of requests that have ended."""
        return sum(self.answers.copy().values())

    @property
    def latest(self) -> int | str | None:
        """The result of the latest request."""
        return self.turns[-1] if self.turns else None

    def stop(self) -> None:
        """Ends it after the requests that are under way."""
        self._stopped.set()
        self._thread.join()

    def _run(self, port: int) -> None:
        for _ in range(MOST_REQUESTS):
            if self._stopped.is_set() and not self._batch:
                return
            seen = self._ask(port)
            self.answers[seen] += 1
            if self.latest != seen:
                self.turns.append(seen)

    def _ask(self, port: int) -> int | str:
        """Returns what the next request sees."""
        if not self._batch:
            try:
                answers = self._exchange(port)
            except (NoAnswer, OSError) as error:
                return str(error)
            self._batch = [self._seen(answer) for answer in answers]
        return self._batch.pop(0)

    def _exchange(self, port: int) -> list[Answer]:
        """Returns the answers to the requests of one connection."""
        if self._protocol is Protocol.HTTP1:
            return [exchange(port, Request(), REQUEST_S)]
        with connect(self._protocol, port) as connection:
            under_way = [connection.send(Request()) for _ in range(AT_ONCE)]
            return [one.answer() for one in under_way]

    def _seen(self, answer: Answer) -> int | str:
        if answer.status is None:
            return answer.problem
        if self._shows is None:
            return answer.status
        return answer.headers.get(self._shows, f"status {answer.status} without {self._shows}")


@contextlib.contextmanager
def load(port: int, shows: str | None = None, protocol: Protocol = Protocol.HTTP1) -> Iterator[LoadClient]:
    """Runs a client that asks a loopback port until the end of the block, each time over a new connection.

    Args:
        port: where it asks.
        shows: the response header, in lower case, that is noted in the place of the status.
        protocol: with HTTP/2, `AT_ONCE` requests share a connection.
    """
    seen = LoadClient(port, shows, protocol)
    try:
        yield seen
    finally:
        seen.stop()
