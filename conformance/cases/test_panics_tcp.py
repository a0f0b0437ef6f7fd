"""What a panic in a callback of a network or a listener filter does: it ends the connection that met it, and nothing else.

Connections go to the upstream server as they are; they carry HTTP/1.1, so that server and client can see what has come.
"""

from __future__ import annotations

import contextlib

from dmconform.casekit import (
    PANICKED_S,
    REQUEST_S,
    Answer,
    Cell,
    Envoy,
    ExtensionPoint,
    Language,
    Listener,
    ListenerFilter,
    ModuleRef,
    NetworkFilter,
    Protocol,
    Request,
    answer_soon,
    assert_each_panic_logged_once,
    assert_nothing_left,
    assert_panic_logged,
    case,
    in_words,
    panic_lines,
    provoke_panic,
)

RUST = (Language.RUST,)
PROBE = ModuleRef("probe")
PATH = "/panics"
PANIC = {"x": "dmconform panic"}
PANICKING = Request(PATH, headers=PANIC)
"""Has the bytes that filters look for, within the 64 that a listener filter sees; so has the answer, which repeats them."""
OTHER = Request("/other", "POST", body="body of another request")
EACH_CONNECTION = ("creation", "new_connection", "accept")
"""These panic for every connection of their listener; the others for those with the bytes."""
AT_THE_END = ("event", "destroy")
NO_WRAPPER = "this SDK version has no opt-in wrapper against panics"


def network(name: str, *configs: str) -> Listener:
    """Returns a listener with network filters that panic."""
    return Listener(name, network=tuple(NetworkFilter(PROBE, "panic", config) for config in configs), tcp=True)


def listening(name: str, *configs: str) -> Listener:
    """Returns a listener with listener filters that panic."""
    return Listener(name, listening=tuple(ListenerFilter(PROBE, "panic", config) for config in configs), tcp=True)


def meet_panic(cell: Cell, envoy: Envoy, callback: str, name: str = "main") -> Answer | None:
    """Returns what a client sees whose connection meets a panic; None if its connection neither ends nor answers.

    Requests in flight on other connections (of the same listener too, unless it panics for each) and later ones must be served,
    and the payload be in the log. A callback at the end of a connection panics when the client has gone.
    """
    before = len(panic_lines(envoy, callback))
    others = ["other"] if callback in EACH_CONNECTION else ["other", name]
    with contextlib.ExitStack() as clients:
        elsewhere = [clients.enter_context(envoy.connect(Protocol.HTTP1, listener=one)) for one in others]
        in_flight = [client.begin(OTHER) for client in elsewhere]
        timeout_s = REQUEST_S if callback in AT_THE_END else PANICKED_S
        provoke_panic(envoy, callback)
        with envoy.connect(Protocol.HTTP1, listener=name, patience_s=timeout_s) as connection:
            panicking = connection.send(PANICKING)
            if callback not in AT_THE_END:
                assert_panic_logged(envoy, callback, before)
            for one in in_flight:
                finished = one.finish()
                assert finished.status == 200, f"expected a request in flight elsewhere to be served, it saw {finished.summary}"
            for client in elsewhere:
                later = client.request(OTHER)
                assert later.status == 200, f"expected a later request to be served, it saw {later.summary}"
            # The thread that panicked has served others since: what it does about the connection, it has done.
            answer = answer_soon(envoy, panicking)
        if callback in AT_THE_END:
            assert_panic_logged(envoy, callback, before)
    cell.facts[f"{name}: {callback}"] = in_words(answer)
    return answer


def gauges(envoy: Envoy) -> dict[str, int | None]:
    """Returns how many connections are open, or about to be."""
    found: dict[str, int | None] = {
        name: value for name, value in envoy.counters("listener.127").items() if name.endswith("cx_active")
    }
    return found | {"upstream": envoy.statistic("cluster.upstream.upstream_cx_active")}


# Not wrapped: the guard at the boundary of the SDK.


def survived(cell: Cell, callback: str, panicking: Listener, other: Listener) -> None:
    """Asserts that a panic in this callback of a filter that is not wrapped harms only the connection that met it.

    Other cases show whether that connection ends; where it does, nothing is left of it.
    """
    with cell.start(panicking, other) as envoy:
        if meet_panic(cell, envoy, callback) is not None:
            assert_nothing_left(cell, envoy, lambda: gauges(envoy))


def network_survived(cell: Cell, callback: str) -> None:
    """Asserts that a panic in this callback of a network filter harms nothing but its connection."""
    cell.needs_point(ExtensionPoint.NETWORK_FILTER)
    survived(cell, callback, network("main", callback), network("other", "none"))


def listener_survived(cell: Cell, callback: str) -> None:
    """Asserts that a panic in this callback of a listener filter harms nothing but its connection."""
    cell.needs_point(ExtensionPoint.LISTENER_FILTER)
    survived(cell, callback, listening("main", callback), listening("other", "none"))


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_network_creation(cell: Cell) -> None:
    """A panic while a network filter is made leaves the process and other connections alone, and is logged."""
    network_survived(cell, "creation")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_network_new_connection(cell: Cell) -> None:
    """A panic when a network filter meets a new connection leaves the process and other connections alone, and is logged."""
    network_survived(cell, "new_connection")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_network_read(cell: Cell) -> None:
    """A panic in what a network filter reads leaves the process and other connections alone, and is logged."""
    network_survived(cell, "read")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_network_write(cell: Cell) -> None:
    """A panic in what a network filter writes leaves the process and other connections alone, and is logged."""
    network_survived(cell, "write")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_network_event(cell: Cell) -> None:
    """A panic at an event of a network filter's connection leaves the process and other connections alone, and is logged."""
    network_survived(cell, "event")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_network_destroy(cell: Cell) -> None:
    """A panic while a network filter is destroyed leaves the process and other connections alone, and is logged."""
    network_survived(cell, "destroy")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_listener_creation(cell: Cell) -> None:
    """A panic while a listener filter is made leaves the process and other connections alone, and is logged."""
    listener_survived(cell, "creation")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_listener_accept(cell: Cell) -> None:
    """A panic when a listener filter meets a new connection leaves the process and other connections alone, and is logged."""
    listener_survived(cell, "accept")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_listener_data(cell: Cell) -> None:
    """A panic in what a listener filter sees leaves the process and other connections alone, and is logged."""
    listener_survived(cell, "data")


def ends(cell: Cell, *panicking: Listener, other: Listener) -> None:
    """Connections to these listeners, each named as its callback, end when they meet the panic."""
    with cell.start(*panicking, other) as envoy:
        for one in panicking:
            answer = meet_panic(cell, envoy, one.name, one.name)
            cut = answer is not None and answer.was_cut
            assert cut, f"expected a connection that met a panic in {one.name} to be closed, the client saw {in_words(answer)}"


@case("errors.affected_ends", supported_for=RUST)
def test_network_ends(cell: Cell) -> None:
    """Whatever callback of a network filter panics while its connection is open, the connection is closed."""
    cell.needs_point(ExtensionPoint.NETWORK_FILTER)
    callbacks = ("creation", "new_connection", "read", "write")
    ends(cell, *(network(one, one) for one in callbacks), other=network("other", "none"))


@case("errors.affected_ends", supported_for=RUST)
def test_listener_ends(cell: Cell) -> None:
    """Whatever callback of a listener filter panics, the socket is closed."""
    cell.needs_point(ExtensionPoint.LISTENER_FILTER)
    callbacks = ("creation", "accept", "data")
    ends(cell, *(listening(one, one) for one in callbacks), other=listening("other", "none"))


# Wrapped: the SDK's opt-in wrapper.


def fails_closed(cell: Cell, callback: str, panicking: Listener, other: Listener) -> None:
    """Asserts that a wrapped filter's panic closes the client's connection, and what is behind the filter sees nothing more.

    A second filter, next in the direction of the callback, would panic as well were it called.
    """
    cell.needs(cell.sdk.catch_unwind, NO_WRAPPER)
    with cell.upstream() as server, cell.start(panicking, other, clusters={"upstream": server.port}) as envoy:
        answer = meet_panic(cell, envoy, callback)
        cut = answer is not None and answer.was_cut and answer.status_so_far is None
        assert cut, f"expected the client to see its connection closed without an answer, it saw {in_words(answer)}"
        assert_each_panic_logged_once(envoy, callback, 1)
        begun = server.count_begun(PATH)
        expected = 1 if callback == "write" else 0  # writing is the way back
        assert begun == expected, f"expected {expected} requests to reach the upstream server, it saw {begun} begin"
        assert_nothing_left(cell, envoy, lambda: gauges(envoy))


def network_fails_closed(cell: Cell, callback: str) -> None:
    """Asserts that a wrapped network filter's panic closes its connection."""
    cell.needs_point(ExtensionPoint.NETWORK_FILTER)
    chain = (f"{callback} guarded", callback)
    in_direction = tuple(reversed(chain)) if callback == "write" else chain
    fails_closed(cell, callback, network("main", *in_direction), network("other", "none"))


def listener_fails_closed(cell: Cell, callback: str) -> None:
    """Asserts that a wrapped listener filter's panic closes its socket."""
    cell.needs_point(ExtensionPoint.LISTENER_FILTER)
    fails_closed(cell, callback, listening("main", f"{callback} guarded", callback), listening("other", "none"))


@case("errors.fail_closed_network", "errors.stop_iteration", "errors.others_unaffected", languages=RUST)
def test_wrapped_network_new_connection(cell: Cell) -> None:
    """A wrapped network filter's panic at a new connection closes it, stops the chain, and is logged."""
    network_fails_closed(cell, "new_connection")


@case("errors.fail_closed_network", "errors.stop_iteration", "errors.others_unaffected", languages=RUST)
def test_wrapped_network_read(cell: Cell) -> None:
    """A wrapped network filter's panic in what it reads closes the connection, stops the chain, and is logged."""
    network_fails_closed(cell, "read")


@case("errors.fail_closed_network", "errors.stop_iteration", "errors.others_unaffected", languages=RUST)
def test_wrapped_network_write(cell: Cell) -> None:
    """A wrapped network filter's panic in what it writes closes the connection, stops the chain, and is logged."""
    network_fails_closed(cell, "write")


@case("errors.fail_closed_listener", "errors.stop_iteration", "errors.others_unaffected", languages=RUST)
def test_wrapped_listener_accept(cell: Cell) -> None:
    """A wrapped listener filter's panic at a new connection closes the socket, stops the chain, and is logged."""
    listener_fails_closed(cell, "accept")


@case("errors.fail_closed_listener", "errors.stop_iteration", "errors.others_unaffected", languages=RUST)
def test_wrapped_listener_data(cell: Cell) -> None:
    """A wrapped listener filter's panic in what it sees closes the socket, stops the chain, and is logged."""
    listener_fails_closed(cell, "data")


def wrapped_at_the_end(cell: Cell, callback: str) -> None:
    """Asserts that a client has its answer before a wrapped network filter panics at the end of the connection."""
    cell.needs_point(ExtensionPoint.NETWORK_FILTER)
    cell.needs(cell.sdk.catch_unwind, NO_WRAPPER)
    with cell.start(network("main", f"{callback} guarded"), network("other", "none")) as envoy:
        answer = meet_panic(cell, envoy, callback)
        assert answer is not None and answer.status == 200, f"expected the client to see status 200, it saw {in_words(answer)}"
        assert_nothing_left(cell, envoy, lambda: gauges(envoy))


@case("errors.guard", "errors.others_unaffected", languages=RUST)
def test_wrapped_network_event(cell: Cell) -> None:
    """A wrapped network filter's panic at the end of its connection does no harm, and is logged."""
    wrapped_at_the_end(cell, "event")


@case("errors.guard", "errors.others_unaffected", languages=RUST)
def test_wrapped_network_destroy(cell: Cell) -> None:
    """A wrapped network filter's panic while it is destroyed does no harm, and is logged."""
    wrapped_at_the_end(cell, "destroy")
