"""TLS handshakers: the connections that `sieve` lets through, and those that it refuses."""

from __future__ import annotations

import re
import ssl

from dmconform.casekit.at_points.model import Asked, ProbedPoint, When
from dmconform.casekit.at_points.tls_client import TlsAnswer, visit
from dmconform.core.timeouts import LOG_LINE_S
from dmconform.core.waiting import poll
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import MAIN
from dmconform.matrix.cell import Cell

_CONTEXT = re.compile(r"^dmconform context (?P<language>\w+) \[(?P<text>.*)\] given=(?P<given>\w+)$", re.MULTILINE)
_VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
_ROUNDS = 3


def mesh_of(text: str) -> int:
    """Returns of how many connections one is refused where this is the configuration."""
    return sum(text.encode()) % 5 + 2


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Opens connections one after another, with TLS 1.2 and 1.3.

    Asserts that the handshake of each n-th is refused, n being the text's, and that the others are served; and that the
    handshaker was shown the context of the listener.
    """
    mesh = mesh_of(text)
    seen = [_visit(envoy, _VERSIONS[number % len(_VERSIONS)]) for number in range(_ROUNDS * mesh)]
    refused = [number for number, one in enumerate(seen) if one.status != 200]
    wanted = list(range(refused[0] if refused else 0, _ROUNDS * mesh, mesh))
    assert refused == wanted and len(refused) == _ROUNDS, (
        f"expected one of {mesh} connections to be refused, of {len(seen)} these were: {refused}"
    )
    cell.facts["a client that is refused"] = seen[refused[0]].summary

    def contexts() -> list[str]:
        found = _CONTEXT.finditer(envoy.read_log())
        return [one["given"] for one in found if (one["language"], one["text"]) == (cell.language, text)]

    poll(lambda: bool(contexts()), LOG_LINE_S)
    given = contexts()
    assert given and set(given) == {"true"}, f"expected the handshaker to be shown a context, saw {given}"


def _visit(envoy: Envoy, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> TlsAnswer:
    return visit(envoy, MAIN, None, version)


def _ask(_: Cell, envoy: Envoy, panic: bool) -> Asked:
    seen = _visit(envoy)
    if seen.status != 200:  # of two connections in a row `sieve` refuses one at most
        seen = _visit(envoy)
    return Asked(seen.status == 200, seen.summary)


POINT = ProbedPoint(
    name="sieve",
    hooks={
        "context": When.TRAFFIC,
        "creation": When.TRAFFIC,
        "handshake": When.TRAFFIC,
        "destroy": When.TRAFFIC,
        "configuration_end": When.END,
    },
    assert_works=assert_works,
    ask=_ask,
)
