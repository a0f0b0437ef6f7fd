"""Ways to make the cases of early header mutations and of header formatters wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import ModuleType

import pytest
from dmconform.casekit import points
from dmconform.casekit.at_points import early_header_mutation, header_formatter
from dmconform.casekit.raw_client import RawClient
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Language
from dmconform.envoy.connection import Request
from dmconform.envoy.headers import Headers

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import NEWEST, Wrong
from tests.hosts.wrong.points import like_first, used, wrong_at

at_mutation = partial(wrong_at, ExtensionPoint.EARLY_HEADER_MUTATION, language=Language.RUST, host=NEWEST)
at_formatter = partial(wrong_at, ExtensionPoint.HEADER_FORMATTER, language=Language.RUST, host=NEWEST)
SERVED_BADLY = sabotage.answers(lambda answer: replace(answer, status=503))


def without(name: str) -> Sabotage:
    """Requests lack a header."""

    def change(request: Request) -> Request:
        headers = request.headers
        pairs = headers.pairs if isinstance(headers, Headers) else tuple(headers.items())
        return replace(request, headers=Headers([pair for pair in pairs if pair[0] != name]))

    return sabotage.sent(change)


def body(old: str, new: str) -> Sabotage:
    """Clients get another text in the place of one in bodies."""
    return sabotage.answers(lambda one: replace(one, body=one.body.replace(old, new)))


def received(change: Callable[[bytes], bytes]) -> Sabotage:
    """A raw client gets other bytes up to an end."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        read_until, read = RawClient.read_until, RawClient.read
        patch.setattr(RawClient, "read_until", lambda client, end: change(read_until(client, end)))
        patch.setattr(RawClient, "read", lambda client, size: change(read(client, size)))
        return bench

    return apply


def lower(only: str) -> Callable[[bytes], bytes]:
    """Writes one name in lower case."""
    return lambda data: data.replace(only.encode(), only.lower().encode())


def one_side(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The cluster has no formatter."""
    working = points.working_at_point

    def unaltered(*arguments: object, **_: Mapping[str, object]) -> object:
        return working(*arguments)  # type: ignore[arg-type] # as they come

    patch.setattr(header_formatter, "working_at_point", unaltered)
    return bench


TABLE: tuple[Wrong, ...] = (
    at_mutation("works", "it has another text", used(config="another"), "expected the module to see of /http1 .*, it saw"),
    at_mutation("works", "it does nothing", used(name="panic", config="none"), "expected the module to see .*, it saw None"),
    at_mutation("works", "another path", body("path=/http2", "path=/"), "expected the module to see of /http2"),
    at_mutation("works", "nothing is added", body('"added"', '"other"'), "expected x-dmconform-in to come as"),
    at_mutation(
        "works",
        "nothing is removed",
        body('["x-dmconform-early"', '["x-dmconform-removed", ""], ["x-dmconform-early"'),
        "it came",
    ),
    at_mutation("works", "the path stays", without("x-dmconform-path"), "to lead to Envoy's answer, saw"),
    at_mutation("works", "another path upstream", body('"/elsewhere"', '"/"'), "expected the path upstream to be .*, saw /"),
    at_mutation(
        "works",
        "there is one",
        like_first(early_header_mutation, "_with_two"),
        "expected 2 of two mutations to change a request",
    ),
    at_mutation("works", "it goes on", without("x-dmconform-last"), "expected 1 of two mutations to change a request"),
    at_mutation("ends", "is not served", SERVED_BADLY, "expected traffic to be served"),
    at_formatter("works", "it has another text", used(config="another"), "expected names to go upstream as"),
    at_formatter(
        "works", "it does nothing", used(name="panic", config="none"), "expected names to go upstream as .*'x-dmconform-in'"
    ),
    at_formatter("works", "another spelling", received(lower("X-DmConform-In")), "expected names to go upstream as"),
    at_formatter("works", "the second is the first", received(lower("Accept")), "expected names to go upstream as .*'Accept'"),
    at_formatter("works", "nothing is added", received(lower("X-REQUEST-ID")), "expected X-REQUEST-ID to be added in capital"),
    at_formatter(
        "works", "added otherwise", received(lower("X-FORWARDED-PROTO")), "expected what Envoy adds in capital letters"
    ),
    at_formatter(
        "works", "HTTP/2 as well", body("x-dmconform-text", "X-Dmconform-Text"), "of HTTP/2 to go upstream in lower case"
    ),
    at_formatter("works", "upstream only", one_side, "expected the client to get the name X-Dmconform-Text"),
    at_formatter(
        "works",
        "nothing came",
        received(lambda data: data.replace(b"content-length", b"CONTENT-LENGTH")),
        "expected content-length as",
    ),
    at_formatter("works", "lower case back", received(lower("SERVER")), "expected SERVER to be added in capital letters"),
    at_formatter("ends", "is not served", SERVED_BADLY, "expected traffic to be served"),
)
