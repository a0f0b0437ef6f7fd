"""A real HTTP server behind the Envoys: it answers with what it received, as JSON."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cheroot import wsgi


@dataclass(frozen=True)
class Received:
    """A request as the upstream server saw it; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: str

    @classmethod
    def from_json(cls, text: str) -> Received:
        """Reads what the server answered.

        Raises:
            AssertionError: it is not an answer of this server: something on the way has garbled it.
        """
        try:
            data = json.loads(text)
            return cls(data["method"], data["path"], data["headers"], data["body"])
        except (ValueError, KeyError, TypeError):
            raise AssertionError(f"expected an answer of the upstream server, saw {text[:200]!r}") from None


def _echo(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    answer = json.dumps(
        {
            "method": environ["REQUEST_METHOD"],
            "path": environ["PATH_INFO"],
            "headers": headers,
            "body": body.decode(errors="replace"),
        }
    ).encode()
    start_response("200 OK", [("content-type", "application/json"), ("content-length", str(len(answer)))])
    return [answer]


@contextlib.contextmanager
def upstream_server() -> Iterator[int]:
    """Serves on a loopback port of the kernel's choice, which it gives."""
    server = wsgi.Server(("127.0.0.1", 0), _echo, numthreads=2)
    server.shutdown_timeout = 1
    server.prepare()
    thread = threading.Thread(target=server.serve, name="upstream", daemon=True)
    thread.start()
    try:
        yield server.bind_addr[1]
    finally:
        server.stop()
        thread.join()
