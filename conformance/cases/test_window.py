"""Every SDK version on every host: does the module load, what does the host say of it, and does it serve?"""

from __future__ import annotations

import re

from dmconform.casekit import (
    DIRECT_BODY,
    DIRECT_PATH,
    LOG_LINE_S,
    PLAIN_PATH,
    TRAILER,
    AbiCheck,
    AbiVerdict,
    Answer,
    Cell,
    Headers,
    HttpFilter,
    Listener,
    Manner,
    ModuleRef,
    PerRoute,
    Protocol,
    Received,
    Reply,
    Request,
    burst,
    case,
    listener,
    poll,
    refusing_port,
)

CONFIG = "window"
LARGE = "0123456789" * 100_000
"""A body of 1 MB, just below what Envoy holds back unless configured otherwise."""
MANY = {f"x-many-{number}": f"{number}" * 100 for number in range(80)}
"""As many headers as there can be: Envoy takes 100, its own and the client's included."""


def changed(cell: Cell, answer: Answer, value: str = "-", body: str = "", *, what: str = "") -> Received:
    """Asserts that `transform` changed a request and its response; returns what the upstream server received of it."""
    assert answer.status == 200, f"expected status 200{what}, saw {answer.summary}: {answer}"
    response = answer.headers.get("x-dmconform-response")
    assert response == f"{cell.language} {CONFIG}", f"expected the response header to be set{what}, it is {response!r}"
    assert answer.body.startswith("res[") and answer.body.endswith("]"), (
        f"expected res[…] around the body{what}, saw {answer.body[:200]!r}"
    )
    received = Received.from_json(answer.body[4:-1])
    request = received.headers.get("x-dmconform-request")
    expected = f"{cell.language} {CONFIG} {value}"
    assert request == expected, f"expected the request header at the upstream{what}, saw {request!r}"
    expected = f"req[{body}]" if body else ""
    assert received.body == expected, (
        f"expected the upstream to receive {expected[:100]!r}{what}, it received {received.body[:100]!r}, "
        f"{len(received.body)} bytes where it should be {len(expected)}"
    )
    return received


@case("window.forward", "policy.result", "policy.version_string", "loading.exact_match", everywhere=True)
def test_loads(cell: Cell) -> None:
    """The module loads, and the host says of its ABI string what it must."""
    with cell.start(listener("identity")):
        pass
    verdict = cell.abi_verdict_so_far()
    host = cell.planned_host
    cell.facts["abi"] = f"module {cell.sdk.abi_version}, host {host.abi_version or 'not known'}: {verdict.value}"
    # [date][thread][level][logger] [place] text
    lines = re.findall(r"^\[[^\]]*\]\[\d+\]\[(\w+)\]\[\w+\] \[[^\]]*\] (.*ABI version.*)$", cell.read_logs(), re.MULTILINE)
    cell.facts["ABI string in the log"] = "; ".join(f"{level}: {text}" for level, text in lines) or "nothing"
    assert verdict in (AbiVerdict.MATCHED, AbiVerdict.DEPRECATED) or host.abi_check is not AbiCheck.WARN, (
        f"expected the host to say whether the ABI string matches, it is {verdict.value}"
    )
    if host.abi_version is not None:
        matches = cell.sdk.abi_version == host.abi_version
        assert matches is (verdict is not AbiVerdict.DEPRECATED), (
            f"module has ABI string {cell.sdk.abi_version}, host {host.abi_version}: "
            f"expected {'no warning' if matches else 'a warning'}, the verdict is {verdict.value}"
        )


@case("window.forward", "policy.result", everywhere=True)
def test_proxied_traffic(cell: Cell) -> None:
    """Headers and bodies are read and changed in both directions, with an upstream server behind."""
    with cell.start(listener("transform", CONFIG)) as envoy:
        answer = envoy.request("/proxied", method="POST", headers={"x-dmconform-in": "question"}, body="hello")
    changed(cell, answer, "question", "hello")


@case("window.forward", "policy.result", everywhere=True)
def test_direct_traffic(cell: Cell) -> None:
    """A response that Envoy itself makes is changed like one from an upstream server."""
    with cell.start(listener("transform", CONFIG)) as envoy:
        answer = envoy.request(DIRECT_PATH)
    assert answer.status == 200, f"expected status 200, saw {answer}"
    response = answer.headers.get("x-dmconform-response")
    assert response == f"{cell.language} {CONFIG}", f"expected the response header to be set, it is {response!r}"
    assert answer.body == f"res[{DIRECT_BODY}]", f"expected the body res[{DIRECT_BODY}], saw {answer.body!r}"


@case("window.forward", "policy.result", everywhere=True)
def test_local_reply(cell: Cell) -> None:
    """The module answers a request by itself."""
    with cell.start(listener("local_reply", "418")) as envoy:
        answer = envoy.request("/anything")
    seen = (answer.status, answer.headers.get("x-dmconform-local"), answer.body)
    expected = (418, cell.language, "local reply")
    assert seen == expected, f"expected status, header and body {expected}, saw {seen} {answer.problem}"


@case("window.forward", "policy.result", everywhere=True)
def test_http2_traffic(cell: Cell) -> None:
    """Streams of HTTP/2 that are open on one connection at the same time are each changed on their own."""
    with cell.start(listener("transform", CONFIG)) as envoy, envoy.connect(Protocol.HTTP2) as client:
        names = [f"stream-{number}" for number in range(5)]
        streams = {name: client.begin(Request("/h2", "POST", {"x-dmconform-in": name}, name)) for name in names}
        changed(cell, client.request(Request("/h2")), what=" without a body")
        for name in reversed(names):
            changed(cell, streams[name].finish(), name, name, what=f" for {name}")


@case("window.forward", "policy.result", everywhere=True)
def test_request_trailers(cell: Cell) -> None:
    """Trailers of a request come to the module, which adds one, and go on to the upstream server, with HTTP/1.1 and HTTP/2."""
    with cell.start(listener("transform", CONFIG)) as envoy:
        for protocol in Protocol:
            with envoy.connect(protocol) as client:
                answer = client.request(Request("/trailers", "POST", {}, "hello", {"x-last": "words"}))
            received = changed(cell, answer, body="hello", what=f" with {protocol.value}")
            expected = {"x-last": "words", "x-dmconform-request-trailer": f"{cell.language} {CONFIG}"}
            assert received.trailers == expected, (
                f"expected the trailers {expected} at the upstream with {protocol.value}, it received {received.trailers}"
            )


@case("window.forward", "policy.result", everywhere=True)
def test_response_trailers(cell: Cell) -> None:
    """Trailers of a response come to the module, which adds one, and go on to the client, with HTTP/1.1 and HTTP/2."""
    with cell.start(listener("transform", CONFIG)) as envoy:
        for protocol in Protocol:
            with envoy.connect(protocol) as client:
                answer = client.request(Request("/trailers?trailers"))
            changed(cell, answer, what=f" with {protocol.value}")
            expected = {TRAILER: "yes", "x-dmconform-response-trailer": f"{cell.language} {CONFIG}"}
            assert answer.trailers == expected, (
                f"expected the trailers {expected} at the client with {protocol.value}, it received {answer.trailers}"
            )


@case("window.forward", "policy.result", everywhere=True)
def test_large_bodies(cell: Cell) -> None:
    """Bodies of 1 MB are held back as a whole and changed, both ways, with HTTP/1.1 and HTTP/2."""
    with cell.start(listener("transform", CONFIG)) as envoy:
        for protocol in Protocol:
            with envoy.connect(protocol) as client:
                changed(cell, client.request(Request("/large", "POST", body=LARGE)), body=LARGE, what=f" with {protocol.value}")


@case("window.forward", "policy.result", everywhere=True)
def test_many_headers(cell: Cell) -> None:
    """A request with as many headers as Envoy takes reaches the upstream server with all of them, and with the module's."""
    with cell.start(listener("transform", CONFIG)) as envoy:
        answer = envoy.request("/many", headers=MANY | {"x-dmconform-in": "x" * 10_000})
    received = changed(cell, answer, "x" * 10_000)
    lost = {name for name, value in MANY.items() if received.headers.get(name) != value}
    assert not lost, f"expected the upstream to receive all headers as they were sent, not so {sorted(lost)}"


@case("window.forward", "policy.result", everywhere=True)
def test_repeated_headers(cell: Cell) -> None:
    """A header that is sent twice passes the module twice, in its order, both ways, with HTTP/1.1 and HTTP/2."""
    twice = Headers([("x-twice", "first"), ("x-twice", "second")])
    with cell.start(listener("transform", CONFIG)) as envoy:
        for protocol in Protocol:
            with envoy.connect(protocol) as client:
                answer = client.request(Request("/twice?echo=x-twice", headers=twice))
            received = changed(cell, answer, what=f" with {protocol.value}")
            for where, headers in (("upstream", received.headers), ("client", answer.headers)):
                seen = headers.all("x-twice")
                assert seen == ("first", "second"), (
                    f"expected x-twice to be first and second at the {where} with {protocol.value}, saw {seen}"
                )


@case("window.forward", "policy.result", everywhere=True)
def test_under_load(cell: Cell) -> None:
    """Several clients at once, of both protocols, on a host with two worker threads: each request is answered and changed."""
    request = Request("/load", "POST", {"x-dmconform-in": "busy"}, "hello")
    with (
        cell.upstream() as server,
        cell.start(listener("transform", CONFIG), clusters={"upstream": server.port}, concurrency=2) as envoy,
    ):
        seen = burst(envoy.take_port("main"), request, clients=2, requests=40)
        envoy.check_survived("under load")
        received = server.read_received("/load")
    assert seen == {"status 200": 160}, f"expected each of 160 requests to be answered with 200, saw {dict(seen)}"
    as_sent = [one for one in received if one.body == "req[hello]"]
    as_set = [one for one in received if one.headers.get("x-dmconform-request") == f"{cell.language} {CONFIG} busy"]
    counts = (len(received), len(as_sent), len(as_set))
    assert counts == (160, 160, 160), f"expected 160 requests at the upstream, all with the body and the header, saw {counts}"


@case("window.forward", "policy.result", everywhere=True)
def test_per_route_configuration(cell: Cell) -> None:
    """The module is given the configuration of the route beside its own; on a route without one there is none."""
    filter_ = HttpFilter(ModuleRef("probe"), "per_route", CONFIG)
    per_route = PerRoute(filter_.entry, ModuleRef("probe"), "per_route", "of the route")
    with cell.start(Listener("main", (filter_,), (per_route,))) as envoy:
        for path, expected in (("/with", "of the route"), (PLAIN_PATH, "none")):
            answer = envoy.request(path)
            assert answer.status == 200, f"expected status 200 for {path}, saw {answer}"
            seen = (answer.headers.get("x-dmconform-config"), answer.headers.get("x-dmconform-route"))
            assert seen == (CONFIG, expected), (
                f"expected the configurations of filter and route to be {(CONFIG, expected)} for {path}, they are {seen}"
            )


@case("window.forward", "policy.result", everywhere=True)
def test_scheduled_event(cell: Cell) -> None:
    """A thread of the module has an event scheduled on a stream that waits, and the event lets it go on."""
    with cell.start(listener("scheduled")) as envoy:
        answers = [envoy.request(f"/scheduled/{number}", method="POST", body="hello") for number in range(3)]
    for answer in answers:
        assert answer.status == 200, f"expected status 200, saw {answer}"
        received = Received.from_json(answer.body)
        seen = (received.headers.get("x-dmconform-scheduled"), received.body)
        expected = (cell.language, "hello")
        assert seen == expected, f"expected the event's header and the body {expected} at the upstream, saw {seen}"


def calls_out(cell: Cell, cluster: str, **clusters: int) -> Answer:
    """Returns what a client sees of a filter that asks a cluster, and answers with the result."""
    with cell.start(listener("callout", cluster), clusters=clusters) as envoy:
        return envoy.request("/asks")


def assert_callout_answered(cell: Cell, answer: Answer, status: int) -> None:
    """Asserts that the module answered with the answer to its callout."""
    seen = (answer.status, answer.headers.get("x-dmconform-callout"))
    expected = (200, f"{cell.language} {status}")
    assert seen == expected, f"expected the module to answer with status and header {expected}, saw {seen}: {answer}"


def assert_callout_failed(answer: Answer, text: str) -> None:
    """Asserts that the module answered that its callout failed."""
    seen = (answer.status, answer.body)
    assert seen == (502, text), f"expected the module to answer with {(502, text)}, saw {seen}: {answer}"


@case("window.forward", "policy.result", everywhere=True)
def test_callout(cell: Cell) -> None:
    """The module asks a cluster over HTTP and is given status and body of the answer."""
    answer = calls_out(cell, "upstream")
    assert_callout_answered(cell, answer, 200)
    received = Received.from_json(answer.body)
    seen = (received.method, received.path, received.headers.get("host"))
    expected = ("GET", "/callout", "dmconform")
    assert seen == expected, f"expected the callout to reach the cluster as {expected}, saw {seen}"


@case("window.forward", "policy.result", everywhere=True)
def test_callout_to_unknown_cluster(cell: Cell) -> None:
    """A callout to a cluster that does not exist cannot be started, and the module is informed of it."""
    assert_callout_failed(calls_out(cell, "nowhere"), "callout not started")


@case("window.forward", "policy.result", everywhere=True)
def test_callout_refused(cell: Cell) -> None:
    """Where no server listens behind the cluster, the callout ends with the 503 that Envoy makes."""
    with refusing_port() as port:
        assert_callout_answered(cell, calls_out(cell, "refusing", refusing=port), 503)


@case("window.forward", "policy.result", everywhere=True)
def test_callout_cut(cell: Cell) -> None:
    """Where the answer to a callout is cut, the module is informed that there is none."""
    with cell.source_server() as source:
        source.offer("/callout", Reply(b"x" * 1000, manner=Manner.CUT))
        assert_callout_failed(calls_out(cell, "cutting", cutting=source.port), "callout failed")


@case("window.forward", "policy.result", everywhere=True)
def test_dynamic_metadata(cell: Cell) -> None:
    """Dynamic metadata that the module sets is seen by Envoy, and read again by the module on the response."""
    formats = {"x-host-text": "%DYNAMIC_METADATA(dmconform:text)%", "x-host-number": "%DYNAMIC_METADATA(dmconform:number)%"}
    with cell.start(Listener("main", (HttpFilter(ModuleRef("probe"), "metadata", CONFIG),), response_headers=formats)) as envoy:
        answer = envoy.request("/metadata")
    assert answer.status == 200, f"expected status 200, saw {answer}"
    seen = (answer.headers.get("x-host-text"), answer.headers.get("x-host-number"))
    assert seen == (CONFIG, "7"), f"expected Envoy to have the metadata {(CONFIG, '7')}, it has {seen}"
    read = answer.headers.get("x-dmconform-metadata")
    assert read == f"{CONFIG} 7", f"expected the module to read '{CONFIG} 7' again, it read {read!r}"


@case("window.forward", "policy.result", everywhere=True)
def test_filter_state(cell: Cell) -> None:
    """Filter state that the module sets is seen by Envoy, and read again by the module on the response."""
    formats = {"x-host-state": "%FILTER_STATE(dmconform.state:PLAIN)%"}
    filter_ = HttpFilter(ModuleRef("probe"), "filter_state", CONFIG)
    with cell.start(Listener("main", (filter_,), response_headers=formats)) as envoy:
        answer = envoy.request("/state")
    assert answer.status == 200, f"expected status 200, saw {answer}"
    seen = answer.headers.get("x-host-state")
    assert seen == CONFIG, f"expected Envoy to have the filter state {CONFIG!r}, it has {seen!r}"
    read = answer.headers.get("x-dmconform-state")
    assert read == CONFIG, f"expected the module to read {CONFIG!r} again, it read {read!r}"


LEVELS = {"trace": "trace", "debug": "debug", "info": "info", "warn": "warning", "error": "error", "critical": "critical"}
"""Levels of the module, and what the host's log calls them."""


def logged(log: str) -> list[str]:
    """Returns the module's lines in a log, each as `TAG LEVEL`."""
    pattern = re.compile(rf"\[(\w+)\]\[dynamic_modules\].* dmconform log (\w+) {CONFIG}$", re.MULTILINE)
    return [f"{tag} {level}" for tag, level in pattern.findall(log)]


@case("window.forward", "policy.result", everywhere=True)
def test_logging(cell: Cell) -> None:
    """Lines that the module logs are in the host's log, each at its level, as far as the host's own level lets them."""
    lines = [f"{tag} {level}" for level, tag in LEVELS.items()]
    with cell.start(listener("log", CONFIG)) as envoy:
        for level, expected in (("info", lines[2:]), ("trace", lines)):
            envoy.set_module_log_level(level)
            before = len(envoy.read_log())
            envoy.request("/logs")
            poll(lambda: lines[-1] in logged(envoy.read_log()[before:]) or None, LOG_LINE_S)  # noqa: B023 - called at once
            seen = logged(envoy.read_log()[before:])
            assert seen == expected, f"expected the lines {expected} in the host's log at level {level}, saw {seen}"
