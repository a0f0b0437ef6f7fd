"""The server behind the Envoys: it answers with what it received, as JSON, in the way that the path asks for after its `?`.

`status=503`, `size=1000` (a body of that many bytes), `trailers`, `cut` (the connection ends in the middle of the body). What a
path asks to `hold` back is not held back here.
"""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from io import BufferedIOBase
from urllib.parse import parse_qs, urlsplit

_LINE_BYTES = 1 << 16


class _Talk(socketserver.StreamRequestHandler):
    """One connection."""

    def handle(self) -> None:
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError, ValueError):  # clients go as they like
            while self._answers_one():
                pass

    def _answers_one(self) -> bool:
        source = self.rfile
        words = read_line(source).split(" ")
        if len(words) < 3:
            return False
        method, target = words[0], urlsplit(words[1])
        headers = read_headers(source)
        body, trailers = read_body(source, headers)
        text = body.decode(errors="replace")
        seen = {"method": method, "path": target.path, "headers": headers, "body": text, "trailers": trailers}
        asked = parse_qs(target.query, keep_blank_values=True)
        status = int(asked.get("status", ["200"])[0])
        content = b"x" * int(asked["size"][0]) if "size" in asked else json.dumps(seen).encode()
        ends = "transfer-encoding: chunked" if "trailers" in asked else f"content-length: {len(content)}"
        head = f"HTTP/1.1 {status} as asked\r\ncontent-type: application/json\r\n{ends}\r\n\r\n".encode()
        if "cut" in asked:
            self.wfile.write(head + content[: len(content) // 2])
            return False
        if "trailers" in asked:
            chunk = b"%x\r\n%s\r\n" % (len(content), content) if method != "HEAD" and content else b""
            self.wfile.write(head + chunk + b"0\r\nx-upstream-trailer: yes\r\n\r\n")
        else:
            self.wfile.write(head if method == "HEAD" else head + content)
        return headers.get("connection", "").lower() != "close"


def read_line(source: BufferedIOBase) -> str:
    """The next line without its end; empty at the end of the connection."""
    line = source.readline(_LINE_BYTES)
    return line.decode("latin-1").rstrip("\r\n")


def read_headers(source: BufferedIOBase) -> dict[str, str]:
    """Headers up to an empty line; names in lower case."""
    headers: dict[str, str] = {}
    while True:
        line = read_line(source)
        if not line:
            return headers
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()


def read_body(source: BufferedIOBase, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    """A body and the trailers after it; ValueError where the client has gone."""
    if headers.get("transfer-encoding", "").lower() != "chunked":
        size = int(headers.get("content-length", "0"))
        body = source.read(size)
        if len(body) < size:
            raise ValueError("the client has gone")
        return body, {}
    pieces: list[bytes] = []
    while True:
        line = read_line(source)
        if not line:
            raise ValueError("the client has gone")
        size = int(line.partition(";")[0], 16)
        if size == 0:
            return b"".join(pieces), read_headers(source)
        pieces.append(source.read(size))
        read_line(source)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


@contextlib.contextmanager
def upstream() -> Iterator[int]:
    """Serves on a loopback port of the kernel's choice, which it gives."""
    with _Server(("127.0.0.1", 0), _Talk) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
