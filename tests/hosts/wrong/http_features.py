"""Ways to make the cases of `http_features` wrong."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest
from dmconform.envoy.client import Answer
from dmconform.envoy.connection import Request
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.headers import Headers

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong


def retried(value: int) -> Sabotage:
    """Envoy counts so many requests that succeeded by a retry."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        patch.setattr(Envoy, "statistic", lambda *_: value)
        return bench

    return apply


def impatient(then: Sabotage) -> Sabotage:
    """Waits that must end in vain are short."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        patch.setattr(case, "CONFIG_UPDATE_S", 0.5)
        return then(bench, case, patch)

    return apply


def never_comes(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The configuration that is to take the place of the default one is not there."""
    write = case.Discovered.write
    patch.setattr(
        case.Discovered, "write", lambda filter_, version, *configs: version == 2 or write(filter_, version, *configs)
    )
    return bench


def another_status(request: Request) -> Request:
    """The server is asked for another status of gRPC."""
    return replace(request, path=request.path.replace("grpc=7", "grpc=8"))


def no_call(request: Request) -> Request:
    """The request is none of gRPC."""
    return replace(request, headers=Headers({"content-type": "text/plain"}))


def without_module_trailer(answer: Answer) -> Answer:
    """The module's trailer is lost on the way."""
    kept = {name: value for name, value in answer.trailers.items() if not name.startswith("x-dmconform")}
    return replace(answer, trailers=Headers(kept))


TABLE = (
    Wrong(
        "http_features/route_inheritance",
        "the cluster has none of its own",
        sabotage.listeners_say('"value": "of the cluster"', '"value": "of the route"'),
        "expected the filter to be given .*'of the cluster'.*, it was given .*'of the route'",
    ),
    Wrong(
        "http_features/route_inheritance",
        "all routes have another",
        sabotage.listeners_say('"value": "of all routes"', '"value": "other"'),
        "expected the filter to be given .*'of all routes'.*, it was given .*'other'",
    ),
    Wrong(
        "http_features/route_inheritance",
        "another configuration",
        sabotage.configured("x"),
        "expected the filter to have 'features' as its own",
    ),
    Wrong(
        "http_features/disabled",
        "the route is another one",
        sabotage.listeners_say('"prefix": "/off"', '"prefix": "/elsewhere"'),
        "expected status and configuration .*, saw .*'/off': '418",
    ),
    Wrong(
        "http_features/disabled",
        "another configuration",
        sabotage.listeners_say('"value": "of the route"', '"value": "other"'),
        "expected status and configuration .*, saw .*'/on': '200, other'",
    ),
    Wrong(
        "http_features/retries",
        "one retry too few",
        sabotage.listeners_say('"num_retries": 2', '"num_retries": 1'),
        "expected the attempts",
    ),
    Wrong("http_features/retries", "changed twice", sabotage.filters_twice, "expected the attempts .*req.req.hello"),
    Wrong("http_features/retries", "not counted", retried(0), "expected one request to succeed by a retry, Envoy counts 0"),
    Wrong(
        "http_features/retries",
        "each attempt is handled",
        sabotage.answer_header("x-dmconform-count", "3"),
        "expected the headers .* of one answer",
    ),
    Wrong(
        "http_features/retries_on_the_upstream_side",
        "one retry too few",
        sabotage.listeners_say('"num_retries": 2', '"num_retries": 1'),
        "expected status, bodies upstream, and counts .*, saw .503",
    ),
    Wrong(
        "http_features/retries_on_the_upstream_side",
        "no filter there",
        sabotage.in_case("on_the_upstream_side", lambda *_: lambda _: None),
        r"expected status, bodies upstream, and counts .*, saw .200, .*, \[\], None",
    ),
    Wrong(
        "http_features/upgraded",
        "the module answers",
        sabotage.filter_named("local_reply", "418"),
        "expected status, header and bytes .*, saw .*HTTP/1.1 418",
    ),
    Wrong(
        "http_features/upgraded",
        "other bytes",
        sabotage.in_case("upgraded", lambda real, *given: (*real(*given)[:2], "not echoed")),
        "expected status, header and bytes .*, saw .*not echoed",
    ),
    Wrong(
        "http_features/upgraded",
        "plain requests are passed on",
        sabotage.requests(lambda _, options: options.update(listener="usual")),
        "expected a plain request to be answered",
    ),
    Wrong(
        "http_features/internal_redirect",
        "Envoy does not follow",
        sabotage.listeners_say('"max_internal_redirects": 2', '"max_internal_redirects": 0'),
        "expected one request for /old and one for /new",
    ),
    Wrong(
        "http_features/internal_redirect",
        "the route before",
        sabotage.listeners_say("of the new route", "of the old route"),
        "expected the headers .*of the new route.* of one answer, saw .*of the old route",
    ),
    Wrong(
        "http_features/internal_redirect", "another language", sabotage.language_is("go"), "expected the request header once"
    ),
    Wrong(
        "http_features/grpc",
        "another status",
        sabotage.sent(another_status),
        "expected status, type, status of gRPC and body .*'7'.*, saw .*'8'",
    ),
    Wrong("http_features/grpc", "no call", sabotage.sent(no_call), "expected Envoy to count calls and messages"),
    Wrong(
        "http_features/grpc",
        "a trailer is lost",
        sabotage.answers(without_module_trailer),
        "expected the module's trailer beside the status",
    ),
    Wrong("http_features/grpc_reply", "another language", sabotage.language_is("go"), "expected status, content-type"),
    Wrong("http_features/grpc_reply", "no call", sabotage.sent(no_call), "expected status, content-type.*saw .503"),
    Wrong(
        "http_features/chosen_by_a_match",
        "the wrong one is chosen",
        sabotage.listeners_say('"value": "second"', '"value": "first"'),
        "expected the matches .*, saw .*'second': '200, first'",
    ),
    Wrong(
        "http_features/chosen_by_a_match",
        "nothing is skipped",
        sabotage.listeners_say('"skipped": {', '"other": {'),
        "expected the matches .*, saw .*'skipped': '418'",
    ),
    Wrong(
        "http_features/discovered_with_default",
        "it never comes",
        impatient(never_comes),
        "expected the answers 418, then 422, then 422, saw .418, 418, 418",
    ),
    Wrong(
        "http_features/discovered_with_default",
        "the bad one is good",
        impatient(sabotage.with_copy_named("absent")),
        "expected the answers 418, then 422, then 422, saw .418, 422, 500",
    ),
)
