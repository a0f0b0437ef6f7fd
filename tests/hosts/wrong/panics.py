"""Ways to make the cases of `panics` wrong."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest
from dmconform.casekit import panics, unloading
from dmconform.core.values import Language, Outcome
from dmconform.envoy.client import Answer, NoAnswer
from dmconform.envoy.config import HttpFilter, Listener, PerRoute
from dmconform.envoy.connected import Client
from dmconform.envoy.connection import Connection, Request
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.http1 import _Http1Exchange
from dmconform.matrix.cell import Cell, listener

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong

CPP, RUST = Language.CPP, Language.RUST
REQUEST = ("request_headers", "request_body", "request_trailers")
RESPONSE = ("response_headers", "response_body", "response_trailers")
EVENTS = ("callout_done", "scheduled")
AT_THE_END = ("stream_complete", "destroy")


def soon(then: Sabotage) -> Sabotage:
    """Waits that must end in vain are short."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        for name in ("LOG_LINE_S", "GAUGE_S"):
            patch.setattr(panics, name, 0.3)
        patch.setattr(unloading, "UNLOAD_S", 0.3)
        return then(bench, case, patch)

    return apply


@soon
def does_not_panic(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """No request asks for it."""
    patch.delitem(case.PANIC, "x-dmconform-panic")
    return bench


def crashes(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The filter ends the process in the place of a panic."""
    patch.setitem(case.PANIC, "x-dmconform-misbehave", "now")
    return soon(sabotage.filter_named("misbehave", "crash"))(bench, case, patch)


def other_panics(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """So does the request in flight elsewhere."""
    patch.setattr(case, "OTHER", replace(case.OTHER, headers=case.PANIC))
    return bench


def later_panics(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """So does the request after it."""
    request = Client.request

    def changed(client: Client, one: Request) -> Answer:
        return request(client, replace(one, headers=case.PANIC))

    patch.setattr(Client, "request", changed)
    return bench


@soon
def client_stays(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Connections stay open, as long as the test runs."""
    kept: list[Connection] = []

    def keep(connection: Connection) -> None:
        kept.append(connection)

    patch.setattr(Connection, "close", keep)
    return bench


@soon
def module_is_kept(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """A listener that nobody asked for uses the module."""
    reconfigure = Cell.reconfigure

    def changed(cell: Cell, envoy: Envoy, *listeners: Listener) -> None:
        reconfigure(cell, envoy, *listeners, listener("identity", name="further"))

    patch.setattr(Cell, "reconfigure", changed)
    return bench


def really(config: str, callback: str) -> Sabotage:
    """Filters panic in another callback, and the log says that it was this one."""
    reported = config.partition(" ")[0]
    return sabotage.both(sabotage.configured(config), sabotage.log_says(f"panic in {reported}", f"panic in {callback}"))


def unanswered(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """No answer comes to a request that panics."""
    finish = _Http1Exchange.finish

    def changed(exchange: _Http1Exchange) -> Answer:
        if exchange._request.path.startswith("/panics"):
            raise NoAnswer("not in time")
        return finish(exchange)

    patch.setattr(_Http1Exchange, "finish", changed)
    return bench


def other_goes_there(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """A request for the same path that does not panic reaches the upstream server."""
    patch.setattr(case, "OTHER", replace(case.OTHER, path="/panics"))
    return bench


def twice_in_the_log(callback: str) -> Sabotage:
    """The log has a second error with the payload for each."""
    return sabotage.log_says("[error]", f"[error] dmconform panic in {callback}\n[error]")


def routes_do_not_panic(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """What filters are told on routes is harmless."""
    to_json = PerRoute.to_json
    patch.setattr(PerRoute, "to_json", lambda one: to_json(replace(one, config="text")))
    return bench


def panics_later(one: HttpFilter) -> HttpFilter:
    """The configuration of a filter that would panic at once is another."""
    return replace(one, config="request_headers") if one.filter_name == "panic" else one


def said_anyhow(callback: str, then: Sabotage) -> Sabotage:
    """The log has the payload whether or not there was a panic."""
    return sabotage.both(then, sabotage.log_says("dmconform: initialised", f"dmconform panic in {callback}"))


LOGGED = "expected the log to hold 'dmconform panic in {}'"

NOT_WRAPPED = tuple(
    row
    for callback in ("creation", *REQUEST, *RESPONSE, *EVENTS, *AT_THE_END)
    for row in (
        Wrong(f"panics/{callback}", "does not panic", does_not_panic, LOGGED.format(callback)),
        Wrong(f"panics/{callback}", "not logged", soon(sabotage.log_without("dmconform panic")), LOGGED.format(callback)),
    )
)

IN_DETAIL = tuple(
    Wrong("panics/request_headers", how, wrong, detail, outcome, language)
    for language in (CPP, RUST)
    for how, wrong, detail, outcome in (
        (
            "panics elsewhere",
            soon(sabotage.configured("request_body")),
            LOGGED.format("request_headers"),
            Outcome.FAIL,
        ),
        ("harms one in flight", other_panics, "expected a request in flight elsewhere to be served", Outcome.FAIL),
        ("harms later ones", later_panics, "expected a later request to be served", Outcome.FAIL),
        (
            "client stays",
            client_stays,
            "nothing to be under way any more.*downstream_cx_active.: [1-9]",
            Outcome.FAIL,
        ),
        ("module is kept", module_is_kept, "expected libprobe.so to be unloaded with its listeners", Outcome.FAIL),
    )
)
PROCESS_ENDS = Wrong(
    "panics/request_headers", "ends the process", crashes, "SIGSEGV after a panic in request_headers$", Outcome.CRASH
)

CONFIGURATIONS = (
    *(
        Wrong(
            f"panics/{callback}",
            "not logged",
            soon(sabotage.log_without("dmconform panic")),
            LOGGED.format(callback),
        )
        for callback in ("configuration", "per_route_configuration")
    ),
    Wrong(
        "panics/configuration",
        "is accepted",
        said_anyhow("configuration", sabotage.filters(panics_later)),
        "expected a configuration that panics to be rejected",
    ),
    Wrong(
        "panics/per_route_configuration",
        "is accepted",
        said_anyhow("per_route_configuration", routes_do_not_panic),
        "expected a configuration that panics to be rejected",
    ),
)

ENDS = tuple(
    row
    for group, first in (
        ("request_path", "request_headers"),
        ("response_path", "response_headers"),
        ("event", "callout_done"),
        ("creation", "creation"),
    )
    for row in (
        Wrong(f"panics/{group}_ends", "does not panic", does_not_panic, LOGGED.format(first)),
        Wrong(
            f"panics/{group}_ends",
            "goes on",
            really("stream_complete", first),
            rf"panicked in {first} to end with an error or a reset, the client saw status 200",
        ),
        Wrong(f"panics/{group}_ends", "does not end", unanswered, "the client saw neither an answer nor an end"),
    )
)

WRAPPED = tuple(
    row
    for callback, other, detail in (
        *((one, "response_headers guarded", "client to see status 500, it saw connection cut") for one in REQUEST),
        *((one, "request_headers guarded", "its connection was cut, it saw status 500") for one in RESPONSE),
        *((one, "stream_complete guarded", "an error or a reset, it saw status 200") for one in EVENTS),
        *((one, "request_headers guarded", "to see status 200, it saw status 500") for one in AT_THE_END),
    )
    for row in (
        Wrong(f"panics/wrapped_{callback}", "ends otherwise", really(other, callback), detail, language=RUST),
        Wrong(
            f"panics/wrapped_{callback}",
            "next filter is called",
            twice_in_the_log(callback),
            "expected 1 errors in the log",
            language=RUST,
        ),
        Wrong(
            f"panics/wrapped_{callback}",
            "there is no wrapper",
            sabotage.recorded_of_sdk(catch_unwind=False),
            "no opt-in wrapper",
            Outcome.NOT_APPLICABLE,
            RUST,
        ),
    )
)

UPSTREAM = (
    *(
        Wrong(
            f"panics/wrapped_{callback}",
            "reaches the upstream server",
            other_goes_there,
            "expected the upstream server not to see a request that panicked",
            language=RUST,
        )
        for callback in ("request_headers", *EVENTS)
    ),
    *(
        Wrong(
            f"panics/wrapped_{callback}",
            "reaches the upstream server",
            other_goes_there,
            "expected the upstream server not to get the rest",
            language=RUST,
        )
        for callback in ("request_body", "request_trailers")
    ),
)

TABLE = (*NOT_WRAPPED, *IN_DETAIL, PROCESS_ENDS, *CONFIGURATIONS, *ENDS, *WRAPPED, *UPSTREAM)
