"""Transport sockets: the bytes that `masked` changes on a connection, and changes back."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from dmconform.casekit.at_points.model import Asked, ProbedPoint, When
from dmconform.casekit.raw_client import RawClient, raw_client
from dmconform.core.timeouts import LOG_LINE_S, REQUEST_S
from dmconform.core.waiting import poll
from dmconform.envoy.config import DIRECT_BODY, DIRECT_PATH
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import MAIN
from dmconform.envoy.outcomes import HostHung
from dmconform.matrix.cell import Cell

_LINE = re.compile(r"^dmconform socket (?P<language>\w+) \[(?P<text>.*)\] (?P<pairs>\S+=.*)$", re.MULTILINE)
_LARGE = bytes(range(32, 127)) * 3000
"""A body of more bytes than are read or written at once."""
_HEADERS_END = b"\r\n\r\n"


def mask_of(text: str) -> int:
    """Returns what each byte is combined with, by exclusive or, where this is the configuration."""
    return sum(text.encode()) % 255 + 1


class MaskedClient:
    """A client of HTTP/1.1 that masks what it sends, and takes the mask off what comes; it counts the bytes."""

    def __init__(self, client: RawClient) -> None:
        """Waits for the mask, which comes first; it is None where the connection ends before."""
        first = client.read(1)
        self.mask = first[0] if first else None
        self._client = client
        self.sent = self.came = 0

    def _masked(self, data: bytes) -> bytes:
        mask = self.mask or 0
        return bytes(byte ^ mask for byte in data)

    def send(self, data: bytes) -> None:
        """Sends bytes, masked."""
        self.sent += len(data)
        self._client.send(self._masked(data))

    def answer(self) -> tuple[int, bytes] | None:
        """Returns status and body of the next answer; None where the connection ends before it is complete."""
        head = self._masked(self._client.read_until(self._masked(_HEADERS_END)))
        length = re.search(rb"\r\ncontent-length: (\d+)\r\n", head)
        if length is None:
            return None
        size = int(length[1])
        body = self._masked(self._client.read(size))
        self.came += len(head) + len(body)
        return (int(head.split(b" ")[1]), body) if len(body) == size else None

    def request(self, path: str, body: bytes = b"", headers: bytes = b"") -> tuple[int, bytes] | None:
        """Sends a request, and returns its answer as `answer` does."""
        method = b"POST" if body else b"GET"
        head = b"%s %s HTTP/1.1\r\nhost: dmconform\r\n%scontent-length: %d" % (method, path.encode(), headers, len(body))
        self.send(head + _HEADERS_END + body)
        return self.answer()


@contextlib.contextmanager
def _connected(envoy: Envoy) -> Iterator[tuple[MaskedClient, RawClient]]:
    """Yields a connection to the Envoy.

    Raises:
        HostCrashed: the Envoy ended.
        HostHung: something did not come in time.
    """
    port = envoy.take_port(MAIN)
    try:
        with raw_client(port) as raw:
            yield MaskedClient(raw), raw
    except TimeoutError:
        envoy.check_alive("before it answered masked bytes")
        raise HostHung(f"no answer to masked bytes within {REQUEST_S:g} s") from None
    except ConnectionError:
        envoy.check_survived("while it answered masked bytes")
        raise


def _lines(cell: Cell, envoy: Envoy, text: str) -> list[dict[str, str]]:
    """Returns what the sockets with this text have written as they were closed."""
    return [
        dict(pair.partition("=")[::2] for pair in found["pairs"].split(" "))
        for found in _LINE.finditer(envoy.read_log())
        if (found["language"], found["text"]) == (cell.language, text)
    ]


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Sends masked requests of several sizes on two connections: one that the client closes, and one that Envoy closes.

    Asserts that the mask comes first and is that of the text, that all answers are right once it is taken off, and that the
    socket has carried as many bytes as went through, and knows both ends of each connection.
    """
    for headers, event in ((b"", "RemoteClose"), (b"connection: close\r\n", "LocalClose")):
        before = len(_lines(cell, envoy, text))
        with _connected(envoy) as (client, raw):
            mask = mask_of(text)
            assert client.mask == mask, f"expected the mask {mask} to come first, saw {client.mask}"
            for path, body, wanted in (
                (f"{DIRECT_PATH}/first", b"", DIRECT_BODY.encode()),
                ("/small?mirror", b"a body", b"a body"),
                ("/large?mirror", _LARGE, _LARGE),
            ):
                seen = client.request(path, body)
                _assert_answered(path, seen, wanted)
            _assert_answered("the last one", client.request(DIRECT_PATH, headers=headers), DIRECT_BODY.encode())
            port = raw.local_port
            if headers:
                rest = raw.read_to_end()
                assert rest == b"", f"expected the connection to end after the last answer, saw {len(rest)} bytes more"
        poll(lambda: len(_lines(cell, envoy, text)) > before, LOG_LINE_S)  # noqa: B023 - it is called at once
        lines = _lines(cell, envoy, text)[before:]
        assert len(lines) == 1, f"expected one socket with {text!r} to be closed, saw {len(lines)}"
        expected = {
            "upstream": "false",
            "read": str(client.sent),
            "written": str(client.came),
            "remote": f"127.0.0.1|{port}",
            "local": f"127.0.0.1|{envoy.take_port(MAIN)}",
            "descriptor": "true",
            "event": event,
            "reset": "false",
        }
        line = {name: lines[0].get(name, "(nothing)") for name in expected}
        assert line == expected, f"expected the socket to have seen {expected}, it has seen {line}"


def _assert_answered(what: str, seen: tuple[int, bytes] | None, wanted: bytes) -> None:
    assert seen is not None, f"expected {what} to be answered, the connection ended"
    status, body = seen
    assert (status, body) == (200, wanted), (
        f"expected the answer to {what} to be 200 with {len(wanted)} bytes, saw {status} with "
        f"{len(body)} bytes that are {'the same' if body == wanted else 'others'}"
    )


def _ask(_: Cell, envoy: Envoy, panic: bool) -> Asked:
    try:
        with _connected(envoy) as (client, _raw):
            seen = client.request(DIRECT_PATH, headers=b"x-ask: dmconform panic\r\n" if panic else b"")
    except ConnectionError as error:
        return Asked(False, type(error).__name__)
    return Asked(seen is not None and seen[0] == 200, "the connection ended" if seen is None else f"status {seen[0]}")


POINT = ProbedPoint(
    name="masked",
    hooks={
        "creation": When.TRAFFIC,
        "set_callbacks": When.TRAFFIC,
        "connected": When.TRAFFIC,
        "read": When.TRAFFIC,
        "write": When.TRAFFIC,
        "close": When.TRAFFIC,
        "failure_reason": When.TRAFFIC,
        "destroy": When.TRAFFIC,
        "configuration_end": When.END,
    },
    assert_works=assert_works,
    ask=_ask,
)
