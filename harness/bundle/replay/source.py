"""A server of the case's own: it answers the paths that were offered, one reply after another; the last one stays."""

from __future__ import annotations

import contextlib
import http.server
import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.timeouts import SOURCE_HELD_S


class Source:
    """What a server offers."""

    def __init__(self) -> None:
        self.port = 0
        self._replies: dict[str, list[Mapping[str, Any]]] = {}
        self._lock = threading.Lock()
        self._let_go = threading.Event()

    def offer(self, path: str, replies: Sequence[Mapping[str, Any]]) -> None:
        """Answers a path by these; each has `status`, `manner` and `body`."""
        with self._lock:
            self._replies[path] = list(replies)

    def let_go(self) -> None:
        """Sends what is held, and holds nothing from now on."""
        self._let_go.set()

    def reply(self, path: str) -> Mapping[str, Any]:
        """The next reply of a path."""
        with self._lock:
            replies = self._replies.get(path, [{"status": 404, "manner": "WHOLE", "body": b""}])
            reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if reply["manner"] == "HELD":
            self._let_go.wait(SOURCE_HELD_S)
        return reply


class _Talk(http.server.BaseHTTPRequestHandler):
    """One connection."""

    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answers a request."""
        # A body in chunks may be held back until the answer is there: such a connection is not used again.
        if "chunked" in self.headers.get("transfer-encoding", ""):
            self.close_connection = True
        self.rfile.read(int(self.headers.get("content-length", "0")))
        reply = self.server.source.reply(self.path.partition("?")[0])
        body = reply["body"]
        head = f"HTTP/1.1 {reply['status']} as asked\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        if reply["manner"] == "CUT":
            self.close_connection = True
            body = body[: len(body) // 2]
        with contextlib.suppress(OSError):  # clients go as they like
            self.wfile.write(head + body)

    do_POST = do_GET

    def log_message(self, format: str, *_: object) -> None:
        """Nothing: what comes of it shows elsewhere."""


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, source: Source) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.source = source

    def handle_error(self, *_: object) -> None:
        """Nothing: clients go as they like."""


@contextlib.contextmanager
def source_server() -> Iterator[Source]:
    """Serves on a loopback port of the kernel's choice."""
    source = Source()
    with _Server(source) as server:
        source.port = int(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield source
        finally:
            source.let_go()
            server.shutdown()
            thread.join()
