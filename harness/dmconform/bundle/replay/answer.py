"""Compares two answers, and describes one in a line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from dmconform.envoy.client import Answer
from dmconform.envoy.headers import Headers

# These differ from one time to the next. An answer that overtakes the end of its request closes its connection.
_VARYING_HEADERS = frozenset(("connection", "content-length", "date", "x-envoy-upstream-service-time", "x-request-id"))
_VARYING_TEXTS = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"(127\.0\.0\.1|localhost|\[::1\]):\d+"), r"\1:PORT"),
    (re.compile(r"\b0x[0-9a-f]{5,16}\b"), "ADDRESS"),
)
_SHOWN_CHARACTERS = 300
_SHOWN_BEFORE = 40  # of what is the same before the first difference

Seen = Answer | str
"""The text says that nothing came in time."""


def from_record(record: Any) -> Seen:  # noqa: ANN401 (JSON)
    """Reads an answer that was recorded."""
    return record if isinstance(record, str) else Answer.from_record(record)


def _without_varying(text: str) -> str:
    for pattern, name in _VARYING_TEXTS:
        text = pattern.sub(name, text)
    if text[:1] not in ("{", "["):
        return text
    try:
        return json.dumps(json.loads(text), sort_keys=True)  # Envoy keeps no order in a message's maps
    except ValueError:
        return text


def _plain(headers: Headers) -> dict[str, str]:
    """Returns the values of each name that does not vary; where there are several, each is on a separate line."""
    names = [name for name in headers if name not in _VARYING_HEADERS]
    return {name: "\n".join(_without_varying(value) for value in headers.all(name)) for name in names}


def _end(answer: Answer) -> str:
    """Returns how it ended; how much had come before that is a matter of time, and left out."""
    return answer.summary.partition(" after status")[0]


def differences(recorded: Seen, now: Seen, *, status_only: bool = False) -> list[str]:
    """Returns what differs in two answers, apart from what differs each time; none if they are the same."""
    if isinstance(recorded, str) or isinstance(now, str):
        return (
            []
            if isinstance(recorded, str) and isinstance(now, str)
            else [f"expected {reported(recorded)}, saw {reported(now)}"]
        )
    if _end(recorded) != _end(now):
        return [f"expected {_end(recorded)}, saw {_end(now)}"]
    if recorded.status is None or status_only:
        return []
    found = [
        *_differing("header", _plain(recorded.headers), _plain(now.headers)),
        *_differing("trailer", _plain(recorded.trailers), _plain(now.trailers)),
    ]
    before, after = _without_varying(recorded.body), _without_varying(now.body)
    if before != after:
        found.append(f"body: {_beside(before, after)}")
    return found


def _beside(recorded: str | None, now: str | None) -> str:
    """Renders two different texts so that the difference is visible."""
    same = next((at for at, (one, other) in enumerate(zip(recorded or "", now or "", strict=False)) if one != other), 0)
    start = same - _SHOWN_BEFORE if same > _SHOWN_CHARACTERS // 2 else 0
    where = f"from character {start} on " if start else ""
    return f"{where}expected {_short(recorded and recorded[start:])}, saw {_short(now and now[start:])}"


def _differing(what: str, recorded: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    names = sorted({*recorded, *now})
    return [
        f"{what} {name}: {_beside(recorded.get(name), now.get(name))}" for name in names if recorded.get(name) != now.get(name)
    ]


def _short(value: str | None) -> str:
    if value is None:
        return "none"
    text = json.dumps(value)  # no control character of a text gets to the terminal
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}… ({len(value)} characters)"


def reported(seen: Seen) -> str:
    """Describes an answer in a line."""
    if isinstance(seen, str):
        return f"no answer in time ({_short(seen)})"
    if seen.status is None:
        return _end(seen)
    headers = ", ".join(f"{name}: {_short(value)}" for name, value in sorted(_plain(seen.headers).items()))
    trailers = f"; trailers {_short(json.dumps(_plain(seen.trailers)))}" if seen.trailers else ""
    return f"{_end(seen)}; body {_short(seen.body)}; {headers}{trailers}"
