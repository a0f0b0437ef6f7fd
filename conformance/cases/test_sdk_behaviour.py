"""What users of an SDK may expect of it, whatever the language: right code does the same in each of them."""

from __future__ import annotations

from dmconform.casekit import (
    DIRECT_PATH,
    LOG_LINE_S,
    Cell,
    ExtensionPoint,
    Feature,
    Language,
    Protocol,
    Request,
    case,
    listener,
    module_bridge,
    poll,
)

GO = (Language.GO,)
REQUESTS = 100
COMPLETE = "dynamicmodulescustom.dmconform_complete"
EMPTY = "x-dmconform-empty"
PIECES = ("p" * 700,) * 200
"""More than 64, and each too long to be copied to the one before."""
WITHOUT_SETTINGS = {"GODEBUG": ""}
"""Takes back what the suite sets for Envoys with Go modules."""


@case("window.forward", "policy.result")
def test_bare_filter(cell: Cell) -> None:
    """A filter without hooks lets requests pass, those too that Envoy answers itself, from the first on."""
    for path in (DIRECT_PATH, "/proxied"):
        for protocol in Protocol:
            with cell.start(listener("bare")) as envoy, envoy.connect(protocol) as client:
                for number in range(3):
                    answer = client.request(Request(path))
                    assert answer.status == 200, (
                        f"expected request {number} for {path} with {protocol.value} to be served, it saw {answer.summary}"
                    )


@case("window.forward", supported_for=())
def test_empty_header(cell: Cell) -> None:
    """A header that is set to an empty value is there, and empty, at the upstream server and at the client."""
    with cell.upstream() as server, cell.start(listener("empty_value"), clusters={"upstream": server.port}) as envoy:
        for path, given in (("/new", {}), ("/replaced", {EMPTY: "given"})):
            answer = envoy.request(f"{path}?echo={EMPTY}", headers=given)
            assert answer.status == 200, f"expected the request to be served, it saw {answer.summary}"
            (received,) = server.read_received(path)
            cell.facts[f"{path}, request"] = str(received.headers.all(EMPTY))
            cell.facts[f"{path}, response"] = str(answer.headers.all(EMPTY))
        for what, seen in cell.facts.items():
            assert seen == str(("",)), f"expected {EMPTY} of the {what} to be there and empty, saw {seen}"


def ended(cell: Cell, config: str) -> None:
    """Asserts that requests that are answered in an event are answered, and their streams reported complete, each once."""
    with cell.start(listener("ends_in_event", config)) as envoy:
        for number in range(REQUESTS):
            answer = envoy.request(f"/{number}")
            assert (answer.status, answer.body) == (200, "ended in an event"), (
                f"expected request {number} to be answered in an event, it saw {answer.summary}"
            )
        counted = poll(lambda: envoy.statistic(COMPLETE) == REQUESTS, LOG_LINE_S)
        seen = envoy.statistic(COMPLETE)
        cell.facts["streams that were reported complete"] = f"{seen} of {REQUESTS}"
        assert counted, f"expected {REQUESTS} streams to be reported complete to the filter, {seen} were"
        panics = [line for line in envoy.read_log().splitlines() if "panic" in line]
        assert not panics, f"expected no panic to be logged, saw {panics}"


@case("window.forward", supported_for=())
def test_ends_in_event(cell: Cell) -> None:
    """A filter that answers in an event hears that its stream is complete, each time."""
    ended(cell, "")


@case("errors.wrapper_is_optional", languages=(Language.RUST,), supported_for=())
def test_wrapped_ends_in_event(cell: Cell) -> None:
    """A filter in the opt-in wrapper that answers in an event hears that its stream is complete, each time."""
    cell.needs(cell.sdk.catch_unwind, "this SDK version has no opt-in wrapper against panics")
    ended(cell, "guarded")


@case("window.forward", supported_for=())
def test_recreated_headers(cell: Cell) -> None:
    """A stream that its filter starts anew with other headers has these."""
    cell.needs_feature(Feature.RECREATION)
    with cell.upstream() as server, cell.start(listener("recreates", "headers"), clusters={"upstream": server.port}) as envoy:
        envoy.provoke("after a filter started its stream anew")
        answer = envoy.request("/first")
        assert answer.status == 200, f"expected the new stream to be served, it saw {answer.summary}"
        envoy.check_survived("after a filter started its stream anew")
        seen = {
            path: [one.headers.get("x-dmconform-new") for one in server.read_received(path)] for path in ("/first", "/again")
        }
        cell.facts["x-dmconform-new at the upstream server, by path"] = str(seen)
        assert seen == {"/first": [], "/again": ["yes"]}, (
            f"expected the upstream server to see the new headers, with x-dmconform-new and the path /again, it saw {seen}"
        )


@case("window.forward", languages=GO, supported_for=())
def test_default_environment(cell: Cell) -> None:
    """A module in Go works in an Envoy without settings of the Go runtime in its environment."""
    with cell.start(listener("transform", "plain"), environment=WITHOUT_SETTINGS) as envoy:
        answer = envoy.request("/environment", method="POST", body="body")
        assert answer.status == 200, f"expected the request to be served, it saw {answer.summary}"


@case("window.forward", languages=(Language.RUST,), supported_for=())
def test_body_in_many_slices(cell: Cell) -> None:
    """A bridge is given the whole body of a request that lies in more than 64 pieces of memory."""
    cell.needs_point(ExtensionPoint.UPSTREAM_HTTP_TCP_BRIDGE)
    with (
        cell.start(listener("held_body"), alter=module_bridge("bridge")) as envoy,
        envoy.connect(Protocol.HTTP2) as client,
    ):
        body = "".join(PIECES)
        expected = f"{len(body)} bytes of sum {sum(body.encode())}"
        sending = client.begin(Request("/bridge", "POST", body=PIECES[0]))
        for piece in PIECES[1:]:
            sending.send_body(piece)
        answer = sending.finish()
        cell.facts["the bridge was given"] = answer.body
        assert answer.body == expected, f"expected the bridge to be given {expected}, it saw {answer.summary}: {answer.body}"
