"""Load-balancing policies: requests that ask for an endpoint by its name, among servers that know what they received."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dmconform.casekit.at_points.endpoints import bring_endpoints, endpoints_restored
from dmconform.casekit.at_points.lines import probe_line, probe_lines, shown
from dmconform.casekit.at_points.model import ProbedPoint, When, ask_over_http
from dmconform.core.timeouts import LOG_LINE_S
from dmconform.core.waiting import poll
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.discovered_endpoints import Endpoint
from dmconform.envoy.upstream import Upstream
from dmconform.matrix.cell import Cell

_WANTED = "x-dmconform-endpoint"
_NO_ENDPOINT = 503
_BALANCERS = 2  # one of the worker thread, and one of the main thread
_METRICS = "dynamicmodulescustom"
_CHOSEN = f"{_METRICS}.dmconform_chosen"


@dataclass(frozen=True)
class _Server:
    name: str
    server: Upstream
    endpoint: Endpoint


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Sends requests among three servers, and asserts that each came to the one that the policy is to choose, alone."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(endpoints_restored(cell, envoy))
        servers = []
        for number, name in enumerate(("first", "second", text), 1):
            server = stack.enter_context(cell.upstream())
            metadata: dict[str, str | float | bool] = {"name": name, "number": number / 2, "yes": number != 2}
            zone = "near" if number < 3 else "far"
            servers.append(_Server(name, server, Endpoint(server.port, metadata, weight=number, zone=zone)))
        _bring(cell, envoy, text, *(one.endpoint for one in servers))
        _assert_chosen(cell, envoy, text, servers)
        _assert_none_chosen(envoy, "/unknown", servers, "nobody")
        _assert_unhealthy(cell, envoy, text, servers)
        _assert_gone(cell, envoy, text, servers)
    _assert_counted(envoy, {"first": 2, "second": 1, text: 1})


def _bring(cell: Cell, envoy: Envoy, text: str, *endpoints: Endpoint) -> None:
    """Replaces the endpoints, and waits until each thread's balancer knows of it."""
    before = len(probe_lines(cell, envoy, "members", text))
    bring_endpoints(cell, envoy, *endpoints)
    told = poll(lambda: len(probe_lines(cell, envoy, "members", text)) >= before + _BALANCERS, LOG_LINE_S)
    assert told, f"expected {_BALANCERS} balancers to be told that endpoints have changed, they were not"


def _received(servers: list[_Server], path: str) -> list[str]:
    return [one.name for one in servers for _ in one.server.read_received(path)]


def _assert_chosen(cell: Cell, envoy: Envoy, text: str, servers: list[_Server]) -> None:
    """Asserts that each server gets the request that asks for it, or for none and the policy has its name as configuration."""
    times = dict.fromkeys((one.name for one in servers), 0)
    for path, name, wanted in (
        ("/1", "first", "first"),
        ("/2", "second", "second"),
        ("/3", text, None),
        ("/4", "first", "first"),
    ):
        answer = envoy.request(path, headers={_WANTED: wanted} if wanted is not None else {})
        assert answer.status == 200, f"expected {path} to be answered by {name}, saw {answer.summary}"
        seen = _received(servers, path)
        assert seen == [name], f"expected {path} to come to the server {name} alone, it came to {seen}"
        times[name] += 1
        _assert_seen(cell, envoy, text, path, next(one for one in servers if one.name == name), times[name], wanted is not None)


def _assert_seen(cell: Cell, envoy: Envoy, text: str, path: str, chosen: _Server, times: int, asked: bool) -> None:
    """Asserts what the policy saw of a choice: the request, all endpoints, and the one that it chose."""
    endpoint = chosen.endpoint
    expected = {
        "values": str(int(asked)),
        "context": "true",
        "retries": "1",
        "hash": "false",
        "override": "-",
        "cluster": "upstream",
        "priorities": "1",
        "hosts": "3",
        "healthy": "3",
        "degraded": "0",
        "localities": "2",
        "name": shown(chosen.name),
        "number": str(endpoint.metadata["number"]),
        "yes": str(endpoint.metadata["yes"]).lower(),
        "weight": str(endpoint.weight),
        "healthy_weight": str(endpoint.weight),
        "is_healthy": "true",
        "same_by_address": "true",
        "locality": f"region/{endpoint.zone}/part",
        "in_locality": "true",
        "another": "false",
        "before": str(times - 1),
        "chosen": str(times),
        "address": endpoint.address,
    }
    line = probe_line(cell, envoy, "choice", text, path=path)
    seen = {name: line.get(name, "(nothing)") for name in expected}
    assert seen == expected, f"expected the policy to see of {path} {expected}, it saw {seen}"


def _assert_none_chosen(envoy: Envoy, path: str, servers: list[_Server], wanted: str) -> None:
    answer = envoy.request(path, headers={_WANTED: wanted})
    seen = _received(servers, path)
    assert (answer.status, seen) == (_NO_ENDPOINT, []), (
        f"expected {path} to come to no server and to be answered with {_NO_ENDPOINT}, saw {answer.summary}, it came to {seen}"
    )


def _assert_unhealthy(cell: Cell, envoy: Envoy, text: str, servers: list[_Server]) -> None:
    """Asserts that an endpoint that is not healthy any more is there and is not chosen."""
    others = [replace(one.endpoint, healthy=one.name != "second") for one in servers]
    _bring(cell, envoy, text, *others)
    _assert_none_chosen(envoy, "/unhealthy", servers, "second")
    line = probe_line(cell, envoy, "choice", text, path="/unhealthy")
    expected = {"hosts": "3", "healthy": "2", "is_healthy": "false", "same_by_address": "true", "healthy_weight": "0"}
    seen = {name: line.get(name, "(nothing)") for name in expected}
    assert seen == expected, f"expected the policy to see of an unhealthy endpoint {expected}, it saw {seen}"


def _assert_gone(cell: Cell, envoy: Envoy, text: str, servers: list[_Server]) -> None:
    """Asserts that the policy learns of endpoints that come and go, and does not choose one that is gone."""
    addresses = {one.name: one.endpoint.address for one in servers}
    came = {address for line in probe_lines(cell, envoy, "members", text) for address in line["added"].split(",")}
    missing = set(addresses.values()) - came
    assert not missing, f"expected the policy to be told that {sorted(addresses.values())} have come, it was of {sorted(came)}"
    _bring(cell, envoy, text, *(one.endpoint for one in servers if one.name != "second"))
    probe_line(cell, envoy, "members", text, number=_BALANCERS, added="-", removed=addresses["second"])
    _assert_none_chosen(envoy, "/gone", servers, "second")


def _assert_counted(envoy: Envoy, chosen: Mapping[str, int]) -> None:
    """Asserts that the policy's own statistics are those of its choices."""
    counted = {name.removeprefix(_CHOSEN): value for name, value in envoy.counters(re.escape(_CHOSEN)).items()}
    expected = {"": sum(chosen.values())} | {f"_of.endpoint.{name}": times for name, times in chosen.items()}
    assert counted == expected, f"expected the policy to count {expected}, saw {counted}"
    hosts = envoy.statistic(f"{_METRICS}.dmconform_hosts")
    assert hosts == 1, f"expected the policy's gauge of endpoints to be 1 again, it is {hosts}"
    weights = {round(value): number for value, number in envoy.read_histogram(f"{_METRICS}.dmconform_weight", 4).items()}
    assert weights == {1: 2, 2: 1, 3: 1}, f"expected the policy to record the weights 1, 1, 2, 3, saw {weights}"


POINT = ProbedPoint(
    name="by_name",
    hooks={
        "creation": When.CREATION,
        "membership_update": When.CREATION,
        "choose_host": When.TRAFFIC,
        "destroy": When.END,
    },
    assert_works=assert_works,
    ask=ask_over_http,
    discovers_endpoints=True,
)
