"""What a client saw, when two of them are the same, and how one is told in a line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Union

# These differ from one time to the next.
_VARYING_HEADERS = frozenset(("date", "x-envoy-upstream-service-time", "x-request-id", "content-length"))
_VARYING_TEXTS = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"(127\.0\.0\.1|localhost|\[::1\]):\d+"), r"\1:PORT"),
    (re.compile(r"\b0x[0-9a-f]{5,16}\b"), "ADDRESS"),
)
_SHOWN_CHARACTERS = 300


class NoAnswer(Exception):
    """Nothing came in time."""


@dataclass(frozen=True)
class Answer:
    """A response, or (status None) a stream or a connection that ended before one was complete."""

    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    trailers: Mapping[str, str] = field(default_factory=dict)
    reset: str | None = None  # the error code with which the stream was reset

    @property
    def end(self) -> str:
        """How it ended, in a few words."""
        if self.status is not None:
            return f"status {self.status}"
        return "connection cut" if self.reset is None else f"stream reset with {self.reset}"


Seen = Union[Answer, str]  # noqa: UP007 (Python 3.9 knows no other); the text says that nothing came in time


def from_record(record: Any) -> Seen:  # noqa: ANN401 (JSON)
    """Reads an answer that was recorded."""
    if isinstance(record, str):
        return record
    return Answer(record["status"], record["headers"], record["body"], record["trailers"], record["reset"])


def _without_varying(text: str) -> str:
    for pattern, name in _VARYING_TEXTS:
        text = pattern.sub(name, text)
    return text


def _plain(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: _without_varying(value) for name, value in headers.items() if name not in _VARYING_HEADERS}


def differences(recorded: Seen, now: Seen) -> list[str]:
    """What differs in two answers, apart from what differs each time; none if they are the same."""
    if isinstance(recorded, str) or isinstance(now, str):
        return [] if isinstance(recorded, str) and isinstance(now, str) else [f"expected {told(recorded)}, saw {told(now)}"]
    if recorded.end != now.end:
        return [f"expected {recorded.end}, saw {now.end}"]
    if recorded.status is None:
        return []  # how much had come before the end is a matter of time
    found = [
        *_differing("header", _plain(recorded.headers), _plain(now.headers)),
        *_differing("trailer", _plain(recorded.trailers), _plain(now.trailers)),
    ]
    before, after = _without_varying(recorded.body), _without_varying(now.body)
    if before != after:
        found.append(f"body: expected {_short(before)}, saw {_short(after)}")
    return found


def _differing(what: str, recorded: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    names = sorted({*recorded, *now})
    return [
        f"{what} {name}: expected {_short(recorded.get(name))}, saw {_short(now.get(name))}"
        for name in names
        if recorded.get(name) != now.get(name)
    ]


def _short(value: str | None) -> str:
    if value is None:
        return "none"
    text = json.dumps(value)  # no control character of a text gets to the terminal
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}… ({len(value)} characters)"


def told(seen: Seen) -> str:
    """An answer in a line."""
    if isinstance(seen, str):
        return f"no answer in time ({_short(seen)})"
    if seen.status is None:
        return seen.end
    headers = ", ".join(f"{name}: {_short(value)}" for name, value in sorted(_plain(seen.headers).items()))
    trailers = f"; trailers {_short(json.dumps(dict(seen.trailers)))}" if seen.trailers else ""
    return f"{seen.end}; body {_short(seen.body)}; {headers}{trailers}"
