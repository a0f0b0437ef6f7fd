"""One request over a connection of its own, with TLS and without: from servers that answer, refuse, or say nothing."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dmconform.core.timeouts import REQUEST_S
from dmconform.envoy import http1
from dmconform.envoy.client import End, NoAnswer
from dmconform.envoy.connection import TOO_LONG, Request
from dmconform.envoy.extension_points.tls import SERVER_NAME, Certificates, write_certificates
from dmconform.envoy.http1 import exchange

SOON_S = 0.3
Serve = Callable[[socket.socket], None]


@contextlib.contextmanager
def serving(serve: Serve) -> Iterator[int]:
    """The port of a server that takes one connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(REQUEST_S)

        def run() -> None:
            connection, _ = server.accept()
            connection.settimeout(REQUEST_S)
            with connection, contextlib.suppress(OSError):
                serve(connection)

        thread = threading.Thread(target=run)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def silent(connection: socket.socket) -> None:
    """Says nothing until the client goes."""
    while connection.recv(4096):
        pass


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority and a certificate."""
    folder: Path = tmp_path_factory.mktemp("certificates")
    return write_certificates(folder)


@pytest.fixture
def context(files: Certificates) -> ssl.SSLContext:
    """What a client needs to know a server with the certificate, which has no name of this machine."""
    made = ssl.create_default_context(cafile=str(files.authority))
    made.check_hostname = False
    return made


def over_tls(files: Certificates, serve: Serve) -> Serve:
    """A server that speaks TLS."""

    def wrapped(connection: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.chain, files.key)
        with context.wrap_socket(connection, server_side=True) as secured:
            serve(secured)

    return wrapped


def answers(seen: list[bytes]) -> Serve:
    """Answers with what does not need a length."""

    def serve(connection: socket.socket) -> None:
        while not b"".join(seen).endswith(b"\r\n\r\nhello"):
            seen.append(connection.recv(4096))
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 418 x\r\nX-A: 1\r\nx-a: 2\r\n\r\nbody")

    return serve


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_a_request_is_answered(files: Certificates, context: ssl.SSLContext, secure: bool) -> None:
    seen: list[bytes] = []
    serve = answers(seen)
    with serving(over_tls(files, serve) if secure else serve) as port:
        request = Request("/a", "POST", {"host": SERVER_NAME, "x-b": "3"}, "hello")
        answer = exchange(port, request, REQUEST_S, context if secure else None)
    assert (answer.status, answer.headers.all("x-a"), answer.body) == (418, ("1", "2"), "body")
    lines = b"".join(seen).decode().split("\r\n")
    assert lines == ["POST /a HTTP/1.1", f"host: {SERVER_NAME}", "x-b: 3", "content-length: 5", "", "hello"]


def test_no_agreement_on_tls_is_a_connection_that_is_cut(files: Certificates) -> None:
    stranger = ssl.create_default_context()
    stranger.check_hostname = False
    with serving(over_tls(files, silent)) as port:
        answer = exchange(port, Request(), REQUEST_S, stranger)
    assert (answer.end, answer.status_so_far) == (End.CUT, None)
    assert "CERTIFICATE_VERIFY_FAILED" in answer.problem


def test_a_server_that_ends_a_tls_connection_cuts_it(files: Certificates, context: ssl.SSLContext) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe")

    with serving(over_tls(files, serve)) as port:
        answer = exchange(port, Request(), REQUEST_S, context)
    assert (answer.summary, answer.body) == ("connection cut after status 200", "he")


def test_silence_is_no_answer(files: Certificates, context: ssl.SSLContext) -> None:
    with serving(silent) as port, pytest.raises(NoAnswer, match="no complete answer in time"):
        exchange(port, Request(), SOON_S)
    with serving(silent) as port, pytest.raises(NoAnswer, match="no connection in time"):
        exchange(port, Request(), SOON_S, context)  # not even a handshake
    with serving(over_tls(files, silent)) as port, pytest.raises(NoAnswer, match="no complete answer in time"):
        exchange(port, Request(), REQUEST_S / 5, context)


def test_a_body_without_end_is_cut_and_kept_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1, "BODY_LIMIT_BYTES", 1 << 16)

    def endless(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(bytes(1 << 14))

    with serving(endless) as port:
        answer = exchange(port, Request("/"), REQUEST_S)
    assert (answer.status, answer.status_so_far, answer.problem) == (None, 200, f"connection cut: {TOO_LONG}")
    assert 1 << 16 < len(answer.body) <= 1 << 18
