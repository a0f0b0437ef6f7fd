"""What people reported of modules on released Envoys, each by a module in C that does this one thing.

No document promises these: what each release does is on record. `docs/defects.md` has them all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dmconform.casekit import (
    REQUEST_S,
    Answer,
    Cell,
    Draft,
    End,
    Envoy,
    ExtensionPoint,
    HostCrashed,
    HttpFilter,
    Language,
    Listener,
    ListenerFilter,
    LocalFile,
    Minor,
    Mode,
    ModuleRef,
    ModuleUse,
    NetworkFilter,
    Protocol,
    Received,
    RemoteSource,
    Request,
    Took,
    accepted,
    case,
    listener,
    listeners_at,
    poll,
    start_at_point,
    verdict_of,
)

CPP = (Language.CPP,)
"""The build that leaves modules in C; they use no SDK."""
SAID = re.compile(r"^dmconform: (.*)$", re.MULTILINE)
"""What these modules print."""
OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
CODEC = "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"
UNKNOWN_FIELD = re.compile(r"no\s+such\s+field:\s+'(\w+)'")
"""What hosts say of a field that they do not know; they put more blanks in at random."""
UNDER_WAY = r"cluster\.upstream\.upstream_rq_(pending_)?active$"
BEHAVES = "module.c_abi"


def said(envoy: Envoy) -> list[str]:
    """Returns what the modules have printed so far, once the Envoy has answered its admin interface."""
    envoy.check_survived("after the requests")
    return SAID.findall(envoy.read_log())


def listening(module: str) -> Listener:
    """Returns a listener of bytes with a listener filter of a module."""
    return Listener("main", listening=(ListenerFilter(ModuleRef(module), "any"),), tcp=True)


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_continue_in_accept(cell: Cell) -> None:
    """A listener filter that continues the chain from inside its own hook: the connection is served or closed, Envoy lives."""
    with cell.start(listening("continue_in_accept"), module="continue_in_accept") as envoy:
        cell.facts["answer"] = envoy.request("/").summary
        envoy.check_survived("after a connection")


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_continue_in_data(cell: Cell) -> None:
    """A listener filter that continues the chain from the hook that is shown the first bytes: served or closed, Envoy lives."""
    with cell.start(listening("continue_in_data"), module="continue_in_data") as envoy:
        cell.facts["answer"] = envoy.request("/").summary
        envoy.check_survived("after a connection")


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_callout_in_stream_complete(cell: Cell) -> None:
    """A callout that is started when the stream is complete is refused, or at least does no harm."""
    late_callout(cell, "stream_complete")


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_callout_in_destroy(cell: Cell) -> None:
    """A callout that is started when the filter is destroyed is refused, or at least does no harm."""
    late_callout(cell, "destroy")


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_callout_after_reset(cell: Cell) -> None:
    """A callout that is started right after the stream was reset is refused, or at least does no harm."""
    cell.needs(cell.host_minor >= Minor(1, 38), "this host has no callback that resets a stream")
    late_callout(cell, "reset")


def late_callout(cell: Cell, when: str) -> None:
    """Asserts that a callout that is started too late is refused; one that is not must at least do no harm."""
    with (
        cell.upstream() as upstream,
        cell.start(listener(when, module="late_callout"), module="late_callout", clusters={"upstream": upstream.port}) as envoy,
    ):
        cell.facts["answer"] = envoy.request("/").summary
        line = envoy.wait_for_log("dmconform: callout")
        assert line is not None, "expected the module to start a callout, it did not"
        result = cell.facts["callout"] = line.removeprefix("dmconform: callout ")
        envoy.provoke("after a callout that came too late")
        idle = poll(lambda: not any(envoy.counters(UNDER_WAY).values()) or None, REQUEST_S)
        assert idle, "expected nothing to be under way to the upstream any more, something is"
        cell.facts["at the upstream"] = "came" if upstream.count_begun("/late") else "did not come"
        envoy.check_survived("after a callout that came too late")
    assert result == "refused", f"expected the callout to be refused, it {cell.facts['at the upstream']} at the upstream"


@case(BEHAVES, languages=CPP, supported_for=(), own_minor=True)
def test_socket_options(cell: Cell) -> None:
    """Socket options: of one set twice the second value is read, one beyond an int is refused, a view stays intact."""
    cell.needs(cell.host_minor >= Minor(1, 38), "this host has no callback for socket options of HTTP filters")
    with cell.start(listener("any", module="socket_options"), module="socket_options") as envoy:
        answer = envoy.request("/")
    seen = {name: answer.headers.get(f"x-{name}") for name in ("twice", "wide", "view")}
    cell.facts.update({name: str(value) for name, value in seen.items()})
    assert seen["twice"] == "true 2", f"expected the second of two values, 2, to be read, saw {seen['twice']}"
    assert seen["wide"] == "set false, false 0", f"expected a value beyond an int to be refused, saw {seen['wide']}"
    assert seen["view"] == "intact", f"expected what was read to stay while more options are set, it is {seen['view']}"


@case(BEHAVES, languages=CPP, supported_for=(), own_minor=True)
def test_empty_header_value(cell: Cell) -> None:
    """A header that is set to an empty value is there and empty, in requests and in responses."""
    with cell.start(listener("any", module="empty_header_value"), module="empty_header_value") as envoy:
        answer = envoy.request("/?echo=x-empty", headers={"x-empty": "full"})
    received = Received.from_json(answer.body).headers
    for where, headers in (("request", received), ("response", answer.headers)):
        for name in ("x-empty", "x-new"):
            value = headers.get(name)
            cell.facts[f"{name} in the {where}"] = "none" if value is None else repr(value)
    wrong = {name: value for name, value in cell.facts.items() if value != "''"}
    assert not wrong, f"expected headers that are set to an empty value to be there and empty, saw {wrong}"


@case(BEHAVES, languages=CPP, supported_for=(), own_minor=True)
def test_added_trailers(cell: Cell) -> None:
    """A trailer that a module adds to a response without trailers comes at the client, or the callback returns false."""
    with cell.start(listener("any", module="added_trailers"), module="added_trailers") as envoy:
        with envoy.connect(Protocol.HTTP2) as client:
            answer = client.request(Request("/"))
        line = envoy.wait_for_log("dmconform: adding returned")
    assert line is not None, "expected the module to add a trailer, it did not"
    returned, came = line.endswith("true"), answer.trailers.get("x-added") == "yes"
    cell.facts["the callback"] = f"returned {str(returned).lower()}"
    cell.facts["the trailer"] = "came" if came else "did not come"
    assert returned == came, f"expected true for a trailer that comes, saw {returned}, and it {cell.facts['the trailer']}"


@case(BEHAVES, languages=CPP, supported_for=(), own_minor=True)
def test_close_before_manager(cell: Cell) -> None:
    """A network filter closes connections before a connection manager sees them: no alarm in the host's log."""
    closing = NetworkFilter(ModuleRef("close_before_manager"), "any")
    with cell.start(Listener("main", network=(closing,)), module="close_before_manager") as envoy:
        for protocol in Protocol:
            with envoy.connect(protocol) as client:
                answer = client.request(Request("/"))
            assert answer.end is End.CUT, f"expected the connection to be closed, saw {answer.summary}"
        envoy.check_survived("after connections that the module closed")
        alarms = [line for line in envoy.read_log().splitlines() if "envoy bug" in line]
    cell.facts["alarms"] = str(len(alarms))
    assert not alarms, f"expected no alarm in the log, saw {alarms[0].partition('] ')[2]}"


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_read_buffer_later(cell: Cell) -> None:
    """What a network filter reads of its buffer outside the read hook, where another injected the data, is there or nothing."""
    filters = tuple(NetworkFilter(ModuleRef("read_buffer_later"), name) for name in ("inject", "look"))
    with cell.start(Listener("main", network=filters, tcp=True), module="read_buffer_later") as envoy:
        cell.facts["answer"] = envoy.request("/").summary
        cell.facts["the module"] = ", ".join(sorted({*said(envoy)}))  # how many pieces come is chance
        envoy.check_survived("after a filter looked at its buffer")


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_bridge_answers_early(cell: Cell) -> None:
    """An upstream bridge answers before the request has ended, and then reads its buffer: the answer comes, Envoy lives."""
    cell.install("bridge_answers_early")
    use = ModuleUse(ExtensionPoint.UPSTREAM_HTTP_TCP_BRIDGE, ModuleRef("bridge_answers_early"), "any")
    with start_at_point(cell, use) as envoy:
        accepted(envoy)
        with envoy.connect(Protocol.HTTP2) as client:
            pending = client.begin(Request("/", "POST", body="the rest"))
            pending.send_body("a piece")
            answer = pending.answer()
        cell.facts["answer"] = answer.summary
        envoy.check_survived("after an early answer")
    assert answer.status == 200, f"expected the module's answer 200, saw {answer.summary}"
    assert answer.body == "early", f"expected its body 'early', saw {answer.body!r}"


@case(BEHAVES, languages=CPP, supported_for=(), own_minor=True)
def test_tracer_tags(cell: Cell) -> None:
    """A tracer is given tags for spans, also for those that are not sampled."""
    cell.install("tracer_tags")
    tracer, sampler = (
        ModuleUse(point, ModuleRef("tracer_tags"), "any") for point in (ExtensionPoint.TRACER, ExtensionPoint.HTTP_FILTER)
    )

    def without_sampling(draft: Draft) -> None:
        draft.manager["tracing"] |= {"random_sampling": {"value": 0}, "overall_sampling": {"value": 0}}

    for name, uses, alter in (
        ("sampled", (tracer,), None),
        ("not sampled by the host", (tracer,), without_sampling),
        ("taken out by a filter", (tracer, sampler), None),
    ):
        with start_at_point(cell, *uses, alter=alter) as envoy:
            accepted(envoy)
            envoy.request("/")
            assert envoy.wait_for_log("end of the first span"), "expected the tracer's span to end, it does not"
            spoke = SAID.findall(envoy.read_log())
        cell.facts[f"tags of a span that is {name}"] = str(spoke.count("tag of the first span"))
    assert len(set(cell.facts.values())) == 1, f"expected as many tags for all spans, as up to 1.39; saw {cell.facts}"


@case(BEHAVES, languages=CPP, supported_for=(), own_minor=True)
def test_log_location(cell: Cell) -> None:
    """A line that a module logs carries the module's place in the source, or none, and not one of the host's."""
    with cell.start(Listener("main", (HttpFilter(ModuleRef("log_location"), "any"),)), module="log_location") as envoy:
        line = envoy.wait_for_log("a line of the module")
    assert line is not None, "expected the module's line in the log, it is not there"
    place = re.search(r"\[([^\]\s]+\.(?:cc|c|h)):\d+\]", line)
    cell.facts["place"] = place[1] if place else "none"
    assert place is None or place[1] == "module.c", f"expected the module's place in the source, saw {place[1]}"


@case("configuration.forms", languages=CPP, supported_for=(), own_minor=True)
def test_configuration_fields(cell: Cell) -> None:
    """A host that does not know a field of a module's configuration names it: at start it refuses it, by an update it warns."""
    file = cell.install("harmless")
    fields = {
        "load_globally": ModuleRef("harmless", load_globally=True),
        "local": ModuleRef("harmless", local=LocalFile(str(file))),
        "metrics_namespace": ModuleRef("harmless", metrics_namespace="mine"),
        "nack_on_cache_miss": ModuleRef("harmless", remote=RemoteSource("/none", "0" * 64, nack_on_cache_miss=True)),
        "filter_name of a route": ModuleRef("harmless"),
    }
    with cell.start_anyhow(Listener("main"), search_path=cell.modules_folder) as envoy:
        for name, module in fields.items():
            use = ModuleUse(ExtensionPoint.HTTP_FILTER, module, "any", per_route="" if name.endswith("a route") else None)
            static = verdict_of(cell, Mode.START, use, alter=name_in_routes)
            assert static.took in (Took.ACCEPTED, Took.REFUSED), f"expected an orderly answer to {name}, saw: {static.words}"
            unknown = UNKNOWN_FIELD.findall(static.log)
            before = len(UNKNOWN_FIELD.findall(envoy.read_log()))
            update = envoy.update(*listeners_at(cell, use, name_in_routes))
            warned = UNKNOWN_FIELD.findall(envoy.read_log())[before:]
            cell.facts[f"{name} at start"] = f"refused, not known: {unknown[0]}" if unknown else "known"
            took = "taken" if update.accepted else "refused"
            cell.facts[f"{name} by update"] = f"{took} with a warning, not known: {warned[0]}" if warned else "known"
            assert bool(unknown) == bool(warned), f"expected {name} to be known or not, saw {cell.facts}"


def name_in_routes(draft: Draft) -> None:
    """Names the filter in what it gets on a route, if it gets anything, also by the field that came with 1.38."""
    for message in draft.route.get("typed_per_filter_config", {}).values():
        message["filter_name"] = "any"


@case("module.upstream_side", languages=CPP, supported_for=(), own_minor=True)
def test_open_circuit_breakers(cell: Cell) -> None:
    """Where a circuit breaker of any kind is open, a module on the upstream side is left alone after it was destroyed."""
    cell.install("called_after_destroy")
    wrong = []
    for name, (thresholds, http2) in BREAKERS.items():
        try:
            with cell.start_anyhow(
                Listener("main"), search_path=cell.modules_folder, alter=broken_circuit(thresholds, http2=http2)
            ) as envoy:
                answer = overflowing(envoy, hold=thresholds.get("max_requests") == 1)
                late = said(envoy)
            cell.facts[name] = "; ".join([answer.summary, *dict.fromkeys(late)])
        except HostCrashed as problem:
            cell.facts[name] = str(problem)
        if cell.facts[name] != "status 503":
            wrong.append(f"{name}: {cell.facts[name]}")
    assert not wrong, f"expected the answer 503 and no hook after destroy, saw {' / '.join(wrong)}"


def overflowing(envoy: Envoy, *, hold: bool) -> Answer:
    """Returns the answer to a request for which a circuit breaker is open; `hold`: while another is under way."""
    if not hold:
        return envoy.request("/")
    with envoy.connect(Protocol.HTTP2) as client:
        held = client.send(Request("/?hold"))
        poll(lambda: envoy.statistic("cluster.upstream.upstream_rq_active") == 1, REQUEST_S)
        answer = client.request(Request("/"))
        held.cancel()
    return answer


BREAKERS: dict[str, tuple[dict[str, int], bool]] = {
    "no pending request": ({"max_pending_requests": 0}, False),
    "no request": ({"max_requests": 0}, False),
    "one request, and a connection": ({"max_requests": 1}, False),
    "no pending request, HTTP/2": ({"max_pending_requests": 0}, True),
    "no request, HTTP/2": ({"max_requests": 0}, True),
}
"""Thresholds of a circuit breaker, and whether the upstream speaks HTTP/2."""


def broken_circuit(thresholds: dict[str, int], *, http2: bool) -> Callable[[dict[str, Any]], None]:
    """Puts a module on the upstream side of the cluster `upstream`, with a circuit breaker."""

    def alter(bootstrap: dict[str, Any]) -> None:
        cluster = bootstrap["static_resources"]["clusters"][0]
        options = cluster["typed_extension_protocol_options"][OPTIONS]
        if http2:
            options["explicit_http_config"] = {"http2_protocol_options": {}}
        filter_ = HttpFilter(ModuleRef("called_after_destroy"), "any")
        options["http_filters"] = [filter_.to_json(), {"name": "codec", "typed_config": {"@type": CODEC}}]
        cluster["circuit_breakers"] = {"thresholds": [thresholds]}

    return alter
