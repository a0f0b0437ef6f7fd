"""What a panic, or an exception, in a callback of an HTTP filter does: it ends the request that met it, and nothing else.

A cell asks with HTTP/1.1 first and with HTTP/2 then, of one Envoy: where the first panic ends the process, that is the result.
"""

from __future__ import annotations

from collections.abc import Callable

from dmconform.casekit import (
    PANICKED_S,
    Answer,
    Cell,
    End,
    Envoy,
    Feature,
    HttpFilter,
    Language,
    Listener,
    Minor,
    ModuleRef,
    PerRoute,
    Protocol,
    Request,
    answer_soon,
    assert_each_panic_logged_once,
    assert_nothing_left,
    assert_panic_logged,
    assert_served,
    case,
    in_words,
    listener,
    panic_lines,
    provoke_panic,
)

RUST = (Language.RUST,)
PANIC = {"x-dmconform-panic": "now"}
PATH = "/panics"
TRAILERS = {"x-trailer": "yes"}
WHOLE = Request(f"{PATH}?trailers", "POST", PANIC, "body", TRAILERS)
"""Makes every callback be called: it has a body and trailers, and so has its answer."""
HEADERS_ONLY = Request(PATH, headers=PANIC)
OTHER = Request("/other", "POST", body="body of another request")
AT_THE_END = ("stream_complete", "destroy")
STOPS_AT_HEADERS = ("request_headers", "callout_done", "scheduled")
CREATION_SINCE = Minor.parse("1.38")
NO_REQUEST_YET = "a filter cannot know its request when this host has it made"
GAUGES = ("http.main.downstream_rq_active", "http.main.downstream_cx_active", "cluster.upstream.upstream_rq_active")


def has_failed(answer: Answer | None) -> bool:
    """Returns whether a request has ended, and not as if nothing had happened."""
    return answer is not None and (answer.end is not End.COMPLETE or (answer.status or 0) >= 500)


def meet_panic(
    cell: Cell, envoy: Envoy, protocol: Protocol, callback: str, request: Request = WHOLE, listener: str = "main"
) -> Answer | None:
    """Returns how a request that panics in a callback ends; None if it does not.

    Requests in flight beside it (HTTP/2: on its own connection too) and after it must be served, and the payload be in the log.
    """
    before = len(panic_lines(envoy, callback))
    with (
        envoy.connect(protocol, listener=listener) as elsewhere,
        envoy.connect(protocol, listener=listener, patience_s=PANICKED_S) as connection,
    ):
        in_flight = elsewhere.begin(OTHER)
        beside = connection.begin(OTHER) if protocol is Protocol.HTTP2 else None
        provoke_panic(envoy, callback)
        panicking = connection.send(request)
        assert_panic_logged(envoy, callback, before)
        finished = in_flight.finish()
        assert finished.status == 200, f"expected a request in flight elsewhere to be served, it saw {finished.summary}"
        if beside is not None:
            assert_served(envoy, beside, "a request in flight on the same connection")
        later = elsewhere.request(OTHER)
        assert later.status == 200, f"expected a later request to be served, it saw {later.summary}"
        # The thread that panicked has served others since: what it does about the request, it has done.
        answer = answer_soon(envoy, panicking)
        cell.facts[f"{callback}, {protocol.value}"] = in_words(answer)
        if answer is not None and connection.look_if_open():
            assert_served(envoy, connection.send(OTHER), "a later request on the same connection")
        return answer


def gauges(envoy: Envoy) -> dict[str, int | None]:
    """Returns how many requests and connections are under way."""
    return {name: envoy.statistic(name) for name in GAUGES}


# Not wrapped: the guard at the boundary of the SDK.


def survived(cell: Cell, callback: str) -> None:
    """Asserts that a panic in this callback of a filter that is not wrapped harms nothing but the request that met it."""
    with cell.start(listener("panic", callback)) as envoy:
        for protocol in Protocol:
            meet_panic(cell, envoy, protocol, callback)
        assert_nothing_left(cell, envoy, lambda: gauges(envoy))


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_creation(cell: Cell) -> None:
    """A panic while the filter is made for a request leaves the process and other requests alone, and is logged."""
    cell.needs(cell.host_minor >= CREATION_SINCE, NO_REQUEST_YET)
    survived(cell, "creation")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_request_headers(cell: Cell) -> None:
    """A panic in request headers leaves the process and other requests alone, and is logged."""
    survived(cell, "request_headers")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_request_body(cell: Cell) -> None:
    """A panic in a request body leaves the process and other requests alone, and is logged."""
    survived(cell, "request_body")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_request_trailers(cell: Cell) -> None:
    """A panic in request trailers leaves the process and other requests alone, and is logged."""
    survived(cell, "request_trailers")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_response_headers(cell: Cell) -> None:
    """A panic in response headers leaves the process and other requests alone, and is logged."""
    survived(cell, "response_headers")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_response_body(cell: Cell) -> None:
    """A panic in a response body leaves the process and other requests alone, and is logged."""
    survived(cell, "response_body")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_response_trailers(cell: Cell) -> None:
    """A panic in response trailers leaves the process and other requests alone, and is logged."""
    survived(cell, "response_trailers")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_stream_complete(cell: Cell) -> None:
    """A panic when a stream is complete leaves the process and other requests alone, and is logged."""
    survived(cell, "stream_complete")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_destroy(cell: Cell) -> None:
    """A panic while the filter is destroyed leaves the process and other requests alone, and is logged."""
    cell.needs_feature(Feature.DESTROY)
    survived(cell, "destroy")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_callout_done(cell: Cell) -> None:
    """A panic when a callout is done leaves the process and other requests alone, and is logged."""
    survived(cell, "callout_done")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_scheduled(cell: Cell) -> None:
    """A panic in a scheduled event leaves the process and other requests alone, and is logged."""
    survived(cell, "scheduled")


def refused(cell: Cell, callback: str, panicking: Listener) -> None:
    """Asserts that a configuration that panics is rejected, while a request in flight and the listener before are served."""
    with cell.start(listener("identity")) as envoy:
        with envoy.connect(Protocol.HTTP1) as client:
            other = client.begin(OTHER)
            provoke_panic(envoy, callback)
            update = envoy.update(listener("identity"), panicking)
            assert_panic_logged(envoy, callback)
            assert not update.accepted, "expected a configuration that panics to be rejected, it was accepted"
            finished = other.finish()
            assert finished.status == 200, f"expected a request in flight to be served, it saw {finished.summary}"
        cell.assert_still_serves(envoy)


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_configuration(cell: Cell) -> None:
    """A configuration that panics is rejected, and the panic is logged."""
    refused(cell, "configuration", listener("panic", "configuration", name="panics"))


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_per_route_configuration(cell: Cell) -> None:
    """A configuration of a route that panics is rejected, and the panic is logged."""
    filter_ = HttpFilter(ModuleRef("probe"), "per_route", "text")
    route = PerRoute(filter_.entry, filter_.module, filter_.filter_name, "panic")
    refused(cell, "per_route_configuration", Listener("panics", (filter_,), (route,)))


def ends(cell: Cell, *panics: tuple[str, Request]) -> None:
    """Requests that panic in a callback end, and not as if nothing had happened."""
    listeners = (listener("panic", callback, name=callback) for callback in dict.fromkeys(one for one, _ in panics))
    with cell.start(*listeners) as envoy:
        for callback, request in panics:
            for protocol in Protocol:
                answer = meet_panic(cell, envoy, protocol, callback, request, callback)
                kind = "with a body and trailers" if request.has_more else "without a body"
                assert has_failed(answer), (
                    f"expected a {protocol.value} request {kind} that panicked in {callback} to end with an error or a reset, "
                    f"the client saw {in_words(answer)}"
                )


@case("errors.affected_ends", supported_for=RUST)
def test_request_path_ends(cell: Cell) -> None:
    """Whatever callback of the request path panics, the request ends."""
    ends(
        cell,
        ("request_headers", WHOLE),
        ("request_headers", HEADERS_ONLY),
        ("request_body", WHOLE),
        ("request_trailers", WHOLE),
    )


@case("errors.affected_ends", supported_for=RUST)
def test_response_path_ends(cell: Cell) -> None:
    """Whatever callback of the response path panics, the request ends."""
    ends(cell, ("response_headers", WHOLE), ("response_body", WHOLE), ("response_trailers", WHOLE))


@case("errors.affected_ends", supported_for=RUST)
def test_event_ends(cell: Cell) -> None:
    """A request for which the end of a callout panics, or a scheduled event, ends."""
    ends(cell, ("callout_done", WHOLE), ("scheduled", WHOLE))


@case("errors.affected_ends", supported_for=RUST)
def test_creation_ends(cell: Cell) -> None:
    """A request for which no filter could be made ends."""
    cell.needs(cell.host_minor >= CREATION_SINCE, NO_REQUEST_YET)
    ends(cell, ("creation", WHOLE))


# Wrapped: the SDK's opt-in wrapper.


def chain(callback: str) -> tuple[HttpFilter, ...]:
    """Returns a wrapped filter, and behind it, in the callback's direction, one that would panic as well were it called.

    At its end a stream calls all of its filters, also after one has failed: then the wrapped one is alone.
    """
    wrapped, bare = (HttpFilter(ModuleRef("probe"), "panic", config) for config in (f"{callback} guarded", callback))
    if callback in AT_THE_END:
        return (wrapped,)
    return (bare, wrapped) if callback.startswith("response_") else (wrapped, bare)


def fails_closed(cell: Cell, callback: str, judge: Callable[[Protocol, Answer | None], None]) -> None:
    """Has a wrapped filter panic: `judge` is given what the client saw, and what is behind the filter must see nothing more."""
    cell.needs(cell.sdk.catch_unwind, "this SDK version has no opt-in wrapper against panics")
    with (
        cell.upstream() as server,
        cell.start(Listener("main", chain(callback)), clusters={"upstream": server.port}) as envoy,
    ):
        for times, protocol in enumerate(Protocol, 1):
            judge(protocol, meet_panic(cell, envoy, protocol, callback))
            assert_each_panic_logged_once(envoy, callback, times)
        if callback in STOPS_AT_HEADERS:
            begun = server.count_begun(PATH)
            assert not begun, f"expected the upstream server not to see a request that panicked, it saw {begun} begin"
        if callback.startswith("request_"):
            whole = server.read_received(PATH)
            assert not whole, f"expected the upstream server not to get the rest of a request that panicked, it got {whole}"
        assert_nothing_left(cell, envoy, lambda: gauges(envoy))


def status_500(protocol: Protocol, answer: Answer | None) -> None:
    """Asserts what a client sees of a panic on the request path."""
    seen = in_words(answer)
    assert answer is not None and answer.status == 500, f"expected the {protocol.value} client to see status 500, it saw {seen}"


def reset(protocol: Protocol, answer: Answer | None) -> None:
    """Asserts what a client sees of a panic on the response path: HTTP/1.1 can end a stream only with its connection."""
    expected = End.RESET if protocol is Protocol.HTTP2 else End.CUT
    assert answer is not None and answer.end is expected, (
        f"expected the {protocol.value} client to see that {expected.value}, it saw {in_words(answer)}"
    )


def ended(protocol: Protocol, answer: Answer | None) -> None:
    """Asserts what a client sees of a panic in an event, for which the documents do not say which of the two it is."""
    assert has_failed(answer), f"expected the {protocol.value} client to see an error or a reset, it saw {in_words(answer)}"


def served_before(protocol: Protocol, answer: Answer | None) -> None:
    """Asserts what a client sees of a panic when all is over."""
    seen = in_words(answer)
    assert answer is not None and answer.status == 200, f"expected the {protocol.value} client to see status 200, it saw {seen}"


@case("errors.fail_closed_request", "errors.stop_iteration", "errors.others_unaffected", languages=RUST)
def test_wrapped_request_headers(cell: Cell) -> None:
    """A wrapped filter's panic in request headers gives the client status 500, stops the chain, and is logged."""
    fails_closed(cell, "request_headers", status_500)


@case("errors.fail_closed_request", "errors.stop_iteration", "errors.others_unaffected", languages=RUST)
def test_wrapped_request_body(cell: Cell) -> None:
    """A wrapped filter's panic in a request body gives the client status 500, stops the chain, and is logged."""
    fails_closed(cell, "request_body", status_500)


@case("errors.fail_closed_request", "errors.stop_iteration", "errors.others_unaffected", languages=RUST)
def test_wrapped_request_trailers(cell: Cell) -> None:
    """A wrapped filter's panic in request trailers gives the client status 500, stops the chain, and is logged."""
    fails_closed(cell, "request_trailers", status_500)


@case("errors.fail_closed_response", "errors.stop_iteration", "errors.others_unaffected", languages=RUST)
def test_wrapped_response_headers(cell: Cell) -> None:
    """A wrapped filter's panic in response headers resets the stream, stops the chain, and is logged."""
    fails_closed(cell, "response_headers", reset)


@case("errors.fail_closed_response", "errors.stop_iteration", "errors.others_unaffected", languages=RUST)
def test_wrapped_response_body(cell: Cell) -> None:
    """A wrapped filter's panic in a response body resets the stream, stops the chain, and is logged."""
    fails_closed(cell, "response_body", reset)


@case("errors.fail_closed_response", "errors.stop_iteration", "errors.others_unaffected", languages=RUST)
def test_wrapped_response_trailers(cell: Cell) -> None:
    """A wrapped filter's panic in response trailers resets the stream, stops the chain, and is logged."""
    fails_closed(cell, "response_trailers", reset)


@case("errors.affected_ends", "errors.guard", "errors.others_unaffected", languages=RUST)
def test_wrapped_callout_done(cell: Cell) -> None:
    """A wrapped filter's panic when a callout is done ends the request, and is logged."""
    fails_closed(cell, "callout_done", ended)


@case("errors.affected_ends", "errors.guard", "errors.others_unaffected", languages=RUST)
def test_wrapped_scheduled(cell: Cell) -> None:
    """A wrapped filter's panic in a scheduled event ends the request, and is logged."""
    fails_closed(cell, "scheduled", ended)


@case("errors.guard", "errors.others_unaffected", languages=RUST)
def test_wrapped_stream_complete(cell: Cell) -> None:
    """A wrapped filter's panic when its stream is complete does no harm, as the client has its answer, and is logged."""
    fails_closed(cell, "stream_complete", served_before)


@case("errors.guard", "errors.others_unaffected", languages=RUST)
def test_wrapped_destroy(cell: Cell) -> None:
    """A wrapped filter's panic while it is destroyed does no harm, as the client has its answer, and is logged."""
    cell.needs_feature(Feature.DESTROY)
    fails_closed(cell, "destroy", served_before)
