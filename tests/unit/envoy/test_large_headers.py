"""Headers of many kilobytes that come in pieces: how the network cuts them is chance, and must not matter."""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
from concurrent.futures import ThreadPoolExecutor

from dmconform.core.waiting import poll
from dmconform.envoy.http_server import Talk

LARGE = "x" * 50_000
HEAD = f"GET / HTTP/1.1\r\nhost: a\r\nx-large: {LARGE}\r\n\r\n".encode()
TAKEN_S = 10.0


def waiting_bytes(connection: socket.socket) -> int:
    (count,) = struct.unpack("i", fcntl.ioctl(connection, termios.FIONREAD, b"\0" * 4))
    assert isinstance(count, int)
    return count


def test_a_request_is_taken_in_whatever_pieces_it_comes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as client:
        server, _ = listening.accept()
        with server, ThreadPoolExecutor(1) as threads:
            head = threads.submit(Talk(server).head)
            for start in range(0, len(HEAD), 20_000):
                client.sendall(HEAD[start : start + 20_000])
                assert poll(lambda: waiting_bytes(server) == 0, TAKEN_S)
            assert head.result(TAKEN_S).headers.get("x-large") == LARGE
