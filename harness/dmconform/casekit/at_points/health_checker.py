"""Health checkers: servers that say of themselves how healthy they are, and requests that go to those alone that are."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from urllib.parse import quote

from dmconform.casekit.at_points.endpoints import CLUSTER, bring_endpoints, endpoints_restored
from dmconform.casekit.at_points.lines import probe_line
from dmconform.casekit.at_points.model import Asked, ProbedPoint, When
from dmconform.core.timeouts import CONFIG_UPDATE_S
from dmconform.core.waiting import poll
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.discovered_endpoints import Endpoint
from dmconform.envoy.source_server import Reply, SourceServer
from dmconform.matrix.cell import Cell

_STATUSES = {"healthy": 200, "degraded": 429, "unhealthy": 503}
"""What a server answers to be found so."""
_FLAGS = {"healthy": "healthy", "degraded": "/degraded_active_hc", "unhealthy": "/failed_active_hc"}
"""What the admin interface then says of it."""
_REQUESTS = 4
_WORK = "/work"


@dataclass(frozen=True)
class _Server:
    name: str
    server: SourceServer
    endpoint: Endpoint
    path: str

    def becomes(self, health: str) -> None:
        """Answers checks from now on in this way."""
        self.server.offer(self.path, Reply(status=_STATUSES[health]))


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Asserts that two servers are checked, that the one that becomes ill gets no requests, and that it gets them again."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(endpoints_restored(cell, envoy))
        servers = []
        for number, name in enumerate(("first", "second"), 1):
            server = stack.enter_context(cell.source_server())
            server.offer(_WORK, Reply(body=name.encode()))
            endpoint = Endpoint(server.port, {"name": name, "number": number / 2, "yes": number == 1})
            servers.append(_Server(name, server, endpoint, f"/health/{quote(text, safe='')}"))
            servers[-1].becomes("healthy")
        bring_endpoints(cell, envoy, *(one.endpoint for one in servers))
        for one in servers:
            _assert_session(cell, envoy, text, one)
            _assert_flag(envoy, one, "healthy")
        first, second = servers
        _assert_served_by(envoy, servers, {"first", "second"})
        for health, serve in (("unhealthy", {"second"}), ("degraded", {"second"}), ("healthy", {"first", "second"})):
            first.becomes(health)
            _assert_flag(envoy, first, health)
            _assert_flag(envoy, second, "healthy")
            probe_line(
                cell, envoy, "health", text, 2 if health == "healthy" else 1, address=first.endpoint.address, **{"is": health}
            )
            _assert_served_by(envoy, servers, serve)
    _assert_counted(envoy)


def _assert_session(cell: Cell, envoy: Envoy, text: str, one: _Server) -> None:
    """Asserts that the checker has a session for an endpoint, with its metadata."""
    metadata = one.endpoint.metadata
    expected = {"name": one.name, "number": f"{metadata['number']:g}", "yes": str(metadata["yes"]).lower()}
    line = probe_line(cell, envoy, "session", text, address=one.endpoint.address)
    seen = {name: line.get(name, "(nothing)") for name in expected}
    assert seen == expected, f"expected the checker to see of {one.name} {expected}, it saw {seen}"


def _flags(envoy: Envoy, endpoint: Endpoint) -> str:
    """Returns what the admin interface says of the health of an endpoint."""
    mark = f"upstream::{endpoint.address}::health_flags::"
    lines = envoy.admin("/clusters").body.splitlines()
    return next((line.removeprefix(mark) for line in lines if line.startswith(mark)), "(nothing)")


def _assert_flag(envoy: Envoy, one: _Server, health: str) -> None:
    expected = _FLAGS[health]
    poll(lambda: _flags(envoy, one.endpoint) == expected, CONFIG_UPDATE_S)
    envoy.check_alive("while endpoints were checked")
    seen = _flags(envoy, one.endpoint)
    assert seen == expected, f"expected the admin interface to say {expected} of {one.name}, which is {health}, it says {seen}"


def _assert_served_by(envoy: Envoy, servers: list[_Server], expected: set[str]) -> None:
    """Asserts that requests come to these servers and to no others."""
    answers = [envoy.request(_WORK) for _ in range(_REQUESTS)]
    seen = {answer.body if answer.status == 200 else answer.summary for answer in answers}
    assert seen == expected, f"expected {_REQUESTS} requests to be served by {sorted(expected)}, saw {sorted(seen)}"


def _assert_counted(envoy: Envoy) -> None:
    """Asserts that the host counts what the checker has reported."""
    for kind in ("attempt", "success", "failure"):
        name = f"{CLUSTER}.health_check.{kind}"
        seen = envoy.statistic(name)
        assert seen, f"expected {name} to be more than 0, it is {seen}"


def _ask(_: Cell, envoy: Envoy, __: bool) -> Asked:
    answer = envoy.request("/asked")
    return Asked(answer.status == 200, answer.summary)


POINT = ProbedPoint(
    name="asks",
    hooks={
        "creation": When.CREATION,
        "interval": When.TRAFFIC,
        "timeout": When.TRAFFIC,
        "destroy": When.END,
    },
    assert_works=assert_works,
    ask=_ask,
    discovers_endpoints=True,
)
