"""Clusters: requests that name the address of the server that they are for, which the cluster then has as an endpoint."""

from __future__ import annotations

import contextlib

from dmconform.casekit.at_points.lines import probe_line
from dmconform.casekit.at_points.model import PANIC, Asked, ProbedPoint, When
from dmconform.core.timeouts import CONFIG_UPDATE_S, NEVER_S
from dmconform.core.versions import Minor
from dmconform.core.waiting import poll
from dmconform.envoy.client import NoAnswer
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.upstream import Upstream
from dmconform.matrix.cell import Cell

_WANTED = "x-dmconform-address"
_HEALTH = "x-dmconform-health"
_NO_ENDPOINT = 503
_BALANCERS = 2  # one of the worker thread, and one of the main thread
_WAITS_SINCE = Minor(1, 39)
_METRICS = "dynamicmodulescustom"


def _address(server: Upstream) -> str:
    return f"127.0.0.1:{server.port}"


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Asserts that each request comes to the server that it names, which becomes an endpoint, and that endpoints go again."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(cell.upstream()) for _ in range(2)]
        first, second = servers
        _assert_endpoints(envoy, text, [])
        for path, wanted, endpoints in (("/1", first, [first]), ("/2", second, servers), ("/3", first, servers)):
            if endpoints[-1] is wanted and not _waits_for_changes(cell):
                _assert_none_chosen(envoy, f"{path}/new", _address(wanted), servers)
                _assert_endpoints(envoy, text, endpoints)
            _assert_comes_to(envoy, path, wanted, servers)
            _assert_endpoints(envoy, text, endpoints)
            _assert_seen(cell, envoy, text, path)
        _assert_comes_to(envoy, "/later", second, servers, {"x-dmconform-later": "yes"})
        for number, server in enumerate(servers, 1):
            line = probe_line(cell, envoy, "members", text, _BALANCERS, added=_address(server))
            expected = {"removed": "-", "hosts": str(number), "healthy": str(number), "found": "true"}
            seen = {name: line.get(name, "(nothing)") for name in expected}
            assert seen == expected, f"expected the balancers to be told of an endpoint {expected}, they were of {seen}"
        _assert_none_chosen(envoy, "/nobody", None, servers)
        _assert_none_chosen(envoy, "/no-address", "no address", servers)
        for health, flag in (("unhealthy", "/failed_eds_health"), ("degraded", "/degraded_eds_health"), ("healthy", "healthy")):
            if _waits_for_changes(cell):
                _assert_comes_to(envoy, f"/{health}", second, servers, {_HEALTH: health})
            else:
                _assert_none_chosen(envoy, f"/{health}", _address(second), servers, {_HEALTH: health})
            _assert_says(envoy, second, "health_flags", flag)
        _assert_none_chosen(envoy, "/none", "none", servers)
        probe_line(cell, envoy, "removed", text, hosts="2")
        _assert_endpoints(envoy, text, [])
    added, hosts = (envoy.statistic(f"{_METRICS}.dmconform_hosts{which}") for which in ("_added", ""))
    assert (added, hosts) == (2, 0), f"expected the cluster to count 2 endpoints, of which 0 are left, saw {added} and {hosts}"


def _waits_for_changes(cell: Cell) -> bool:
    """Returns whether a request waits while it changes the endpoints: hosts of 1.38 would forget it."""
    return cell.sdk_minor >= _WAITS_SINCE


def _assert_comes_to(
    envoy: Envoy, path: str, wanted: Upstream, servers: list[Upstream], more: dict[str, str] | None = None
) -> None:
    """Asserts that a request comes to the server that it names, and to it alone."""
    answer = envoy.request(path, headers={_WANTED: _address(wanted), **(more or {})})
    assert answer.status == 200, f"expected {path} to be answered by the server that it names, saw {answer.summary}"
    seen = [_address(one) for one in servers for _ in one.read_received(path)]
    assert seen == [_address(wanted)], f"expected {path} to come to {_address(wanted)} alone, it came to {seen}"


def _assert_none_chosen(
    envoy: Envoy, path: str, wanted: str | None, servers: list[Upstream], more: dict[str, str] | None = None
) -> None:
    answer = envoy.request(path, headers={**({_WANTED: wanted} if wanted is not None else {}), **(more or {})})
    seen = [_address(one) for one in servers for _ in one.read_received(path)]
    assert (answer.status, seen) == (_NO_ENDPOINT, []), (
        f"expected {path} to come to no server and to be answered with {_NO_ENDPOINT}, saw {answer.summary}, it came to {seen}"
    )


def _assert_seen(cell: Cell, envoy: Envoy, text: str, path: str) -> None:
    """Asserts what the cluster saw of a request."""
    expected = {"retries": "1", "hash": "false", "override": "-", "sni": "-"}
    line = probe_line(cell, envoy, "choice", text, path=path)
    seen = {name: line.get(name, "(nothing)") for name in expected}
    assert seen == expected, f"expected the cluster to see of {path} {expected}, it saw {seen}"


def _says(envoy: Envoy) -> dict[str, dict[str, str]]:
    """Returns what the admin interface says of the endpoints of the cluster, by their addresses."""
    found: dict[str, dict[str, str]] = {}
    for line in envoy.admin("/clusters").body.splitlines():
        cluster, *rest = line.split("::")
        if cluster == "upstream" and len(rest) == 3:
            address, name, value = rest
            found.setdefault(address, {})[name] = value
    return {address: values for address, values in found.items() if "weight" in values}


def _assert_says(envoy: Envoy, server: Upstream, name: str, expected: str) -> None:
    def said() -> str:
        return _says(envoy).get(_address(server), {}).get(name, "(nothing)")

    poll(lambda: said() == expected, CONFIG_UPDATE_S)
    seen = said()
    assert seen == expected, f"expected the admin interface to say {name} {expected} of {_address(server)}, it says {seen}"


def _assert_endpoints(envoy: Envoy, text: str, servers: list[Upstream]) -> None:
    """Asserts that the admin interface has these endpoints, as the cluster has made them."""
    expected = {
        _address(one): {"weight": "3", "region": text, "zone": "zone", "sub_zone": "part", "priority": "0"} for one in servers
    }

    def seen() -> dict[str, dict[str, str]]:
        return {
            address: {name: values.get(name, "(nothing)") for name in ("weight", "region", "zone", "sub_zone", "priority")}
            for address, values in _says(envoy).items()
        }

    poll(lambda: seen() == expected, CONFIG_UPDATE_S)
    now = seen()
    assert now == expected, f"expected the admin interface to have the endpoints {expected}, it has {now}"


def _ask(cell: Cell, envoy: Envoy, panic: bool) -> Asked:
    headers = {_WANTED: f"127.0.0.1:{cell.upstream_port}"} | (PANIC if panic else {})
    if not panic:
        answer = envoy.request("/asked", headers=headers)
        if not _waits_for_changes(cell) and answer.status == _NO_ENDPOINT:
            poll(lambda: envoy.request("/asked", headers=headers).status == 200, CONFIG_UPDATE_S)
            answer = envoy.request("/asked", headers=headers)
        return Asked(answer.status == 200, answer.summary)
    try:
        with envoy.connect(Protocol.HTTP1, patience_s=NEVER_S) as client:
            answer = client.request(Request("/asked", headers=headers))
    except NoAnswer:
        return Asked(False, "no answer")
    return Asked(answer.status == 200, answer.summary)


POINT = ProbedPoint(
    name="by_address",
    hooks={
        "creation": When.CREATION,
        "init": When.CREATION,
        "balancer": When.CREATION,
        "choose_host": When.TRAFFIC,
        "scheduled": When.TRAFFIC,
        "membership_update": When.TRAFFIC,
        "balancer_destroy": When.END,
        "destroy": When.END,
    },
    assert_works=assert_works,
    ask=_ask,
)
