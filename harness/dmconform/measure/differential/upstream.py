"""The server behind the Envoys of a differential test: it answers everything alike, in one piece, and any number at once.

An answer in two pieces would be one or two events in an Envoy, as it happens. Some calls leave requests unfinished, which must
not keep others waiting.
"""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from typing import Final

_BODY: Final = b"an answer"
_ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: " + str(len(_BODY)).encode() + b"\r\n\r\n" + _BODY
)
TRAILERS_PATH: Final = "/trailers"
"""Requests below this path are read in chunks and answered with trailers."""
TRAILERS_HEADER: Final = "x-dmconform-trailers"
"""Requests with it are answered like those below that path."""
LARGE_PATH: Final = "/large"
"""Requests for it are answered with a large body."""
LARGE_BYTES: Final = 600_000
_LARGE_ANSWER: Final = b"HTTP/1.1 200 OK\r\ncontent-length: " + str(LARGE_BYTES).encode() + b"\r\n\r\n" + b"x" * LARGE_BYTES
_ANSWER_WITH_TRAILERS: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\ntrailer: x-end\r\n\r\n"
    b"9\r\nan answer\r\n0\r\nx-end: 1\r\n\r\n"
)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answers, once the body is there. One whose length is not announced is not waited for."""
        if self.path.startswith(TRAILERS_PATH) or TRAILERS_HEADER in self.headers:
            self._read_chunks()
            self.wfile.write(_ANSWER_WITH_TRAILERS)
            return
        self.rfile.read(int(self.headers.get("content-length", "0")))
        self.close_connection |= "transfer-encoding" in self.headers
        self.wfile.write(_LARGE_ANSWER if self.path == LARGE_PATH else _ANSWER)

    do_POST = do_GET

    def _read_chunks(self) -> None:
        if "transfer-encoding" not in self.headers:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            return
        while size := int(self.rfile.readline().strip() or b"0", 16):
            self.rfile.read(size + len(b"\r\n"))
        while self.rfile.readline().strip():
            pass

    def log_message(self, *_: object) -> None:
        """Logs nothing: requests may be garbage."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Reports nothing: Envoys that end cut their connections."""


@contextlib.contextmanager
def observing_server() -> Iterator[int]:
    """Serves on a loopback port of the kernel's choice, and yields the port."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="differential test's upstream", daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
