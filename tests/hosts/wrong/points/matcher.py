"""Ways to make the cases of input matchers wrong."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Outcome
from dmconform.envoy.connection import Request
from dmconform.envoy.extension_points.http import ROUTE_HEADER, TAKEN

from tests.hosts import sabotage
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong
from tests.hosts.wrong.points import LACKS, soon, used, wrong_at

at_matcher = partial(wrong_at, ExtensionPoint.MATCHER)


def without(name: str, value: str | None = None) -> Sabotage:
    """Requests do not carry a header, or not with this value."""

    def changed(one: Request) -> Request:
        has_it = name in one.headers and value in (None, one.headers[name])
        return replace(one, headers={key: its for key, its in one.headers.items() if key != name}) if has_it else one

    return sabotage.sent(changed)


SERVED_BADLY = sabotage.answers(lambda answer: replace(answer, status=503))

TABLE: tuple[Wrong, ...] = (
    at_matcher("works", "it has another text", used(config="another"), "expected .* has the text to take .* taken, .* other"),
    at_matcher("works", "it does not match", used(name="panic", config="none"), "expected .* that has the text to take"),
    at_matcher(
        "works",
        "it matches all",
        sabotage.answer_header(ROUTE_HEADER, TAKEN),
        "expected .* that has another text to take the route other, it took taken",
    ),
    at_matcher("works", "one of two headers", without("x-dmconform-many"), "expected .* with two headers of one name"),
    at_matcher("works", "nothing is asked", without("x-dmconform-ask", "response"), "expected .* whose response is .* - 0 0"),
    at_matcher("works", "no number", without("x-dmconform-ask", "headers"), r"expected .* one number of headers, .* to \[\]"),
    at_matcher("works", "a header is missed", without("x-c"), "expected the matcher to see 3 more than"),
    at_matcher("works", "nobody is served", SERVED_BADLY, "expected a matched request to be answered, saw status 503"),
    at_matcher("works", "the SDK has none", LACKS, "has input matchers", Outcome.NOT_APPLICABLE),
    at_matcher(
        "panic_in_traffic",
        "it is not asked to",
        soon(sabotage.headers_at("/asked", {})),
        "expected the log to hold 'dmconform panic in match'",
    ),
    at_matcher("panic_in_traffic", "others suffer", SERVED_BADLY, "expected traffic to go on after a panic in match"),
)
