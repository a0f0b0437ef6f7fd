"""What an HTTP filter asks for and keeps: attributes, metadata, filter state, flags, labels, secrets, streams of requests.

Modules in C call what no probe has. No document promises it: what each release does is on record.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from dmconform.casekit import (
    LOG_LINE_S,
    REQUEST_S,
    Cell,
    Envoy,
    HttpFilter,
    Language,
    Listener,
    Manner,
    Minor,
    ModuleRef,
    NetworkFilter,
    Protocol,
    Reply,
    Request,
    RoutedListener,
    case,
    listener,
    poll,
    refusing_port,
    route,
    virtual_host,
)

CPP = (Language.CPP,)
"""The build that leaves modules in C; they use no SDK."""
NAMESPACE = "dmconform"
SERVER = "envoy.network.upstream_server_name"
_LINE = re.compile(r"^dmconform-callbacks ([\w ]+?) (.*)$", re.MULTILINE)


def printed(envoy: Envoy, hook: str) -> list[str]:
    """Returns what a module has printed so far of a hook."""
    return [rest for line in _LINE.findall(envoy.read_log()) if (rest := " ".join(line)).startswith(hook)]


ATTRIBUTE = re.compile(r"^dmconform-callbacks (request|complete) (\d+)(=| is )(.*)$", re.MULTILINE)
ALWAYS = {0, 1, 2, 3, 4, 6, 7, 10, 11}
"""Attributes of the request that every release has."""
KINDS = {"=": "texts", " is ": "numbers and truths"}


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_attributes(cell: Cell) -> None:
    """Each attribute that a module is given, as a text or a number, is what client and upstream server know of the request."""
    main = RoutedListener(
        "main",
        (HttpFilter(ModuleRef("attributes"), "any"),),
        virtual_hosts=(virtual_host(route("/", name="a route")),),
    )
    headers = {"referer": "http://from.example/here", "user-agent": "a client", "x-request-id": "an id"}
    with cell.start(main, module="attributes") as envoy:
        port = envoy.take_port("main")
        with envoy.connect(Protocol.HTTP1) as client:
            answer = client.request(Request("/attributes?q=1", "POST", headers, "a body"))
        assert answer.status == 200, f"expected an answer, saw {answer.summary}"
        poll(lambda: "dmconform-callbacks complete" in envoy.read_log(), LOG_LINE_S)
        envoy.check_survived("after the attributes were asked for")
        found = ATTRIBUTE.findall(envoy.read_log())
    for when in ("request", "complete"):
        for kind, name in KINDS.items():
            ids = sorted({int(id_) for at, id_, how, _ in found if (at, how) == (when, kind)})
            cell.facts[f"{when}: {name}"] = " ".join(map(str, ids)) or "none"
    seen = {when: {int(id_): value for at, id_, _, value in found if at == when} for when in ("request", "complete")}
    missing = ALWAYS - {*seen["request"]}
    assert not missing, f"expected the attributes {sorted(missing)} of the request to be given, they are not"
    for when, values in seen.items():
        known = known_of_request(cell, port, len(answer.body)) if when == "complete" else known_at_first(port)
        wrong = {id_: values[id_] for id_ in values.keys() & known.keys() if values[id_] != known[id_]}
        assert not wrong, f"expected the attributes { ({one: known[one] for one in wrong}) } at {when}, saw {wrong}"


def known_at_first(port: int) -> dict[int, str]:
    """Returns what attributes must be while the request's headers come, by number of the ABI."""
    return {
        0: "/attributes?q=1",
        1: "/attributes",
        2: "dmconform",
        3: "http",
        4: "POST",
        6: "http://from.example/here",
        7: "a client",
        10: "HTTP/1.1",
        11: "q=1",
        27: str(port),
        29: "false",
        57: "upstream",
        61: "a route",
        63: "*",
        67: "false",
    }


def known_of_request(cell: Cell, port: int, answered_bytes: int) -> dict[int, str]:
    """Returns what they must be once all is done."""
    return known_at_first(port) | {
        13: str(len("a body")),
        15: "200",
        16: "via_upstream",
        21: str(answered_bytes),
        42: str(cell.upstream_port),
        53: "1",
    }


OF_HOST = {
    "text": "of the {}",
    "number": 4.5,
    "truth": True,
    "numbers": [3, 7],
    "texts": ["a"],
    "truths": [True],
    "nothing": None,
}


def metadata(whose: str) -> dict[str, Any]:
    """Returns metadata with a value of each type."""
    return {"filter_metadata": {NAMESPACE: OF_HOST | {"text": f"of the {whose}"}}}


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_kept_data(cell: Cell) -> None:
    """Metadata of each type and source, typed filter state and custom flags: what a module sets, Envoy and the module have."""
    cell.needs(cell.host_minor >= Minor(1, 38), "this host has no callbacks for most of these types")
    log = cell.folder / "access.log"
    kept = HttpFilter(ModuleRef("kept_data"), "any")
    seen_by_envoy = {
        "x-truth": f"%DYNAMIC_METADATA({NAMESPACE}:truth)%",
        "x-numbers": f"%DYNAMIC_METADATA({NAMESPACE}:numbers)%",
        "x-texts": f"%DYNAMIC_METADATA({NAMESPACE}:texts)%",
        "x-truths": f"%DYNAMIC_METADATA({NAMESPACE}:truths)%",
        "x-server": f"%FILTER_STATE({SERVER}:PLAIN)%",
    }
    added = [{"header": {"key": name, "value": value}} for name, value in seen_by_envoy.items()]
    host = virtual_host(route("/", metadata=metadata("route"), response_headers_to_add=added))
    main = RoutedListener("main", (kept,), virtual_hosts=(host,), manager={"access_log": [flags_to(str(log))]})

    with cell.start(main, module="kept_data", alter=with_metadata) as envoy:
        answer = envoy.request("/")
        envoy.wait_for_log("set of no type")
        cell.facts["set"] = "; ".join(printed(envoy, "set"))
    read = {
        name: answer.headers.get(f"x-{name}", "(no header)") for name in ("dynamic", "route", "cluster", "endpoint", "typed")
    }
    for name in ("route", "cluster", "endpoint"):
        assert read[name] == f"1111111 of the {name} 4.5 1 2 7 a 1, 7 keys", (
            f"expected the module to read each type of metadata of the {name}, saw {read[name]!r}"
        )
    expected = {"dynamic": "1111111 a text 2.5 1 2 2 one 1, 6 keys", "typed": "a.server"}
    wrong = {name: read[name] for name, value in expected.items() if read[name] != value}
    assert not wrong, f"expected the module to read again {expected}, saw {wrong}"
    at_envoy = {name: answer.headers.get(name, "(no header)") for name in seen_by_envoy}
    wanted = {"x-truth": "true", "x-numbers": "[1,2]", "x-texts": '["one"]', "x-truths": "[true]", "x-server": "a.server"}
    assert at_envoy == wanted, f"expected Envoy to have {wanted}, it has {at_envoy}"
    flags = log.read_text(encoding="utf-8").strip()
    assert flags == "FIRST,SECOND 200", f"expected the flags of the module and the status in the access log, saw {flags!r}"


def flags_to(path: str) -> dict[str, Any]:
    """Returns the access log that has the custom flags of each request in a file."""
    type_name = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"
    format_ = {"text_format_source": {"inline_string": "%CUSTOM_FLAGS% %RESPONSE_CODE%\n"}}
    return {"name": "file", "typed_config": {"@type": type_name, "path": path, "log_format": format_}}


def with_metadata(bootstrap: dict[str, Any]) -> None:
    """Gives metadata to the cluster `upstream`, and to its endpoint."""
    cluster = bootstrap["static_resources"]["clusters"][0]
    cluster["metadata"] = metadata("cluster")
    cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["metadata"] = metadata("endpoint")


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_cluster_by_filter_state(cell: Cell) -> None:
    """A network filter chooses the cluster of `tcp_proxy` by typed filter state."""
    cell.needs(cell.host_minor >= Minor(1, 38), "this host has no callback for typed filter state")
    chooses = NetworkFilter(ModuleRef("kept_data"), "any", "other")
    with cell.upstream() as server:
        main = Listener("main", network=(chooses,), tcp=True)
        with cell.start(main, module="kept_data", clusters={"other": server.port}) as envoy:
            answer = envoy.request("/chosen")
            received = len(server.read_received("/chosen"))
    assert answer.status == 200, f"expected an answer, saw {answer.summary}"
    assert received == 1, f"expected the connection to go to the cluster of the filter state, {received} requests came there"


LABELS = ("plain", 'with "quotes"', "back\\slash", "a,b=c.d;e", "two words")
_SERIES = re.compile(r"^(\w+?)\{((?:[^\"}]|\"(?:[^\"\\]|\\.)*\")*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r"(\w+)=\"((?:[^\"\\]|\\.)*)\"")


def series(text: str) -> dict[tuple[str, str], str]:
    """Returns the module's series in a text for Prometheus: their values by the end of their name and the label `who`."""
    found = {}
    for name, labels, value in _SERIES.findall(text):
        by_name = dict(_LABEL.findall(labels))
        if "who" in by_name and not name.endswith("_bucket"):
            assert by_name.get("what") == "a request", f"expected the label what of {name} to be 'a request', saw {by_name}"
            who = re.sub(r"\\(.)", r"\1", by_name["who"])
            found[re.sub(r"^.*?(calls|level|sizes)", r"\1", name), who] = value
    return found


def merged(found: dict[tuple[str, str], str]) -> dict[tuple[str, str], str] | None:
    """Returns the same once its histograms have their values, which takes a look at them."""
    return found if all(value != "0" for (name, _), value in found.items() if name == "sizes_count") else None


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_labels(cell: Cell) -> None:
    """Counters, gauges and histograms have a series for each value of their labels, also for Prometheus; wrong use has none."""
    with cell.start(listener("any", module="labels"), module="labels") as envoy:
        for value in LABELS:
            for _ in range(2):
                answer = envoy.request("/", headers={"x-label": value})
                assert answer.status == 200, f"expected an answer, saw {answer.summary}"
        seen = poll(lambda: merged(series(envoy.admin("/stats/prometheus").body)), LOG_LINE_S)
        results = {hook: {*printed(envoy, hook)} for hook in ("define", "right", "too few", "none", "unknown")}
        envoy.check_survived("after metrics were used wrongly")
    cell.facts.update({hook: "; ".join(sorted(lines)) for hook, lines in results.items()})
    assert seen is not None, "expected histograms to be merged, they are not"
    cell.facts["series"] = "; ".join(sorted(f"{name} {who}" for name, who in seen))
    # Results of the ABI: 0 for success, 1 for a metric that is not known, 2 for labels that do not fit.
    returned = {"right": "0 0 0 0 0", "too few": "2 2 2", "unknown": "1 1 1"}
    for use, result in returned.items():
        assert results[use] == {f"{use} {result}"}, f"expected the results {result} of {use}, the module printed {results[use]}"
    of_each = {"calls": "4", "level": "10", "sizes_count": "2"}
    expected = {(name, value): number for value in LABELS for name, number in of_each.items()}
    wrong = {one: seen.get(one, "nothing") for one, number in expected.items() if seen.get(one) != number}
    assert not wrong, f"expected each label to have its own series, with {of_each}; saw {wrong} of {sorted(seen)}"


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_stream_callout(cell: Cell) -> None:
    """A stream to a cluster: what a module sends in pieces arrives, and what comes back comes; each end is seen."""
    cell.install("stream_callout")
    with cell.upstream() as server, cell.source_server() as source, refusing_port() as port:
        source.offer("/stream", Reply(b"x" * 1000, manner=Manner.CUT))
        clusters = {"upstream": server.port, "cut": source.port, "refusing": port}
        with cell.start(listener("any", module="stream_callout"), module="stream_callout", clusters=clusters) as envoy:
            answer = envoy.request("/", headers={"x-cluster": "upstream"})
            reset = envoy.request("/", headers={"x-cluster": "upstream", "x-reset": "yes"})
            others = {name: envoy.request("/", headers={"x-cluster": name}) for name in ("cut", "refusing", "nowhere")}
            idle = poll(lambda: not any(envoy.counters(r"cluster\.\w+\.upstream_rq_active").values()) or None, REQUEST_S)
            late = printed(envoy, "after reset")
            received = server.read_received("/stream")
            envoy.check_survived("after streams that end in each way")
    assert idle, "expected no stream to be left under way, one is"
    seen = (answer.status, answer.body, answer.headers.get("x-stream-status"), answer.headers.get("x-stream-trailer"))
    assert seen == (200, "one two", "200", "yes"), f"expected what was sent to come back through the stream, saw {seen}"
    whole = [(one.method, one.body, one.trailers.get("x-last")) for one in received if one.body]
    assert whole == [("POST", "one two", "yes")], f"expected the pieces and the trailer at the upstream server, saw {whole}"
    ends = {name: f"{one.status}, {one.headers.get('x-stream-status')}" for name, one in (("reset", reset), *others.items())}
    # What cannot connect is answered by Envoy, as it answers clients.
    expected = {"reset": "503, ", "cut": "503, 200", "refusing": "200, 503", "nowhere": "502, "}
    assert ends == expected, f"expected the module to see the ends {expected}, saw {ends}"
    assert late == ["after reset 0"], f"expected data after a reset to be refused, saw {late}"


KEPT_ALIVE = "02"
"""The timer of a socket in `/proc/net/tcp` that the kernel keeps alive."""
ESTABLISHED = "01"


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_socket_options(cell: Cell) -> None:
    """A socket option that a filter sets is one of the kernel's socket, to the client and to the upstream server."""
    cell.needs(cell.host_minor >= Minor(1, 38), "this host has no callback for socket options of HTTP filters")
    cell.install("keep_alive")
    with cell.upstream() as server:
        listeners = (listener("any", module="keep_alive"), Listener("plain"))
        with cell.start(*listeners, module="keep_alive", clusters={"upstream": server.port}) as envoy:
            seen = {}
            for name in ("plain", "main"):
                port = envoy.take_port(name)
                with envoy.connect(Protocol.HTTP1, listener=name) as client:
                    status = client.request(Request("/")).status
                    assert status == 200, f"expected an answer, saw {status}"
                    timers = timers_of(envoy.take_pid())
                seen[name] = {
                    "client": KEPT_ALIVE in {timer for own, _, timer in timers if own == port},
                    "upstream": KEPT_ALIVE in {timer for _, other, timer in timers if other == server.port},
                }
            cell.facts["set"] = "; ".join(printed(envoy, "set"))
    expected = {"plain": {"client": False, "upstream": False}, "main": {"client": True, "upstream": True}}
    assert seen == expected, f"expected the kernel to keep alive {expected}, saw {seen}"


def timers_of(pid: int) -> list[tuple[int, int, str]]:
    """Returns the open connections of the network that a process is in: each one's own port, the other's, and its timer."""
    lines = Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    fields = [line.split() for line in lines]
    return [
        (int(one[1].rpartition(":")[2], 16), int(one[2].rpartition(":")[2], 16), one[5].partition(":")[0])
        for one in fields
        if one[3] == ESTABLISHED
    ]


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_generic_secret(cell: Cell) -> None:
    """A secret that a filter asks for comes from a file by SDS, and another one when the file changes."""
    cell.needs(cell.host_minor >= Minor(1, 40), "hosts have secrets of HTTP filters from 1.40 on")
    file = cell.folder / "secret.json"
    write_secret(file, "first")
    source = json.dumps({"path_config_source": {"path": str(file)}, "resource_api_version": "V3"})
    with cell.start(listener("any", f"mine {source}", module="generic_secret"), module="generic_secret") as envoy:
        cell.facts["subscribe"] = "; ".join(printed(envoy, "subscribe"))
        for value in ("first", "second"):
            write_secret(file, value)
            poll(lambda: envoy.request("/").headers.get("x-secret") == value, LOG_LINE_S)  # noqa: B023 - called at once
            seen = envoy.request("/").headers.get("x-secret")
            assert seen == value, f"expected the secret {value!r}, the module has {seen!r}"


def write_secret(file: Path, value: str) -> None:
    """Replaces the file by one with this secret."""
    resource = {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
        "name": "mine",
        "generic_secret": {"secret": {"inline_string": value}},
    }
    part = file.with_suffix(".part")
    part.write_text(json.dumps({"resources": [resource]}), encoding="utf-8")
    part.replace(file)
