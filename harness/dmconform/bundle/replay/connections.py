"""The connections of the clients: requests that shared one share one again, and it is closed where the case closed it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import h2.exceptions
import h11

from dmconform.bundle.replay.answer import Seen
from dmconform.core.waiting import bounded
from dmconform.envoy.client import Answer, NoAnswer
from dmconform.envoy.connected import connect
from dmconform.envoy.connection import Connection, Exchange, Protocol, Request
from dmconform.envoy.headers import Headers
from dmconform.envoy.http1 import exchange

REQUEST_S = 20.0
"""How long an answer may take that came in time when it was recorded: longer than there, as this machine may be slower."""

# What a client runs into where the other side does not do as it did.
_BROKEN = (OSError, AssertionError, h11.ProtocolError, h2.exceptions.H2Error)


class Connections:
    """Connections that are open, by Envoy and number."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], Connection | None] = {}
        self._ports: dict[tuple[int, int], int] = {}
        self._exchanges: dict[tuple[int, int, int], Exchange] = {}

    def is_open(self, step: Mapping[str, Any]) -> bool:
        """Returns whether the connection of a step is there already."""
        return (step["envoy"], step["connection"]) in self._open

    def act(self, port: int, step: Mapping[str, Any]) -> None:
        """Does for a request what the step says; where that fails, its answer will be that the connection was cut."""
        place, number = (step["envoy"], step["connection"]), (step["envoy"], step["connection"], step["number"])
        try:
            if not self.is_open(step):
                self._open[place], self._ports[place] = None, port
                self._open[place] = connect(Protocol(step["protocol"]), port, REQUEST_S)
            connection = self._open[place]
            if connection is None:
                return
            if step["act"] in ("begin", "send"):
                if step["protocol"] == Protocol.HTTP1.value and not connection.takes_more:
                    connection.close()  # the answer before announced that it is the last one here
                    connection = self._open[place] = connect(Protocol.HTTP1, self._ports[place], REQUEST_S)
                self._exchanges[number] = connection.begin(_request(step["request"]))
            exchange = self._exchanges[number]
            actions: Mapping[str, Callable[[], None]] = {
                "begin": lambda: None,
                "send": exchange.complete,
                "complete": exchange.complete,
                "piece": lambda: exchange.send_body(step["text"]),
                "cancel": exchange.cancel,
            }
            actions[step["act"]]()
        except (*_BROKEN, KeyError, NoAnswer):
            self._exchanges.pop(number, None)

    def ask(self, port: int, step: Mapping[str, Any]) -> Seen:
        """Returns the answer of a request; connection 0: sends it before, on a separate connection."""
        request, nothing_came = step["request"], isinstance(step["answer"], str)
        timeout_s = step["timeout_s"] if nothing_came else REQUEST_S
        try:
            if step["connection"] == 0:
                with bounded(timeout_s, NoAnswer("no complete answer in time")):  # also one that goes on and on
                    return exchange(port, _request(request), timeout_s)
            under_way = self._exchanges.get((step["envoy"], step["connection"], step["number"]))
            connection = self._open.get((step["envoy"], step["connection"]))
            if under_way is None or connection is None:
                return Answer(None)
            connection.timeout_s = timeout_s
            return under_way.answer()
        except NoAnswer as problem:
            return str(problem)
        except _BROKEN:
            return Answer(None)

    def close(self, step: Mapping[str, Any]) -> None:
        """Closes the connection of a step."""
        connection = self._open.pop((step["envoy"], step["connection"]), None)
        if connection is not None:
            connection.close()

    def close_all(self) -> None:
        """Closes those that are open."""
        for one in self._open.values():
            if one is not None:
                one.close()
        self._open.clear()


def _request(record: Mapping[str, Any]) -> Request:
    """Reads a request that was recorded."""
    headers, trailers = Headers(record["headers"]), Headers(record.get("trailers", ()))
    return Request(**{**record, "headers": headers, "trailers": trailers})
