"""An HTTP/1.1 client on a socket of its own: bounded waits, chunks and trailers, and an end that is cut is no answer."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Mapping
from typing import Any

from .answer import Answer, NoAnswer

_READ_BYTES = 1 << 16
_NO_BODY = frozenset((204, 304))


class _Cut(Exception):
    """The connection ended."""


class Http1:
    """One connection to a loopback port."""

    def __init__(self, port: int, timeout_s: float) -> None:
        self._port = port
        self._timeout_s = timeout_s
        self._buffer = b""
        self._method = "GET"
        self._socket: socket.socket | None = None

    def close(self) -> None:
        """Closes it."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ask(self, request: Mapping[str, Any], own: bool) -> Answer:
        """Sends a request and gives the answer; `own`: on a connection for this request, as `http.client` would write it.

        Raises:
            NoAnswer: it is not complete in time.
        """
        self._send(b"".join(_encoded(request, self._port, own)))
        self._method = request["method"]
        return self.answer(0)

    def act(self, number: int, act: str, request: Mapping[str, Any], text: str) -> None:
        """Does something for the request of a number; one comes after another."""
        head, rest = _encoded(request, self._port, own=False)
        if act in ("begin", "send"):
            self._method = request["method"]
            self._send(head if act == "begin" else head + rest)
        elif act == "complete":
            self._send(rest)
        elif act == "piece":
            self._send(_chunk(text.encode()))
        else:
            self.close()

    def _send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # an answer may have come before
            if self._socket is None:
                self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=self._timeout_s)
                self._buffer = b""
            self._socket.settimeout(self._timeout_s)
            self._socket.sendall(data)

    def answer(self, number: int) -> Answer:
        """Waits for the answer to the request that was sent last.

        Raises:
            NoAnswer: it is not complete in time.
        """
        if self._socket is None:
            return Answer(None)
        try:
            return self._answer(self._method, time.monotonic() + self._timeout_s)
        except (_Cut, OSError, ValueError):
            self.close()
            return Answer(None)

    def _more(self, deadline: float) -> bytes:
        assert self._socket is not None
        left = deadline - time.monotonic()
        if left <= 0:
            raise NoAnswer("no complete answer in time")
        self._socket.settimeout(left)
        try:
            return self._socket.recv(_READ_BYTES)
        except socket.timeout:  # noqa: UP041 (another exception before Python 3.10)
            raise NoAnswer("no complete answer in time") from None

    def _line(self, deadline: float) -> str:
        while b"\r\n" not in self._buffer:
            data = self._more(deadline)
            if not data:
                raise _Cut
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line.decode("latin-1")

    def _bytes(self, count: int, deadline: float) -> bytes:
        while len(self._buffer) < count:
            data = self._more(deadline)
            if not data:
                raise _Cut
            self._buffer += data
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _headers(self, deadline: float) -> dict[str, str]:
        headers: dict[str, str] = {}
        while True:
            line = self._line(deadline)
            if not line:
                return headers
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()

    def _answer(self, method: str, deadline: float) -> Answer:
        status = 100
        while 100 <= status < 200:
            status = int(self._line(deadline).split(" ")[1])
            headers = self._headers(deadline)
        trailers: dict[str, str] = {}
        body = b""
        if method == "HEAD" or status in _NO_BODY:
            pass
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            while True:
                size = int(self._line(deadline).partition(";")[0], 16)
                if size == 0:
                    break
                body += self._bytes(size, deadline)
                self._line(deadline)
            trailers = self._headers(deadline)
        elif "content-length" in headers:
            body = self._bytes(int(headers["content-length"]), deadline)
        else:
            body, self._buffer = self._buffer, b""
            while True:
                data = self._more(deadline)
                if not data:
                    break
                body += data
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(status, headers, body.decode(errors="replace"), trailers)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data) if data else b""


def _encoded(request: Mapping[str, Any], port: int, own: bool) -> tuple[bytes, bytes]:
    """A request as bytes: its head and the rest."""
    body = None if request["body"] is None else request["body"].encode()
    trailers = request.get("trailers") or {}
    sent = {name.lower() for name in request["headers"]}
    headers: list[tuple[str, str]] = []
    if "host" not in sent:
        headers.append(("Host", f"127.0.0.1:{port}" if own else "dmconform"))
    if own and "accept-encoding" not in sent:
        headers.append(("Accept-Encoding", "identity"))
    chunked = bool(trailers)
    if chunked:
        headers.append(("Transfer-Encoding", "chunked"))
    elif body is not None and not sent & {"content-length", "transfer-encoding"}:
        headers.append(("Content-Length", str(len(body))))
    elif body is None and own and request["method"] in ("PATCH", "POST", "PUT") and "content-length" not in sent:
        headers.append(("Content-Length", "0"))
    headers += list(request["headers"].items())
    lines = [f"{request['method']} {request['path']} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    head = "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n"
    if not chunked:
        return head, body or b""
    return head, _chunk(body or b"") + b"0\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in trailers.items()
    ).encode() + b"\r\n"
