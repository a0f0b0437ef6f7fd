"""Ways to make the cases of `upstream_filter` wrong."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.source_server import SourceServer

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.wrong import Wrong


def nowhere(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The filter is on neither side."""
    patch.setattr(case, "on_the_upstream_side", lambda *_, **__: None)
    return bench


def no_breaker(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """No circuit breaker is set."""
    real = case.on_the_upstream_side
    patch.setattr(case, "on_the_upstream_side", lambda filter_, **_: real(filter_))
    return bench


def stays_there(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The callout goes on when its client has gone."""
    patch.setattr(case, "REQUEST_S", 0.5)
    seen = Envoy.statistic

    def always_one(envoy: Envoy, name: str) -> int | None:
        return 1 if name == case.ACTIVE else seen(envoy, name)

    patch.setattr(Envoy, "statistic", always_one)
    return bench


def never_comes(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The callout does not come."""
    patch.setattr(case, "REQUEST_S", 0.5)
    patch.setattr(SourceServer, "count_fetches", lambda *_: 0)
    return bench


def other_headers(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Requests do not ask what the case asks."""

    def change(_: str, options: dict[str, Any]) -> None:
        options["headers"] = {}

    return sabotage.requests(change)(bench, _, patch)


TABLE = (
    Wrong("upstream_filter/traffic", "nowhere", nowhere, "expected the response header to be set"),
    Wrong("upstream_filter/traffic", "another text", sabotage.configured("another"), "expected the response header to be set"),
    Wrong("upstream_filter/traffic", "another question", other_headers, "expected the request header upstream"),
    Wrong("upstream_filter/overflow", "closed", no_breaker, "to be answered with 503"),
    Wrong("upstream_filter/overflow", "nowhere", nowhere, "to be answered with 503"),
    Wrong("upstream_filter/early_answer", "another filter", sabotage.filter_named("identity"), "expected the module to change"),
    Wrong(
        "upstream_filter/early_answer",
        "a local reply",
        sabotage.filter_named("local_reply", "418"),
        "expected the answer 403 before",
    ),
    Wrong("upstream_filter/client_gone_during_callout", "goes on", stays_there, "expected the callout to end"),
    Wrong("upstream_filter/client_gone_during_callout", "never comes", never_comes, "expected the callout to come"),
)
