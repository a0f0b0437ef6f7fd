"""A real HTTP/1.1 server behind the Envoys: it answers with what it received, as JSON, in the way that the path asks for."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs

from dmconform.core.timeouts import SOURCE_HELD_S
from dmconform.envoy.headers import Headers
from dmconform.envoy.http_server import Head, Talk, serving
from dmconform.envoy.observer import UNOBSERVED, Observer

TRAILER: Final = "x-upstream-trailer"
"""The trailer of answers for which a path asks with `?trailers`; its value is `yes`."""
_FAILED: Final = 503


@dataclass(frozen=True)
class Received:
    """A request as the upstream server saw it; header names in lower case, the path without what follows a `?`."""

    method: str
    path: str
    headers: Headers
    body: str
    trailers: Headers = field(default_factory=Headers)

    def to_json(self) -> str:
        """Returns what the server answers; headers and trailers are lists of pairs."""
        return json.dumps({**vars(self), "headers": self.headers.pairs, "trailers": self.trailers.pairs})

    @classmethod
    def from_json(cls, text: str) -> Received:
        """Reads what the server answered.

        Raises:
            AssertionError: it is not an answer of this server: something on the way has garbled it.
        """
        try:
            data = json.loads(text)
            headers, trailers = Headers(data["headers"]), Headers(data["trailers"])
            return cls(data["method"], data["path"], headers, data["body"], trailers)
        except (ValueError, KeyError, TypeError):
            raise AssertionError(f"expected an answer of the upstream server, saw {text[:200]!r}") from None


@dataclass(frozen=True)
class _Manner:
    """How a path asks for an answer, after its `?`, in words joined by `&`, such as `hold`, `cut`, `status=503`."""

    hold: bool  # not before `let_go` is called
    trailers: bool
    cut: bool  # the connection ends in the middle of the body
    status: int
    size: int | None  # a body of that many bytes in the place of the JSON
    echo: str | None  # the request's headers of this name come back, as often as they were sent
    mirror: bool  # the request's body in the place of the JSON, as text
    spelled: bool  # the names of the request's headers as they came, in the place of the JSON: one in a line
    fails: int  # so many requests for the path are answered with 503 first
    grpc: str | None  # an answer of gRPC with this status in its trailers

    @classmethod
    def of(cls, query: str) -> _Manner:
        asked = parse_qs(query, keep_blank_values=True)
        size = int(asked["size"][0]) if "size" in asked else None
        status, echo = int(asked.get("status", ["200"])[0]), asked.get("echo", [None])[0]
        hold, trailers, cut, mirror, spelled = (one in asked for one in ("hold", "trailers", "cut", "mirror", "spelled"))
        fails, grpc = int(asked.get("fails", ["0"])[0]), asked.get("grpc", [None])[0]
        return cls(hold, trailers, cut, status, size, echo, mirror, spelled, fails, grpc)

    def content(self, head: Head, body: bytes, received: Received) -> bytes:
        """Returns the body of the answer to a request with this head and body."""
        if self.mirror:
            return body
        if self.spelled:
            return "\n".join(head.spelled).encode()
        return received.to_json().encode() if self.size is None else b"x" * self.size


class Upstream:
    """What the server has received, and how it goes on with what it holds."""

    def __init__(self, observer: Observer = UNOBSERVED, *, keeps: bool = True) -> None:
        self.port = 0
        self._observer = observer
        self._keeps = keeps
        self._lock = threading.Lock()
        self._begun: Counter[str] = Counter()
        self._received: list[Received] = []
        self._let_go = threading.Event()

    def count_begun(self, path: str) -> int:
        """Returns how many requests for a path have come, whole or not; an archive notes that this is not compared."""
        self._observer.note_unreplayed("what the upstream server received")
        with self._lock:
            return self._begun[path]

    def read_received(self, path: str) -> list[Received]:
        """Returns the whole requests for a path in their order; an archive notes that they are not compared."""
        self._observer.note_unreplayed("what the upstream server received")
        with self._lock:
            return [one for one in self._received if one.path == path]

    def let_go(self) -> None:
        """Sends the answers that are held, and holds none from now on."""
        self._let_go.set()

    def answers(self, talk: Talk) -> None:
        """Takes a request and answers it."""
        head = talk.head()
        with self._lock:
            self._begun[head.path] += 1
            number = self._begun[head.path]
        rest = talk.rest()
        received = Received(head.method, head.path, head.headers, rest.body.decode(errors="replace"), rest.trailers)
        if self._keeps:
            with self._lock:
                self._received.append(received)
        manner = _Manner.of(head.query)
        if manner.hold:
            self._let_go.wait(SOURCE_HELD_S)
        content = manner.content(head, rest.body, received)
        echoed = [(name, value) for name, value in received.headers.pairs if name == manner.echo]
        trailers = {TRAILER: "yes"} if manner.trailers else {}
        if manner.grpc is not None:
            echoed.append(("content-type", "application/grpc"))
            trailers |= {"grpc-status": manner.grpc}
        elif manner.mirror:
            echoed.append(("content-type", "text/plain"))
        status = _FAILED if number <= manner.fails else manner.status
        talk.answer(status, content, headers=echoed, trailers=trailers, cut=manner.cut)


@contextlib.contextmanager
def upstream(observer: Observer = UNOBSERVED, *, keeps: bool = True) -> Iterator[Upstream]:
    """Serves on a loopback port of the kernel's choice. A case uses `Cell.upstream`, which has the cell's observer.

    Without `keeps`, what was received is answered and forgotten.
    """
    state = Upstream(observer, keeps=keeps)
    with serving(state.answers, state.let_go) as state.port:
        yield state


@contextlib.contextmanager
def upstream_server() -> Iterator[int]:
    """Serves the same, for any number of cells, and yields only the port."""
    with upstream(keeps=False) as state:
        yield state.port
