"""A client that asks one listener again and again while something else happens."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Final

from harness.run import client
from harness.timeouts import REQUEST_S

MOST_REQUESTS: Final = 20_000
"""Where it ends if nobody stops it."""


class Load:
    """What the client has seen so far. An answer is a status; text says why there was none."""

    def __init__(self, port: int) -> None:
        self.answers: Counter[int | str] = Counter()
        self.turns: list[int | str] = []  # the answers without those that are the same as the one before
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(port,), name="load", daemon=True)
        self._thread.start()

    @property
    def total(self) -> int:
        """How many requests have ended."""
        return sum(self.answers.copy().values())

    @property
    def latest(self) -> int | str | None:
        """What the latest request saw."""
        return self.turns[-1] if self.turns else None

    def stop(self) -> None:
        """Ends it after the request that is under way."""
        self._stopped.set()
        self._thread.join()

    def _run(self, port: int) -> None:
        for _ in range(MOST_REQUESTS):
            if self._stopped.is_set():
                return
            seen = self._ask(port)
            self.answers[seen] += 1
            if self.latest != seen:
                self.turns.append(seen)

    def _ask(self, port: int) -> int | str:
        try:
            answer = client.exchange(port, "GET", "/", {}, None, REQUEST_S)
        except client.NoAnswer as error:
            return str(error)
        return answer.problem if answer.status is None else answer.status


@contextlib.contextmanager
def load(port: int) -> Iterator[Load]:
    """A client that asks a loopback port until the end of the block, each time over a connection of its own."""
    seen = Load(port)
    try:
        yield seen
    finally:
        seen.stop()
