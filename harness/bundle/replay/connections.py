"""The connections of the clients: requests that shared one share one again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .answer import Answer
from .http1 import Http1

REQUEST_S = 20.0
OVERDUE_S = 5.0  # for a request that was not answered in time when it was recorded


class _Connection(Protocol):
    def act(self, number: int, act: str, request: Mapping[str, Any], text: str) -> None: ...

    def answer(self, number: int) -> Answer: ...

    def close(self) -> None: ...


def _connect(protocol: str, port: int, timeout_s: float) -> _Connection:
    if protocol == "HTTP/2":
        from .http2 import Http2  # only archives with such requests have what it needs

        return Http2(port, timeout_s)
    return Http1(port, timeout_s)


class Connections:
    """Connections that are open, by Envoy and number; one is closed after its last request."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], _Connection] = {}

    def is_open(self, step: Mapping[str, Any]) -> bool:
        """Whether the connection of a step is there already."""
        return (step["envoy"], step["connection"]) in self._open

    def _of(self, port: int, step: Mapping[str, Any]) -> _Connection:
        key = (step["envoy"], step["connection"])
        if key not in self._open:
            self._open[key] = _connect(step["protocol"], port, REQUEST_S)
        return self._open[key]

    def _used(self, step: Mapping[str, Any]) -> None:
        if step["last"]:
            self._open.pop((step["envoy"], step["connection"])).close()

    def act(self, port: int, step: Mapping[str, Any]) -> None:
        """Does for a request what the step says."""
        self._of(port, step).act(step["number"], step["act"], step["request"], step["text"])
        self._used(step)

    def ask(self, port: int, step: Mapping[str, Any]) -> Answer:
        """Gives the answer of a request; connection 0: sends it before, on a connection of its own.

        Raises:
            NoAnswer: it is not complete in time.
        """
        if step["connection"] == 0:
            connection = Http1(port, OVERDUE_S if isinstance(step["answer"], str) else REQUEST_S)
            try:
                return connection.ask(step["request"], own=True)
            finally:
                connection.close()
        try:
            return self._of(port, step).answer(step["number"])
        finally:
            self._used(step)

    def close(self) -> None:
        """Closes all."""
        for one in self._open.values():
            one.close()
        self._open.clear()
