"""The application that the module serves: the least that WSGI allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def app(environ: dict[str, object], start_response: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
    """Answers every request."""
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"hello"]
