"""What callbacks do: what a module sets arrives where it should, and what it asks for is what there is.

What has an effect outside is asserted; the results that the module is given are kept as facts. The modules `callbacks_http` and
`callbacks_connections`, in C, call them in a fixed order and print each result.
"""

from __future__ import annotations

import contextlib
import re
import socket

from dmconform.casekit import (
    LOG_LINE_S,
    REQUEST_S,
    Cell,
    DatagramFilter,
    DatagramListener,
    Envoy,
    HttpFilter,
    Language,
    Listener,
    ListenerFilter,
    ModuleRef,
    NetworkFilter,
    Protocol,
    Request,
    case,
    poll,
)

CPP = (Language.CPP,)
"""The build that leaves modules in C; they use no SDK."""
HTTP, CONNECTIONS = "callbacks_http", "callbacks_connections"
_NAMES = "plain|tagged|level|sizes|(udp_listener|network|listener)_filter_(count|level|sizes)"
"""What the modules call their metrics. What is before that differs among extension points and releases."""
LEVELS = ("trace", "debug", "info", "warning", "error", "critical")
LOGGED = LEVELS[2:]
"""At start the lowest level that is logged is `info`."""
_LINE = re.compile(r"^dmconform-callbacks (\w+) (.*)$", re.MULTILINE)
_OF_NOTHING = re.compile(r"body \d of 0 bytes")  # how often there is none is a matter of time
_LOGGED = re.compile(r"\]\[(\w+)\]\[dynamic_modules\] .*callbacks logs at level (\d)")
_PROMETHEUS = re.compile(rf"(\w+_)?({_NAMES})(_count|_sum)?\{{")
_READ_BYTES = 1 << 16


def keep_results(cell: Cell, *hooks: str) -> None:
    """Keeps the results that the module printed as facts: one for each hook or extension point, of which these are expected."""
    found: dict[str, list[str]] = {}
    for hook, result in _LINE.findall(cell.read_logs()):
        if not _OF_NOTHING.match(result):
            found.setdefault(hook, []).append(result)
    cell.facts.update({hook: "; ".join(results) for hook, results in found.items()})
    missing = [hook for hook in hooks if hook not in found]
    assert not missing, f"expected the module to print results of {', '.join(missing)}, it printed none"


def keep_metrics(cell: Cell, envoy: Envoy) -> str:
    """Keeps the module's metrics as facts, and returns them as Prometheus gets them; histograms come a little later."""
    cell.facts["metrics"] = str(dict(sorted(envoy.counters(rf"(.*\.)?({_NAMES})(\.|$)").items())))

    def metrics() -> str:
        lines = envoy.admin("/stats/prometheus").body.splitlines()
        return "; ".join(sorted(line for line in lines if _PROMETHEUS.match(line)))

    poll(lambda: not re.search(r"_count\{[^}]*\} 0(;|$)", metrics()), LOG_LINE_S)
    cell.facts["metrics for Prometheus"] = metrics()
    return cell.facts["metrics for Prometheus"]


def assert_metrics(seen: str, *expected: str) -> None:
    """Asserts that metrics have these values, each the end of a name, its labels and its value."""
    for one in expected:
        name, _, value = one.rpartition(" ")
        found = re.search(rf"{re.escape(name)}(\{{[^}}]*\}})? {value}(;|$)", seen)
        assert found, f"expected the metric {one}, saw {seen}"


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_http(cell: Cell) -> None:
    """Headers, trailers, bodies, metadata, filter state, attributes, metrics and the log: what an HTTP filter sets is there."""
    cell.install(HTTP)
    listener = Listener(
        "main",
        (HttpFilter(ModuleRef(HTTP), "any"),),
        response_headers={"x-metadata": "%DYNAMIC_METADATA(ns:text)%", "x-number": "%DYNAMIC_METADATA(ns:number)%"},
    )
    with cell.upstream() as server, cell.start(listener, clusters={"upstream": server.port}) as envoy:
        with envoy.connect(Protocol.HTTP1) as client:
            asked = Request("/http?trailers", "POST", {"x-in": "a value in"}, "a body", {"x-trailer": "a trailer"})
            answer = client.request(asked)
        received = server.read_received("/http")
        metrics = keep_metrics(cell, envoy)
        cell.facts["histogram"] = str(envoy.read_histogram("dynamicmodulescustom.sizes", 1))
    keep_results(cell, "config", "request_headers", "request_body", "request_trailers", "response_headers", "response_body")
    logged = _LOGGED.findall(cell.read_logs())
    expected = [(name, str(LEVELS.index(name))) for name in LOGGED]
    assert logged == expected, f"expected one line in the log for each of the levels {LOGGED}, saw {logged}"
    assert answer.status == 200, f"expected an answer, saw {answer.summary}"
    assert len(received) == 1, f"expected one request at the upstream server, saw {len(received)}"
    at_upstream = received[0]
    for name, values in (("x-in", ("a value in",)), ("x-added", ("a value", "another value")), ("x-set", ("second",))):
        seen = at_upstream.headers.all(name)
        assert seen == values, f"expected the header {name} to be {values} at the upstream server, saw {seen}"
    assert at_upstream.body == "body and more", f"expected the changed body at the upstream server, saw {at_upstream.body!r}"
    trailers = {name: at_upstream.trailers.all(name) for name in ("x-trailer", "x-added-trailer")}
    assert trailers == {"x-trailer": ("a trailer",), "x-added-trailer": ("late",)}, (
        f"expected the client's trailer and the filter's at the upstream server, saw {trailers}"
    )
    for name, value in (
        ("x-answer", "a value"),
        ("x-answer-set", "a longer value"),
        ("x-metadata", "some text"),
        ("x-number", "2.5"),
    ):
        seen = answer.headers.all(name)
        assert seen == (value,), f"expected the header {name} to be {value!r} at the client, saw {seen}"
    assert answer.body.endswith("}tail"), f"expected a body that ends with what the filter appends, saw {answer.body!r}"
    late = {name: answer.trailers.all(name) for name in ("x-upstream-trailer", "x-answer-trailer")}
    assert late == {"x-upstream-trailer": ("yes",), "x-answer-trailer": ("late",)}, (
        f"expected the upstream server's trailer and the filter's at the client, saw {late}"
    )
    # What is counted without its labels counts as the first counter.
    assert_metrics(metrics, "plain [34]", "level 10", "sizes_count 1", "sizes_sum 4?[0-9](\\.[0-9]+)?")
    for labels, count in (('color="red",shape="round"', 2), ('color="blue",shape="square"', 5)):
        assert re.search(rf"tagged\{{{labels}\}} {count}(;|$)", metrics), (
            f"expected the counter with the labels {labels} to be {count}, saw {metrics}"
        )


def ask(port: int, request: bytes, until: bytes) -> bytes:
    """Sends bytes, and returns what comes up to some bytes, the end, or the time-out of a request."""
    answer = b""
    with (
        contextlib.suppress(TimeoutError, ConnectionError),
        socket.create_connection(("127.0.0.1", port), timeout=REQUEST_S) as client,
    ):
        client.sendall(request)
        while not answer.endswith(until) and (piece := client.recv(_READ_BYTES)):
            answer += piece
    return answer


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_network(cell: Cell) -> None:
    """Bytes, addresses, metadata, filter state, socket options and metrics: what a network filter sets is there."""
    cell.install(CONNECTIONS)
    listener = Listener("main", network=(NetworkFilter(ModuleRef(CONNECTIONS), "any"),), tcp=True)
    with cell.upstream() as server, cell.start(listener, clusters={"upstream": server.port}) as envoy:
        answer = ask(envoy.take_port("main"), b"GET /abc HTTP/1.1\r\nhost: callbacks\r\n", b"tail")
        received = server.read_received("/net")
        metrics = keep_metrics(cell, envoy)
    keep_results(cell, "network", "network_filter")
    assert len(received) == 1, f"expected a request for the path that the filter puts in, saw {len(received)}"
    appended = received[0].headers.all("x-appended")
    assert appended == ("yes",), f"expected what the filter appends at the upstream server, saw {received[0].headers}"
    assert answer.startswith(b"HTTP/1.0 200"), f"expected what the filter prepends at the client, saw {answer[:40]!r}"
    assert answer.endswith(b"}tail"), f"expected what the filter appends at the client, saw {answer[-40:]!r}"
    assert_metrics(metrics, "network_filter_count 3", "network_filter_level 10", "network_filter_sizes_count 1")


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_listener(cell: Cell) -> None:
    """Bytes, addresses, metadata, filter state, names, socket options and metrics: what a listener filter sets is there."""
    cell.install(CONNECTIONS)
    listener = Listener("main", listening=(ListenerFilter(ModuleRef(CONNECTIONS), "any"),))
    with cell.upstream() as server, cell.start(listener, clusters={"upstream": server.port}) as envoy:
        asked = b"1234GET /listener HTTP/1.1\r\nhost: callbacks\r\nconnection: close\r\n\r\n"
        answer = ask(envoy.take_port("main"), asked, b"\0")
        received = server.read_received("/listener")
        metrics = keep_metrics(cell, envoy)
    keep_results(cell, "listener", "listener_filter")
    assert answer.startswith(b"HTTP/1.1 200"), (
        f"expected an answer, as the filter has drained what is none of HTTP, saw {answer!r}"
    )
    assert len(received) == 1, f"expected one request at the upstream server, saw {len(received)}"
    assert_metrics(metrics, "listener_filter_count 3", "listener_filter_level 10", "listener_filter_sizes_count 1")


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_udp_listener(cell: Cell) -> None:
    """Bytes, addresses, an answer and metrics: what a filter of datagrams sets and sends is there."""
    cell.install(CONNECTIONS)
    listener = DatagramListener("main", listening=(DatagramFilter(ModuleRef(CONNECTIONS), "any"),))
    with (
        cell.start(listener) as envoy,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        client.settimeout(REQUEST_S)
        client.sendto(b"a datagram", ("127.0.0.1", envoy.take_port("main")))
        try:
            answer = client.recv(_READ_BYTES)
        except TimeoutError:
            answer = b""
        envoy.wait_for_log("dmconform-callbacks udp_listener_filter record")  # it counts once it has answered
        metrics = keep_metrics(cell, envoy)
    keep_results(cell, "udp", "udp_listener_filter")
    assert answer == b"an answer", f"expected the datagram that the filter sends, saw {answer!r}"
    assert_metrics(metrics, "udp_listener_filter_count 3", "udp_listener_filter_level 10", "udp_listener_filter_sizes_count 1")
