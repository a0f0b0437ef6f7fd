"""What clients see, and an HTTP/1.1 client that tells an answer from a connection that was cut."""

from __future__ import annotations

import enum
import http.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dmconform.core.waiting import waiting
from dmconform.envoy.headers import Headers, pairs_of


class End(enum.Enum):
    """How an answer ended."""

    COMPLETE = "complete"
    RESET = "its stream was reset"  # HTTP/2 only: the connection goes on
    CUT = "its connection was cut"


@dataclass(frozen=True)
class Answer:
    """What the client saw: a response, or (status None) a stream or a connection that ended before one was complete."""

    status: int | None
    headers: Headers = field(default_factory=Headers)  # lower-case names
    body: str = ""
    problem: str = ""
    trailers: Headers = field(default_factory=Headers)
    reset: str | None = None  # the error code with which the stream was reset, such as INTERNAL_ERROR
    status_so_far: int | None = None  # of a response that began and did not end

    def record(self) -> dict[str, object]:
        """Returns the fields as JSON can hold them; headers and trailers are lists of pairs."""
        return {**vars(self), "headers": self.headers.pairs, "trailers": self.trailers.pairs}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Answer:
        """Returns the answer of which `record` was made."""
        return cls(**{**record, "headers": Headers(record["headers"]), "trailers": Headers(record["trailers"])})

    @property
    def end(self) -> End:
        """How it ended."""
        if self.status is not None:
            return End.COMPLETE
        return End.CUT if self.reset is None else End.RESET

    @property
    def was_cut(self) -> bool:
        """Whether the connection ended before a complete response."""
        return self.end is End.CUT

    @property
    def was_reset(self) -> bool:
        """Whether the stream was reset before a complete response."""
        return self.end is End.RESET

    @property
    def summary(self) -> str:
        """The answer in a few words, without what it holds."""
        if self.status is not None:
            return f"status {self.status}"
        began = "" if self.status_so_far is None else f" after status {self.status_so_far}"
        return f"connection cut{began}" if self.reset is None else f"stream reset with {self.reset}{began}"


class NoAnswer(Exception):
    """Nothing came in time."""


def exchange(
    port: int,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes | None,
    timeout_s: float,
) -> Answer:
    """Sends one request to a loopback port over a connection of its own.

    Raises:
        NoAnswer: the answer is not complete after `timeout_s` seconds without a byte.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        _send(connection, method, path, headers, body)
    except (ConnectionError, TimeoutError) as error:
        connection.close()
        return Answer(None, problem=f"{type(error).__name__}: {error}")
    with waiting(timeout_s):
        return _answer(connection)


def _send(
    connection: http.client.HTTPConnection, method: str, path: str, headers: Mapping[str, str], body: bytes | None
) -> None:
    """Sends a request as `HTTPConnection.request` does, which takes no header twice."""
    names = {name.lower() for name in headers}
    connection.putrequest(method, path, skip_host="host" in names, skip_accept_encoding="accept-encoding" in names)
    for name, value in pairs_of(headers):
        connection.putheader(name, value)
    if names.isdisjoint(("content-length", "transfer-encoding")) and (body is not None or method in ("PATCH", "POST", "PUT")):
        connection.putheader("content-length", str(len(body or b"")))
    connection.endheaders(body)


def _answer(connection: http.client.HTTPConnection) -> Answer:
    status: int | None = None
    try:
        response = connection.getresponse()
        status = response.status
        content = response.read()
        return Answer(
            response.status,
            Headers((name.lower(), value) for name, value in response.getheaders()),
            content.decode(errors="replace"),
        )
    except TimeoutError:
        raise NoAnswer(f"no complete answer in time (status so far: {status})") from None
    except (ConnectionError, http.client.HTTPException) as error:
        so_far = f" after status {status}" if status is not None else ""
        return Answer(None, problem=f"{type(error).__name__}: {error}{so_far}", status_so_far=status)
    finally:
        connection.close()
