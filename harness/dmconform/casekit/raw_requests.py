"""Requests of HTTP/1.1 as bytes, for a client that sends or reads something around them."""

from __future__ import annotations

import re
from collections.abc import Callable

from dmconform.casekit.raw_client import RawClient
from dmconform.envoy.upstream import Received

_END = b"\r\n\r\n"
_HEAD = re.compile(r"HTTP/1\.1 (?P<status>\d+) .*\r\n(?:.*\r\n)*?content-length: (?P<size>\d+)\r\n", re.IGNORECASE)


def request_bytes(path: str, body: str = "", headers: str = "") -> bytes:
    """Returns a POST request.

    Args:
        path: with what follows a `?`.
        body: its body, of characters of one byte.
        headers: further lines, each with its end.
    """
    head = f"POST {path} HTTP/1.1\r\nhost: dmconform\r\n{headers}content-length: {len(body)}\r\n\r\n"
    return (head + body).encode("latin-1")


def read_answer(client: RawClient, decoded: Callable[[bytes], bytes] = bytes) -> tuple[str, int]:
    """Reads an answer with status 200, and returns its body and how many bytes the whole answer has.

    Args:
        client: its connection.
        decoded: makes what came into HTTP; it keeps the number of bytes, and the ends of lines.

    Raises:
        AssertionError: something else comes.
    """
    head = client.read_until(_END)
    found = _HEAD.match(decoded(head).decode("latin-1"))
    assert found and found["status"] == "200", f"expected an answer with status 200, saw {decoded(head)[:100]!r}"
    size = int(found["size"])
    return decoded(client.read(size)).decode("latin-1"), len(head) + size


def assert_received(answer: str, path: str, body: str) -> None:
    """Asserts that the upstream server, whose answer this is, received a POST request with this path and body."""
    received = Received.from_json(answer)
    seen = (received.method, received.path, received.body)
    assert seen == ("POST", path, body), (
        f"expected the upstream to receive POST {path} with {len(body)} bytes, it received {seen[0]} {seen[1]} "
        f"with {len(seen[2])} bytes: {seen[2][:100]!r}"
    )
