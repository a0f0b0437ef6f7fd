"""A real HTTP server from which hosts fetch modules: it answers as a case says, well or badly, and counts."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from dmconform.core.timeouts import SOURCE_HELD_S
from dmconform.envoy.http_server import Talk, serving
from dmconform.envoy.observer import UNOBSERVED, Observer


class Manner(Enum):
    """How a reply is sent."""

    WHOLE = "at once"
    CUT = "half of it, then the connection ends"
    HELD = "not before it is let go"
    HALF = "half of it, and the rest not before it is let go"


@dataclass(frozen=True)
class Reply:
    """An answer to one fetch."""

    body: bytes = b""
    status: int = 200
    manner: Manner = Manner.WHOLE
    padding: int = 0  # how many zero bytes follow the body


class SourceServer:
    """What a server offers, and what was asked of it. Paths begin with a slash."""

    def __init__(self, observer: Observer = UNOBSERVED) -> None:
        self.port = 0
        self._observer = observer
        self._replies: dict[str, list[Reply]] = {}
        self._fetches: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._let_go = threading.Event()

    def offer(self, path: str, *replies: Reply) -> None:
        """Answers the fetches of a path by these, one after another; the last one stays."""
        if self._observer is not UNOBSERVED:
            whole = [(one.status, one.manner.name, one.body + bytes(one.padding)) for one in replies]
            self._observer.offer(self.port, path, whole)
        with self._lock:
            self._replies[path] = list(replies)

    def count_fetches(self, path: str) -> int:
        """Returns how often a path was asked for; an archive notes that this is not compared."""
        self._observer.note_unreplayed("how often its server was asked")
        with self._lock:
            return self._fetches[path]

    def let_go(self) -> None:
        """Sends the replies that are held, and holds none from now on."""
        self._observer.let_go(self.port)
        self._let_go.set()

    def answers(self, talk: Talk) -> None:
        """Takes a request and answers it."""
        head = talk.head()
        # A body in chunks may be held back until the answer is there.
        if not head.in_chunks:
            talk.rest()
        with self._lock:
            self._fetches[head.path] += 1
            replies = self._replies.get(head.path, [Reply(status=404)])
            reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if reply.manner is Manner.HELD:
            self._let_go.wait(SOURCE_HELD_S)
        halfway = (lambda: self._let_go.wait(SOURCE_HELD_S)) if reply.manner is Manner.HALF else None
        talk.answer(reply.status, reply.body, cut=reply.manner is Manner.CUT, padding=reply.padding, halfway=halfway)
        if head.in_chunks:
            talk.rest()


@contextlib.contextmanager
def source_server(observer: Observer = UNOBSERVED) -> Iterator[SourceServer]:
    """Serves on a loopback port of the kernel's choice. A case uses `Cell.source_server`, which has the cell's observer."""
    source = SourceServer(observer)
    with serving(source.answers, source.let_go) as source.port:
        yield source


@contextlib.contextmanager
def refusing_port() -> Iterator[int]:
    """Yields a loopback port that refuses connections: it is taken, and nothing listens there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
