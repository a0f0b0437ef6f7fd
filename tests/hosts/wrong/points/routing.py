"""Ways to make the cases of specifiers of clusters and of routes, and of the inputs of matchers, wrong."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Outcome
from dmconform.envoy.client import Answer
from dmconform.envoy.connection import Request
from dmconform.envoy.extension_points.http import METADATA_HEADER, OTHER, ROUTE_HEADER, TAKEN
from dmconform.envoy.headers import Headers

from tests.hosts import sabotage
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong
from tests.hosts.wrong.points import LACKS, counts, soon, used, wrong_at

HOST = "1.40.0"
at_cluster = partial(wrong_at, ExtensionPoint.CLUSTER_SPECIFIER, host=HOST)
at_route = partial(wrong_at, ExtensionPoint.ROUTE_SPECIFIER, host=HOST)
at_input = partial(wrong_at, ExtensionPoint.MATCHER_DATA_INPUT, host=HOST)
SEEN, NUMBER = f"{METADATA_HEADER}seen", f"{METADATA_HEADER}number"
ASK, CLUSTER, CODE = "x-dmconform-ask", "x-dmconform-cluster", "x-dmconform-code"


def asked(name: str, value: str, instead: str | None = None) -> Sabotage:
    """Requests with this value of a header have another one instead, or do not have the header."""

    def changed(one: Request) -> Request:
        if one.headers.get(name) != value:
            return one
        kept = Headers([pair for pair in Headers(one.headers).pairs if pair[0] != name])
        return replace(one, headers=kept if instead is None else kept | {name: instead})

    return sabotage.sent(changed)


def answered(name: str, old: str, new: str) -> Sabotage:
    """Clients see another text in a response header that they do see."""

    def changed(one: Answer) -> Answer:
        seen = one.headers.get(name)
        return one if seen is None else replace(one, headers=one.headers | {name: seen.replace(old, new)})

    return sabotage.answers(changed)


SERVED_BADLY = sabotage.answers(lambda answer: replace(answer, status=503))
IDLE = used(name="panic", config="none")
NOT_ASKED = soon(sabotage.headers_at("/asked", {}))
LOGGED = "expected the log to hold 'dmconform panic in {}'"

GIVEN = "expected a request with text and value to take the route taken"

TABLE: tuple[Wrong, ...] = (
    at_cluster("works", "it has another text", used(config="another"), "expected .* to have 'text of its own', .* 'another'"),
    at_cluster("works", "it does not work", IDLE, "expected .* to have 'text of its own', .* None"),
    at_cluster("works", "a header is missed", answered(SEEN, "one,two", "one"), "expected .* to see .*one,two"),
    at_cluster("works", "another number", answered(NUMBER, "7", "8"), "expected .* to have 7 and true, saw"),
    at_cluster("works", "no time-out", asked("x-dmconform-timeout", "1234"), "expected .* 1234 ms for its answer, .* 15000"),
    at_cluster("works", "a cluster that there is", asked(CLUSTER, "nowhere"), "expected .* to get status 503, saw status 200"),
    at_cluster("works", "no status", asked(CODE, "404"), "expected .* to get status 404, saw status 503"),
    at_cluster(
        "works", "a status that there is", asked(CODE, "700", "503"), "expected .*'code': 'false'.* saw .*'code': 'true'"
    ),
    at_cluster("works", "it names one", asked(CLUSTER, "-"), "expected .* to get status 503, saw status 200"),
    at_cluster("works", "it decides", asked(ASK, "undecided"), "expected .* to get status 503, saw status 200"),
    at_cluster("works", "it does not count", counts(0), "expected the specifier to count 14 selections, it counts 0"),
    at_cluster("works", "one cluster", asked(CLUSTER, "second", "first"), "expected the request for second to reach it alone"),
    at_cluster("works", "the SDK has none", LACKS, "has cluster specifiers", Outcome.NOT_APPLICABLE),
    at_cluster("panic_in_traffic", "it is not asked to", NOT_ASKED, LOGGED.format("select")),
    at_cluster("panic_in_traffic", "others suffer", SERVED_BADLY, "expected traffic to go on after a panic in select"),
    at_route("works", "it has another text", used(config="another"), "expected .* 'rust text of its own', .* 'rust another'"),
    at_route("works", "it does not work", IDLE, "expected .* 'rust text of its own', it is None"),
    at_route("works", "another route", answered("x-dmconform-seen", "15000", "1"), "expected the specifier to see .*15000"),
    at_route("works", "nothing is changed", asked(ASK, "change"), "expected the upstream server to see .*/changed.*it saw"),
    at_route("works", "a header is kept", sabotage.answer_header("x-dmconform-out", "yes"), "expected the client to see"),
    at_route("works", "no status", asked(CODE, "404"), "expected .* to get status 404, saw status 503"),
    *(
        at_route("works", f"{word} is not asked", asked(ASK, word), "expected the route to set .* to None, it is 'rust text")
        for word in ("pass", "error", "previous")
    ),
    *(
        at_route("works", f"{word} is not asked", asked(ASK, word), "expected .* to get status 404, saw status 200")
        for word in ("none", "skip")
    ),
    at_route("works", "it stops nothing", asked(ASK, "stop"), "expected .* 'rust text of its own', .* 'rust another'"),
    at_route("works", "it skips nothing", asked(ASK, "skip answers"), "expected .* 'rust text of its own', it is None"),
    at_route("works", "it does not count", counts(0), "expected the specifier to count 28 routes, it counts 0"),
    at_route("works", "one cluster", asked(CLUSTER, "second", "first"), "expected the request for second to reach it alone"),
    at_route("works", "the SDK has none", LACKS, "has route specifiers", Outcome.NOT_APPLICABLE),
    at_route("panic_in_traffic", "it is not asked to", NOT_ASKED, LOGGED.format("route")),
    at_route("panic_in_traffic", "others suffer", SERVED_BADLY, "expected traffic to go on after a panic in route"),
    at_input("works", "it has another text", used(config="another"), GIVEN),
    at_input("works", "it gives nothing", IDLE, GIVEN),
    at_input(
        "works",
        "another value",
        asked("x-dmconform-in", "text of its own: a value", "another"),
        GIVEN,
    ),
    at_input("works", "all is taken", sabotage.answer_header(ROUTE_HEADER, TAKEN), "expected .* with another value .* other"),
    at_input(
        "works",
        "nothing is taken",
        sabotage.answer_header(ROUTE_HEADER, OTHER),
        GIVEN,
    ),
    at_input("works", "nobody is served", SERVED_BADLY, "expected a request with text and value to be answered"),
    at_input("works", "the SDK has none", LACKS, "has string data inputs", Outcome.NOT_APPLICABLE),
    at_input("panic_in_traffic", "it is not asked to", NOT_ASKED, LOGGED.format("get")),
    at_input("panic_in_traffic", "others suffer", SERVED_BADLY, "expected traffic to go on after a panic in get"),
)
