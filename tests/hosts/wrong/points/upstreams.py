"""Ways to make the cases wrong of what is in clusters: load-balancing policies, health checkers, clusters, bridges."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from dmconform.casekit.at_points import cluster, endpoints, health_checker
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Outcome
from dmconform.envoy.client import Answer
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.discovered_endpoints import Endpoint, write_endpoints

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong
from tests.hosts.wrong.points import LACKS, counts, soon, used, wrong_at

at_policy = partial(wrong_at, ExtensionPoint.LOAD_BALANCER)
at_checker = partial(wrong_at, ExtensionPoint.HEALTH_CHECKER)
at_cluster = partial(wrong_at, ExtensionPoint.CLUSTER)
at_bridge = partial(wrong_at, ExtensionPoint.UPSTREAM_HTTP_TCP_BRIDGE)


def without_header(name: str) -> Sabotage:
    """Requests lose a header."""

    def change(_: str, named: dict[str, Any]) -> None:
        named["headers"] = {key: value for key, value in (named.get("headers") or {}).items() if key != name}

    return soon(sabotage.requests(change))


def endpoints_are(change: Callable[[Endpoint], Endpoint | None]) -> Sabotage:
    """Other endpoints come by discovery; None takes one away."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        def written(file: Any, cluster: str, those: Any, version: int = 1) -> None:  # noqa: ANN401 - as they come
            write_endpoints(file, cluster, [one for each in those if (one := change(each)) is not None], version)

        patch.setattr(endpoints, "write_endpoints", written)
        return bench

    return soon(apply)


def admin_says(old: str, new: str) -> Sabotage:
    """The admin interface says something else."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        admin = Envoy.admin

        def changed(envoy: Envoy, path: str, method: str = "GET") -> Answer:
            answer = admin(envoy, path, method)
            return replace(answer, body=answer.body.replace(old, new)) if path == "/clusters" else answer

        patch.setattr(Envoy, "admin", changed)
        return bench

    return quick(apply)


def statistics_of(part: str, value: int) -> Sabotage:
    """Statistics whose names hold a text have another value."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        counters = Envoy.counters

        def changed(envoy: Envoy, prefix: str) -> dict[str, int]:
            return {name: value if part in name else number for name, number in counters(envoy, prefix).items()}

        patch.setattr(Envoy, "counters", changed)
        return bench

    return apply


def growing(part: str) -> Sabotage:
    """Statistics whose names hold a text grow with each look at them."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        counters, looks = Envoy.counters, itertools.count(1)

        def changed(envoy: Envoy, prefix: str) -> dict[str, int]:
            return {name: next(looks) if part in name else number for name, number in counters(envoy, prefix).items()}

        patch.setattr(Envoy, "counters", changed)
        return bench

    return apply


def quick(then: Sabotage) -> Sabotage:
    """Updates that are waited for in vain are waited for briefly."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        for module in (health_checker, cluster):
            patch.setattr(module, "CONFIG_UPDATE_S", 0.5)
        return then(bench, case, patch)

    return soon(apply)


def always(health: str) -> Sabotage:
    """Servers say always the same of their health."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        patch.setattr(health_checker, "_STATUSES", dict.fromkeys(health_checker._STATUSES, health_checker._STATUSES[health]))
        return bench

    return quick(apply)


SERVED_BADLY = sabotage.answers(lambda answer: replace(answer, status=500))
WANTED = "x-dmconform-endpoint"
ADDRESS = "x-dmconform-address"

TABLE: tuple[Wrong, ...] = (
    at_policy(
        "works",
        "it does not know whom",
        without_header(WANTED),
        "expected /1 to come to the server first alone, it came to ..text of",
    ),
    at_policy(
        "works", "it has another text", used(config="another"), "expected .* balancers to be told|expected /3 to come to"
    ),
    at_policy("works", "others answer", soon(SERVED_BADLY), "expected /1 to be answered by first"),
    at_policy(
        "works", "it sees another weight", sabotage.log_says(" weight=2", " weight=7"), "expected the policy to see of /2"
    ),
    at_policy(
        "works",
        "all are healthy",
        endpoints_are(lambda one: replace(one, healthy=True)),
        "expected 2 balancers to be told that endpoints have changed",
    ),
    at_policy("works", "it is not told", soon(sabotage.log_without("dmconform members")), "expected 2 balancers to be told"),
    at_policy("works", "it does not count", counts(0), "expected the policy to count"),
    at_policy("works", "the SDK has none", LACKS, "has load-balancing policies", Outcome.NOT_APPLICABLE),
    at_checker(
        "works", "one is never ill", always("healthy"), "expected the admin interface to say /failed_active_hc of first"
    ),
    at_checker("works", "all are ill", always("unhealthy"), "expected the admin interface to say healthy of first"),
    at_checker("works", "it has another text", quick(used(config="another")), "expected 1 lines session .*, saw 0"),
    at_checker(
        "works",
        "it sees other metadata",
        endpoints_are(lambda one: replace(one, metadata={**one.metadata, "yes": True})),
        "expected the checker to see of second",
    ),
    at_checker("works", "others answer", soon(SERVED_BADLY), "expected 4 requests to be served by"),
    at_checker("works", "it is not told", soon(sabotage.log_without("dmconform health")), "expected 1 lines health .*, saw 0"),
    at_checker("works", "it is not counted", statistics_of("health_check.failure", 0), "expected .*failure to be more than 0"),
    at_checker("works", "the SDK has none", LACKS, "has health checkers", Outcome.NOT_APPLICABLE),
    at_cluster(
        "works", "it is asked for none", without_header(ADDRESS), "expected /1 to be answered by the server that it names"
    ),
    at_cluster(
        "works", "it has another text", quick(used(config="another")), "expected the admin interface to have the endpoints"
    ),
    at_cluster("works", "others answer", soon(SERVED_BADLY), "expected /1 to be answered"),
    at_cluster(
        "works", "it is told of others", sabotage.log_says("found=true", "found=false"), "expected the balancers to be told"
    ),
    at_cluster("works", "it sees a hash", sabotage.log_says("hash=false", "hash=true"), "expected the cluster to see of /1"),
    at_cluster(
        "works", "it never is ill", admin_says("/failed_eds_health", "healthy"), "expected the admin .* /failed_eds_health of"
    ),
    at_cluster(
        "works", "none are removed", soon(sabotage.log_without("dmconform removed")), "expected 1 lines removed .*, saw 0"
    ),
    at_cluster("works", "it does not count", counts(0), "expected the cluster to count 2 endpoints"),
    at_cluster("works", "the SDK has none", LACKS, "has clusters", Outcome.NOT_APPLICABLE),
    at_bridge(
        "works", "it has another text", used(config="another"), "expected the answer to /http1/get to have .*, .* another"
    ),
    at_bridge("works", "it is another one", used(name="bridge"), "expected the answer to /http1/get to have .*, it has None"),
    at_bridge("works", "others answer", SERVED_BADLY, "expected /http1/get to be answered by the bridge with 200"),
    at_bridge(
        "works",
        "it sees one value",
        sabotage.sent(lambda one: replace(one, headers={"x-dmconform-in": "second"})),
        "expected the server to get of /http1/get .*, it got",
    ),
    at_bridge(
        "works",
        "another body",
        sabotage.sent(lambda one: replace(one, body="another" if one.body else None)),
        "expected the server to get .*a body.* from the bridge, it got .*another",
    ),
    at_bridge(
        "works",
        "no trailers",
        sabotage.sent(lambda one: replace(one, trailers={})),
        "expected the trailers .*/http1/trailers, saw",
    ),
    at_bridge("works", "the host speaks HTTP", growing("cx_http1_total"), "expected the host to speak no HTTP to the server"),
    at_bridge("works", "the SDK has none", LACKS, "has upstream bridges", Outcome.NOT_APPLICABLE),
)
