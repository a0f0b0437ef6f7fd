"""What filters of connections have in common: how their user asks, and what they count."""

from __future__ import annotations

from dmconform.casekit.at_points.model import Asked
from dmconform.casekit.panics import answer_soon, in_words
from dmconform.core.timeouts import NEVER_S
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.envoy import Envoy
from dmconform.matrix.cell import Cell

_PANIC = {"x": "dmconform panic"}
"""Brings the bytes that filters look for, within the first 64; so does the answer, which repeats them."""
_SCOPES = ("dynamic", "listener")
"""Where the names of modules' counters begin, in any release: those of listener filters belong to their listener."""


def ask(_: Cell, envoy: Envoy, panic: bool) -> Asked:
    """Sends a request on a new connection."""
    if not panic:
        answer = envoy.request("/asked")
        return Asked(answer.status == 200, answer.summary)
    with envoy.connect(Protocol.HTTP1, patience_s=NEVER_S) as connection:
        seen = answer_soon(envoy, connection.send(Request("/asked", headers=_PANIC)))
    return Asked(seen is not None and seen.status == 200, in_words(seen))


def counted(envoy: Envoy, name: str) -> int:
    """Returns the value of a module's counter, in whichever scope its extension point has it; 0 where there is none."""
    found = {full: value for scope in _SCOPES for full, value in envoy.counters(scope).items()}
    return sum(value for full, value in found.items() if full.endswith(f".{name}"))
