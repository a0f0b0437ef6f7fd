"""A module among Envoy's own filters and in unusual streams: what goes through it arrives, whatever is before or after it.

No document promises these: what each release does is on record. `docs/defects.md` has what is wrong.
"""

from __future__ import annotations

from dmconform.casekit import (
    NEVER_S,
    REQUEST_S,
    Cell,
    Envoy,
    EnvoyFilter,
    HttpFilter,
    Language,
    Listener,
    Manner,
    ModuleRef,
    NoAnswer,
    Protocol,
    Reply,
    Request,
    case,
    poll,
)

CPP = (Language.CPP,)
"""The build that leaves modules in C; they use no SDK."""
WINDOW_BYTES = 65535
AUTHORITY = "authority"
"""The cluster that the filter `ext_authz` asks."""
STREAMED = "streamed: "
NO_HOOKS = "0 headers, 0 body, 0 trailers hooks"
RECEIVED_BYTES = "cluster.upstream.upstream_cx_rx_bytes_total"


def of_module(cell: Cell, name: str, config: str = "") -> HttpFilter:
    """Returns the HTTP filter of one of the modules in C, and installs it."""
    cell.install(name)
    return HttpFilter(ModuleRef(name), "any", config)


def ext_authz() -> EnvoyFilter:
    """Returns the filter that asks the cluster `AUTHORITY` whether a request may pass, and holds it until it knows."""
    uri = {"uri": f"http://{AUTHORITY}", "cluster": AUTHORITY, "timeout": "10s"}
    return EnvoyFilter("ext_authz", "ext_authz.v3.ExtAuthz", {"http_service": {"server_uri": uri}})


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_held_by_ext_authz(cell: Cell) -> None:
    """A body that `ext_authz` held until its stream's window was full reaches the upstream whole, through a module behind."""
    body = "".join(chr(97 + number % 26) for number in range(3 * WINDOW_BYTES))
    filters = (ext_authz(), of_module(cell, "neighbour", "pass"))
    options = {"http2_protocol_options": {"initial_stream_window_size": WINDOW_BYTES}}
    with cell.source_server() as authority, cell.upstream() as upstream:
        authority.offer("/held", Reply(manner=Manner.HELD))
        clusters = {AUTHORITY: authority.port, "upstream": upstream.port}
        with (
            cell.start(Listener("main", filters, manager=options), module="neighbour", clusters=clusters) as envoy,
            envoy.connect(Protocol.HTTP2) as client,
        ):
            pending = client.begin(Request("/held?size=1", "POST", body=body[WINDOW_BYTES:]))
            pending.send_body(body[:WINDOW_BYTES])
            asked = poll(lambda: authority.count_fetches("/held") > 0, REQUEST_S)
            assert asked, "expected ext_authz to ask its server, it does not"
            authority.let_go()
            answer = pending.finish()
        received = "".join(one.body for one in upstream.read_received("/held"))
    cell.facts["lost"] = f"{len(body) - len(received)} of {len(body)} bytes"
    assert received == body, (
        f"expected the upstream to receive all {len(body)} bytes, it received {len(received)}; the client saw {answer.summary}"
    )


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_held_response(cell: Cell) -> None:
    """A response that the module holds at its headers is let go by a scheduled event, also if the request goes on meanwhile."""
    main = Listener("main", (of_module(cell, "hold_response"),))
    seen = {protocol.value: held_response(cell, main, protocol) for protocol in Protocol}
    cell.facts["answers"] = ", ".join(f"{protocol}: {answer}" for protocol, answer in seen.items())
    for protocol, answer in seen.items():
        assert answer == "status 403", f"expected the answer that was held to arrive with {protocol}, saw {answer}"


def held_response(cell: Cell, main: Listener, protocol: Protocol) -> str:
    """Returns what a client sees whose request goes on after its response was held."""
    with cell.source_server() as source:
        source.offer("/held", Reply(b"held back", 403, Manner.HALF))
        with (
            cell.start(main, module="hold_response", clusters={"upstream": source.port}) as envoy,
            envoy.connect(protocol, patience_s=NEVER_S) as client,
        ):
            pending = client.begin(Request("/held", "POST", body="third", trailers={"x-last": "yes"}))
            pending.send_body("first")
            come = poll(lambda: (envoy.statistic(RECEIVED_BYTES) or 0) > 0, REQUEST_S)
            assert come, "expected the upstream to answer, it does not"
            pending.send_body("second")
            source.let_go()
            try:
                return pending.finish().summary
            except NoAnswer as problem:
                return str(problem)


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_streamed_response(cell: Cell) -> None:
    """A module that streams a response from its request hook has none of its response hooks called for that."""
    with cell.start(Listener("main", (of_module(cell, "stream_response", "request"),)), module="stream_response") as envoy:
        for protocol in Protocol:
            assert_streamed(envoy, protocol)
        line = envoy.wait_for_log(STREAMED)
    called = (line or "").partition(STREAMED)[2]
    cell.facts["hooks for its own response"] = called
    assert called == NO_HOOKS, f"expected {NO_HOOKS}, saw {called or 'no line that counts them'}"


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_streamed_in_place(cell: Cell) -> None:
    """A module that streams a response from its response hook, in the place of another, is not entered again for it."""
    main = Listener("main", (of_module(cell, "stream_response", "response"),))
    with cell.start(main, module="stream_response") as envoy:
        for protocol in Protocol:
            assert_streamed(envoy, protocol)


def assert_streamed(envoy: Envoy, protocol: Protocol) -> None:
    """Asserts that a client gets the response that the module streams, whole."""
    with envoy.connect(protocol) as client:
        answer = client.request(Request("/streamed"))
    seen = (answer.summary, answer.body, answer.trailers.get("x-end"))
    assert seen == ("status 200", "one two", "yes"), f"expected the streamed response with {protocol.value}, saw {seen}"
