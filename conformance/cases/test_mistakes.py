"""What a mistake in a module's code does to the host, where the language and the SDK let safe code make it.

Safe code: Rust without `unsafe`, Go without the package of that name, C++ by the SDK's classes alone.
"""

from __future__ import annotations

import contextlib

from dmconform.casekit import (
    PANICKED_S,
    Cell,
    ExtensionPoint,
    Feature,
    HostCrashed,
    Language,
    Listener,
    Protocol,
    Request,
    answer_soon,
    assert_panic_logged,
    bootstrap_extension,
    case,
    in_words,
    listener,
    module_cluster,
    provoke_panic,
)

RUST = (Language.RUST,)
PANIC = {"x-dmconform-panic": "now"}
TIMES = 50
BORROWED = (
    "safe Rust cannot keep it: what the SDK lends is borrowed for the time of the callback, and the compiler refuses the rest"
)
IS_NOEXCEPT = "a destructor that throws ends the process in C++ itself, so that no SDK can guard it"


def survived(cell: Cell, kind: str) -> None:
    """Has a request meet a panic of another kind than a text, and asserts that another one is served after it."""
    with cell.start(listener("odd_panic", kind)) as envoy, envoy.connect(Protocol.HTTP1, patience_s=PANICKED_S) as connection:
        when = f"after a panic with a value that is no text ({kind})"
        envoy.provoke(when)
        panicking = connection.send(Request("/panics", headers=PANIC))
        later = envoy.request("/later")
        assert later.status == 200, f"expected a later request to be served, it saw {later.summary}"
        answer = answer_soon(envoy, panicking)
        cell.facts["the request that met it"] = in_words(answer)
        assert answer is None or answer.status != 200, "expected the request to meet a panic, it was served"
        envoy.check_survived(when)


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_panic_with_a_number(cell: Cell) -> None:
    """A panic whose value is a number and no text leaves the process and other requests alone."""
    survived(cell, "value")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_panic_in_a_panic(cell: Cell) -> None:
    """A panic whose value panics as well, once it is printed or dropped, leaves the process and other requests alone."""
    cell.needs(cell.language != "cpp", IS_NOEXCEPT)
    survived(cell, "twice")


@case("errors.guard", "errors.others_unaffected", supported_for=RUST)
def test_panic_as_configuration_ends(cell: Cell) -> None:
    """A configuration that panics while it is destroyed leaves the process alone, and the panic is logged."""
    cell.needs(cell.language != "cpp", IS_NOEXCEPT)
    cell.needs_feature(Feature.DESTROY)
    with cell.start(listener("odd_panic", "configuration_end")) as envoy:
        before = envoy.request("/before")
        assert before.status == 200, f"expected a request to be served, it saw {before.summary}"
        provoke_panic(envoy, "configuration_end")
        update = envoy.update(Listener("plain"))
        assert_panic_logged(envoy, "configuration_end")
        assert update.accepted, f"expected the configuration to be replaced, the host rejected the new one: {update.message}"
        cell.assert_still_serves(envoy)


@case("errors.guard", languages=RUST)
def test_panic_in_iteration(cell: Cell) -> None:
    """A panic in a closure that is called for each counter leaves the process alone, and is logged."""
    cell.needs_feature(Feature.STATISTICS)
    extend = bootstrap_extension("statistics", "panic")
    with cell.start(listener("identity"), alter=extend) as envoy:
        provoke_panic(envoy, "iteration")
        assert_panic_logged(envoy, "iteration")
        answer = envoy.request("/later")
        assert answer.status == 200, f"expected a later request to be served, it saw {answer.summary}"


@case("safety.no_boundary", supported_for=())
def test_destroyed_in_callback(cell: Cell) -> None:
    """A filter that starts its stream anew is not destroyed before its callback returns, and the new stream is served."""
    cell.needs_feature(Feature.RECREATION)
    with cell.start(listener("recreates")) as envoy:
        envoy.provoke("after a filter started its stream anew")
        answer = envoy.request("/first")
        line = envoy.wait_for_log("its callback")
        cell.facts["the filter is"] = line.removeprefix("dmconform: ") if line else "not recreated"
        assert answer.status == 200, f"expected the new stream to be served, it saw {answer.summary}"
        envoy.check_survived("after a filter started its stream anew")
        assert line is not None, "expected the stream to be started anew, it was not"
        assert "not destroyed" in line, "expected the filter to live until its callback returns, it was destroyed before"


@case("safety.no_boundary", supported_for=())
def test_kept_scheduler(cell: Cell) -> None:
    """A scheduler that is used when its stream is over does nothing; requests are served."""
    with cell.start(listener("kept_scheduler")) as envoy:
        envoy.provoke("after an event was scheduled on a stream that is over")
        for number in range(TIMES):
            answer = envoy.request(f"/{number}")
            assert answer.status == 200, f"expected request {number} to be served, it saw {answer.summary}"
        envoy.check_survived("after an event was scheduled on a stream that is over")


@case("safety.no_boundary", supported_for=())
def test_kept_handle(cell: Cell) -> None:
    """A filter's handle that is used when its stream is over: what that does, an end of the host included, is kept as facts."""
    cell.needs(cell.language != "rust", BORROWED)
    for use in ("read", "answer", "schedule"):
        cell.facts[f"handle: {use}"] = kept_handle(cell, use)


def kept_handle(cell: Cell, use: str) -> str:
    """Returns what clients see of requests whose filters use the handle of the request before, in words.

    What memory holds that is given back decides, so it is no failure of the case, whatever it is.
    """
    with contextlib.suppress(HostCrashed), cell.start(listener("kept_handle", use)) as envoy:
        seen = [envoy.request(f"/{number}", headers={"x-dmconform-in": str(number)}) for number in range(TIMES)]
        first = seen[0]
        assert first.status == 200, (
            f"expected the first request, which has no handle to use, to be served, it saw {first.summary}"
        )
        envoy.check_survived("after a handle was used whose stream is over")
        return ", ".join(sorted({answer.summary for answer in seen}))
    return "the host ends"


@case("safety.no_boundary", supported_for=())
def test_kept_view(cell: Cell) -> None:
    """A view of a header that is read after the header was changed: what it shows is kept as a fact; the process lives."""
    cell.needs(cell.language != "rust", BORROWED)
    when = "after a view was read whose header was changed"
    with cell.upstream() as server, cell.start(listener("kept_view"), clusters={"upstream": server.port}) as envoy:
        envoy.provoke(when)
        answer = envoy.request("/view", headers={"x-dmconform-in": "given"})
        assert answer.status == 200, f"expected the request to be served, it saw {answer.summary}"
        envoy.check_survived(when)
        (received,) = server.read_received("/view")
        changed, seen = (received.headers.get(name) for name in ("x-dmconform-in", "x-dmconform-kept"))
        assert changed == "other", f"expected the header to be changed to 'other', it is {changed!r}"
        cell.facts["it was 'given' and is 'other', the view shows"] = repr(seen)


@case("safety.no_boundary", languages=RUST, supported_for=())
def test_uneven_slices(cell: Cell) -> None:
    """Three addresses of hosts and one weight are refused; the module's cluster is used."""
    cell.needs_point(ExtensionPoint.CLUSTER)
    with cell.start(listener("identity"), alter=module_cluster("hosts")) as envoy:
        line = envoy.wait_for_log("3 addresses and 1 weight: ")
        seen = line.rpartition(": ")[2] if line else "nothing"
        cell.facts["3 addresses and 1 weight"] = seen
        answer = envoy.request("/hosts")
        assert answer.status == 200, f"expected a request to the cluster to be served, it saw {answer.summary}"
        assert seen == "refused", f"expected 3 addresses and 1 weight to be refused, the SDK reports: {seen}"
