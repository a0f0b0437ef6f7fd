"""What specifiers of clusters and of routes have in common: what they say that they see, and two servers to choose from."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping

from dmconform.casekit.points import working_at_point
from dmconform.envoy.client import Answer
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.connected import Client
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.use import ModuleUse
from dmconform.envoy.headers import Headers
from dmconform.envoy.upstream import Upstream
from dmconform.matrix.cell import PROBE, Cell

ASK, CLUSTER, CODE, MANY = "x-dmconform-ask", "x-dmconform-cluster", "x-dmconform-code", "x-dmconform-many"
"""Headers of requests: what they ask, a cluster, a status, and one that comes twice."""
TIMEOUT = "x-envoy-expected-rq-timeout-ms"
"""The header by which hosts say to upstream servers how long an answer may take."""
MANY_TWICE = [(MANY, "one"), (MANY, "two")]
NOWHERE = "nowhere"
"""A cluster that there is not."""
NAMED = "named"
"""The name of the route to the upstream server, where it has one."""
OF_ROUTE = "of-the-route"
"""The text in its metadata there."""


def sees(protocol: Protocol, *, many: bool) -> dict[str, str]:
    """Returns what a specifier is to see of a request that has the header `MANY` twice, or not at all."""
    values = {"many": "one,two", "second": "two", "of": "2"} if many else {"many": "", "second": "-", "of": "0"}
    return {"protocol": protocol.value, **values, "all": "true", "hosts": "1/1/0", "absent": "-"}


def assert_seen(answer: Answer, header: str, expected: Mapping[str, str]) -> None:
    """Asserts that a specifier says in a header of an answer that it has seen this."""
    seen = dict(pair.partition("=")[::2] for pair in answer.headers.get(header, "").split(" "))
    assert seen == dict(expected), f"expected the specifier to see {dict(expected)}, it saw {seen}"


def send(client: Client, status: int, headers: Mapping[str, str] | None = None, path: str = "/specified") -> Answer:
    """Sends a request, and returns its answer, which must have this status.

    Args:
        client: of the Envoy.
        status: of the answer.
        headers: of the request; none if None.
        path: of the request.
    """
    asked = Request(path, headers=headers or {})
    answer = client.request(asked)
    assert answer.status == status, f"expected {path} with {dict(asked.headers)} to get status {status}, saw {answer.summary}"
    return answer


def counted(envoy: Envoy, name: str) -> int:
    """Returns the value of a counter that a module has defined; 0 where there is none."""
    return sum(value for one, value in envoy.counters("dynamic").items() if one.endswith(f".{name}"))


@contextlib.contextmanager
def _two_servers(
    cell: Cell, uses: tuple[ModuleUse, ...], alter: Callable[[Draft], None] | None
) -> Iterator[tuple[Envoy, Mapping[str, Upstream]]]:
    """Starts an Envoy with two servers of the case's own behind it, and yields both; the servers by their clusters."""
    with cell.upstream() as first, cell.upstream() as second:
        servers = {"first": first, "second": second}
        ports = {name: server.port for name, server in servers.items()}

        def named(draft: Draft) -> None:
            """Gives the route to the upstream server what modules can see of it."""
            draft.route.update(name=NAMED, metadata={"filter_metadata": {"dmconform": {"text": OF_ROUTE}}})
            if alter is not None:
                alter(draft)

        with working_at_point(cell, *uses, alter=named, clusters=ports) as envoy:
            yield envoy, servers


@contextlib.contextmanager
def chosen_from_two(
    cell: Cell, name: str, text: str, alter: Callable[[Draft], None] | None = None
) -> Iterator[tuple[Client, Answer]]:
    """Asserts that requests reach the server of the cluster that they ask for, and no other.

    Args:
        cell: starts another Envoy, whose route has the name `NAMED` and metadata.
        name: of the specifier that it has.
        text: its configuration.
        alter: changes the Envoy's configuration.

    Yields:
        A client of that Envoy, and the last answer.
    """
    use = ModuleUse(cell.point, ModuleRef(PROBE), name, text)
    with _two_servers(cell, (use,), alter) as (envoy, servers), envoy.connect(Protocol.HTTP1) as client:
        for cluster in servers:
            answer = send(client, 200, Headers([(CLUSTER, cluster), *MANY_TWICE]), f"/{cluster}")
            reached = [one for one, server in servers.items() if server.read_received(f"/{cluster}")]
            assert reached == [cluster], f"expected the request for {cluster} to reach it alone, it reached {reached}"
        yield client, answer
