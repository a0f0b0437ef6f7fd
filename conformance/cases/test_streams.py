"""Streams that do not go as usual: held, early, streamed by the module, left by the client, or turned into something else.

No document promises these: what each release does is on record. `docs/defects.md` has what is wrong.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from dmconform.casekit import (
    AUTHORITY,
    DIRECT_PATH,
    HTTP2_WINDOW_BYTES,
    LOG_LINE_S,
    NEIGHBOURS,
    NEVER_S,
    PANICKED_S,
    REQUEST_S,
    SMALL_WINDOWS,
    Answer,
    Cell,
    Envoy,
    HostCrashed,
    Http2Client,
    Http2Server,
    HttpFilter,
    Language,
    Listener,
    Manner,
    ModuleRef,
    Neighbour,
    NoAnswer,
    Protocol,
    RawClient,
    Reply,
    Request,
    adler,
    case,
    http2_client,
    http2_server,
    http2_upgrade,
    on_the_upstream_side,
    over_http2,
    pieces_of,
    poll,
    raw_client,
    text_of,
)

CPP = (Language.CPP,)
"""The build that leaves modules in C; they use no SDK."""
STREAMED = "streamed: "
NO_HOOKS = "0 headers, 0 body, 0 trailers hooks"
RECEIVED_BYTES = "cluster.upstream.upstream_cx_rx_bytes_total"


def of_module(cell: Cell, name: str, config: str = "") -> HttpFilter:
    """Returns the HTTP filter of one of the modules in C, and installs it."""
    cell.install(name)
    return HttpFilter(ModuleRef(name), "any", config)


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


KINDS = ("pass", "hold")
HELD_BYTES = 8 << 20
"""More than the largest body: what is held is within the limit."""
PATH = "/streams"
SIZE = 70_001
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
EXPECTING = f"POST {PATH}?mirror HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: {SIZE}\r\n\r\n".encode()
UPGRADES = {
    "websocket": f"GET {PATH} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    "CONNECT": "CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n",
}
HEAD_END = b"\r\n\r\n"
LETS_REQUESTS_GO = tuple(one for one in NEIGHBOURS.values() if not one.holds_requests)


def listener_of(cell: Cell, neighbour: Neighbour, kind: str = "pass", **options: Any) -> Listener:  # noqa: ANN401 - of Listener
    """Returns a listener, named after both, with a module of this kind before, between and after a neighbour.

    The outer module passes on what the compressor has changed: see `neighbours/trailers_from_behind`.
    """
    outer = of_module(cell, "neighbour", "pass") if neighbour is NEIGHBOURS["compressor"] else None
    return Listener(f"{neighbour.name}-{kind}", neighbour.between(of_module(cell, "neighbour", kind), outer), **options)


@contextlib.contextmanager
def serving(cell: Cell, *listeners: Listener, clusters: dict[str, int]) -> Iterator[Envoy]:
    """Yields an Envoy with these listeners; `ext_authz` is answered that all may pass."""
    with cell.source_server() as authority:
        authority.offer(PATH, Reply())
        with cell.start(*listeners, module="neighbour", clusters={AUTHORITY: authority.port, **clusters}) as envoy:
            yield envoy


def noted(cell: Cell, seen: dict[str, str], right: str) -> None:
    """Asserts that all that was seen is right; the facts have what is not."""
    wrong = {where: what for where, what in seen.items() if what != right}
    cell.facts |= wrong
    assert not wrong, f"expected {right!r} everywhere, saw {wrong}"


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_early_answer(cell: Cell) -> None:
    """An answer that comes before the request has ended is delivered at once, through modules and Envoy's own filters."""
    listeners = [listener_of(cell, one) for one in LETS_REQUESTS_GO]
    seen = {}
    with cell.source_server() as source:
        source.offer(PATH, Reply(b"early", 403))
        with serving(cell, *listeners, clusters={"upstream": source.port}) as envoy:
            for one in listeners:
                for protocol in Protocol:
                    with envoy.connect(protocol, listener=one.name, patience_s=REQUEST_S) as client:
                        pending = client.begin(Request(PATH, "POST", body="last", trailers={"x-last": "yes"}))
                        pending.send_body("first")
                        seen[f"{one.name}, {protocol.value}"] = answered(pending.answer)
    noted(cell, seen, "status 403")


def answered(ask: Callable[[], Answer]) -> str:
    """Returns how a request ends, in words."""
    try:
        return ask().summary
    except NoAnswer:
        return "no answer"


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_expect_continue(cell: Cell) -> None:
    """A client that waits for `100 Continue` before it sends its body gets that, and then its answer."""
    # What the compressor makes of the answer has no length.
    neighbours = [one for name, one in NEIGHBOURS.items() if name != "compressor"]
    listeners = [listener_of(cell, one, kind) for one in neighbours for kind in KINDS]
    seen = {}
    with cell.upstream() as upstream, serving(cell, *listeners, clusters={"upstream": upstream.port}) as envoy:
        for one in listeners:
            with raw_client(envoy.take_port(one.name)) as client:
                client.send(EXPECTING)
                seen[one.name] = expected_continue(client)
    noted(cell, seen, "whole")


def first_line(head: bytes) -> str:
    """Returns the first line of what came."""
    return head.decode(errors="replace").partition("\r")[0]


def expected_continue(client: RawClient) -> str:
    """Sends the body of a request that waits for leave to go on; returns the result, in words."""
    try:
        told = client.read_until(HEAD_END)
        if told != CONTINUE:
            return f"not told to go on: {first_line(told)}"
        body = text_of(SIZE).encode()
        client.send(body)
        status = first_line(client.read_until(HEAD_END))
        if not status.startswith("HTTP/1.1 200 "):
            return status
        return "whole" if client.read(SIZE) == body else "cut"
    except (TimeoutError, ConnectionError) as problem:
        return type(problem).__name__


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_upgrades(cell: Cell) -> None:
    """What is sent over a connection that was upgraded, or opened by CONNECT, arrives whole both ways."""
    upgrades = ("websocket", "CONNECT")
    listeners = [listener_of(cell, one, upgrades=upgrades) for one in LETS_REQUESTS_GO]
    seen = {}
    with cell.echo_server() as echo, serving(cell, *listeners, clusters={"upstream": echo.port}) as envoy:
        for one in listeners:
            for what, head in UPGRADES.items():
                if (one.name, what) == ("ext_authz-pass", "CONNECT"):
                    continue  # it would ask its server by CONNECT
                with raw_client(envoy.take_port(one.name)) as client:
                    client.send(head.encode())
                    seen[f"{one.name}, {what}"] = echoed(client)
    noted(cell, seen, "whole")


def echoed(client: RawClient) -> str:
    """Sends bytes in odd pieces over an upgraded connection; returns the result, in words."""
    try:
        status = first_line(client.read_until(HEAD_END))
        if status.split()[1:2] not in (["101"], ["200"]):
            return status
        for piece in pieces_of(text_of(SIZE)):
            client.send(piece.encode())
        return "whole" if client.read(SIZE) == text_of(SIZE).encode() else "cut"
    except (TimeoutError, ConnectionError) as problem:
        return type(problem).__name__


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_upgraded_streams(cell: Cell) -> None:
    """What is sent over a stream of HTTP/2 that was upgraded, or opened by CONNECT, arrives whole both ways."""
    manager = {"http2_protocol_options": {"allow_connect": True}}
    listeners = [listener_of(cell, one, upgrades=("websocket", "CONNECT"), manager=manager) for one in LETS_REQUESTS_GO]
    seen = {}
    with cell.echo_server() as echo, serving(cell, *listeners, clusters={"upstream": echo.port}) as envoy:
        for one in listeners:
            for protocol in ("websocket", None):
                if (one.name, protocol) == ("ext_authz-pass", None):
                    continue  # it would ask its server by CONNECT
                with http2_upgrade(envoy.take_port(one.name), PATH, text_of(SIZE).encode(), protocol) as client:
                    seen[f"{one.name}, {protocol or 'CONNECT'}"] = echoed_over_stream(client)
    noted(cell, seen, "whole")


def echoed_over_stream(client: Http2Client) -> str:
    """Reads what comes back over an upgraded stream; returns the result, in words."""
    client.read()
    sent = text_of(SIZE).encode()
    # That the client has sent all ends no connection of HTTP/1.1 upstream, and so not the stream.
    client.goes_on_until(lambda: len(client.received) >= len(sent), REQUEST_S)
    return "whole" if client.received == sent else f"{client.summary}, {len(client.received)} bytes of {len(sent)}"


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_client_gone(cell: Cell) -> None:
    """A client that goes at any step of its request leaves nothing behind, and no module is left without its end."""
    neighbours = list(zip(NEIGHBOURS.values(), itertools.cycle(KINDS), strict=False))
    listeners = [listener_of(cell, one, kind, buffer_bytes=HELD_BYTES) for one, kind in neighbours]
    with (
        cell.upstream() as upstream,
        serving(cell, *listeners, clusters={"upstream": upstream.port}) as envoy,
    ):
        modules = 0
        for one, (neighbour, _) in zip(listeners, neighbours, strict=True):
            for leave in LEAVING:
                leave(envoy, one.name)
            quiet = poll(lambda one=one: envoy.statistic(f"http.{one.name}.downstream_rq_active") == 0, REQUEST_S)  # type: ignore[misc]
            assert quiet, f"expected no request to be left in {one.name}, there are some after {REQUEST_S:g} s"
            with envoy.connect(Protocol.HTTP1, listener=one.name) as client:
                answer = client.request(Request(PATH))
            assert answer.status == 200, f"expected the next request in {one.name} to be answered, saw {answer.summary}"
            requests = envoy.statistic(f"http.{one.name}.downstream_rq_total") or 0
            modules += (requests - WITHOUT_HEADERS) * (len(neighbour.filters) + 1)
        upstream.let_go()
    ended = envoy.read_log().count("neighbour ") // 2
    assert ended == modules, f"expected {modules} filters to be destroyed, {ended} were"


BODY = text_of(SIZE)
POST = f"POST {PATH}?hold HTTP/1.1\r\nhost: a\r\ncontent-length: {SIZE}\r\n\r\n".encode()


def goes(*sent: bytes, reads: int = 0, resets: bool) -> Callable[[Envoy, str], None]:
    """Returns what sends all of this over HTTP/1.1, reads so many bytes of the answer, and goes."""

    def leave(envoy: Envoy, listener: str) -> None:
        with raw_client(envoy.take_port(listener)) as client:
            for piece in sent:
                client.send(piece)
            client.read(reads)
            if resets:
                client.reset()

    return leave


def cancels(*pieces: str, ends: bool = False) -> Callable[[Envoy, str], None]:
    """Returns what sends these pieces of a body over HTTP/2, and resets the stream."""

    def leave(envoy: Envoy, listener: str) -> None:
        with envoy.connect(Protocol.HTTP2, listener=listener) as client:
            pending = client.begin(Request(f"{PATH}?hold", "POST", body="" if ends else "never", trailers={"x-last": "yes"}))
            for piece in pieces:
                pending.send_body(piece)
            pending.cancel()
            client.look_if_open()

    return leave


LARGE_ANSWER = f"GET {PATH}?size=3000000 HTTP/1.1\r\nhost: a\r\n\r\n".encode()
LEAVING = (
    *(goes(POST[:40], resets=resets) for resets in (True, False)),
    *(goes(POST, resets=resets) for resets in (True, False)),
    *(goes(POST, BODY[:30_000].encode(), resets=resets) for resets in (True, False)),
    *(goes(POST, BODY.encode(), resets=resets) for resets in (True, False)),
    *(goes(LARGE_ANSWER, reads=1000, resets=resets) for resets in (True, False)),
    cancels(),
    cancels(BODY[:30_000]),
    cancels(BODY),
)
"""Each way in which a client goes, step by step."""
WITHOUT_HEADERS = 2
"""So many of these end before the headers do: no filter is made for them."""


ENDED = "neighbour pass request: "


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_on_the_upstream_side(cell: Cell) -> None:
    """Early answers, `100 Continue`, upgrades and clients that go pass a module on the upstream side as well."""
    side = on_the_upstream_side(of_module(cell, "neighbour", "pass"))
    plain, upgraded = Listener("main"), Listener("main", upgrades=("websocket", "CONNECT"))
    seen = {}
    with cell.source_server() as source:
        source.offer(PATH, Reply(b"early", 403))
        with cell.start(plain, module="neighbour", clusters={"upstream": source.port}, alter=side) as envoy:
            for protocol in Protocol:
                with envoy.connect(protocol, patience_s=REQUEST_S) as client:
                    pending = client.begin(Request(PATH, "POST", body="last", trailers={"x-last": "yes"}))
                    pending.send_body("first")
                    answer = answered(pending.answer)
                    seen[f"early answer, {protocol.value}"] = "whole" if answer == "status 403" else answer
    with cell.echo_server() as echo, cell.start(upgraded, clusters={"upstream": echo.port}, alter=side) as envoy:
        for what, head in UPGRADES.items():
            with raw_client(envoy.take_port("main")) as client:
                client.send(head.encode())
                seen[what] = echoed(client)
    with cell.upstream() as upstream, cell.start(plain, clusters={"upstream": upstream.port}, alter=side) as envoy:
        with raw_client(envoy.take_port("main")) as client:
            client.send(EXPECTING)
            seen["100 Continue"] = expected_continue(client)
        for leave in LEAVING:
            leave(envoy, "main")
        quiet = poll(lambda: envoy.statistic("http.main.downstream_rq_active") == 0, REQUEST_S)
        assert quiet, f"expected no request to be left, there are some after {REQUEST_S:g} s"
        seen["the next request"] = "whole" if envoy.request(PATH).status == 200 else "not answered"
        begun = envoy.statistic("cluster.upstream.upstream_rq_total") or 0
        upstream.let_go()
    ended = envoy.read_log().count(ENDED)
    noted(cell, seen, "whole")
    assert ended >= begun, f"expected a filter to be destroyed for each of {begun} requests to the upstream, {ended} were"


ROUNDS = 8
DESTROYED_ON = "configuration destroyed on "


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_destroyed_in_commit(cell: Cell) -> None:
    """On which thread does a configuration end, where a thread of the module commits an event to its last stream meanwhile?"""
    plain = Listener("plain")
    main = Listener("main", (of_module(cell, "unload_in_commit"),))
    seen: list[str] = []
    try:
        with cell.start(plain, module="unload_in_commit") as envoy:
            for _ in range(ROUNDS):
                seen.append(destroyed_on(cell, envoy, plain, main))
                if seen[-1] == OWN_THREAD:
                    break
            envoy.check_survived("after a configuration was destroyed")
    except HostCrashed as problem:
        cell.facts["the host (varies)"] = str(problem)
        assert OWN_THREAD in cell.read_logs(), f"expected a host that ends to have destroyed on {OWN_THREAD}; {problem}"
        seen.append(OWN_THREAD)
    cell.facts["configuration destroyed on"] = seen[-1]


OWN_THREAD = "the thread that commits"


def destroyed_on(cell: Cell, envoy: Envoy, plain: Listener, main: Listener) -> str:
    """Holds a stream, takes its listener away, and returns where the configuration is destroyed."""
    before = envoy.read_log().count(DESTROYED_ON)
    cell.reconfigure(envoy, plain, main)
    with raw_client(envoy.take_port("main")) as client:
        client.send(f"GET {PATH} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
        held = poll(lambda: envoy.statistic("http.main.downstream_rq_active") == 1, REQUEST_S)
        assert held, "expected the module to hold the request, it does not"
        cell.reconfigure(envoy, plain)
        lines = poll(lambda: envoy.read_log().split(DESTROYED_ON)[before + 1 :] or None, LOG_LINE_S)
    assert lines, "expected the configuration to be destroyed with its listener, it is not"
    return lines[0].partition("\n")[0]


SLOW_BYTES = 12_000_000
"""More than all buffers between the server and a client that does not read."""
WATERMARKS = "watermarks: "


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_slow_reader(cell: Cell) -> None:
    """A client that reads late gets all of a large response, of the upstream or streamed by the module, which learns of it."""
    for kind in ("upstream", "own"):
        main = Listener("main", (of_module(cell, "watermarks", kind),))
        with cell.upstream() as upstream, cell.start(main, module="watermarks", clusters={"upstream": upstream.port}) as envoy:
            with raw_client(envoy.take_port("main")) as client:
                client.send(f"GET {PATH}?size={SLOW_BYTES} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
                told = poll(lambda envoy=envoy: f"{WATERMARKS}reached" in envoy.read_log(), NEVER_S)  # type: ignore[misc]
                status = first_line(client.read_until(HEAD_END))
                came = len(client.read(SLOW_BYTES))
            assert came == SLOW_BYTES, f"expected all {SLOW_BYTES} bytes of {kind}, saw {status!r} and {came}"
            line = envoy.wait_for_log(" above, ")
        assert line is not None, f"expected the stream with a response of {kind} to end, it does not"
        above, below = (int(word) for word in line.partition(WATERMARKS)[2].split()[::2])
        cell.facts[f"told that the client is slow, response of {kind}"] = "yes" if told else "never"
        # The stream may end before what is left in the buffer of its connection was read.
        assert above - below in (0, 1), f"expected the hooks above and below in turns with a response of {kind}, saw {line}"


BOTH_BYTES = 400_000
"""Of each body: more than all windows and buffers on the way."""
BOTH = "both_held: "
BUFFER_BYTES = 65_536
AT_FIRST_BYTES = 40_000
"""Of the request, before its response comes to be held; the rest comes meanwhile."""


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_both_held(cell: Cell) -> None:
    """What a module holds of both bodies at once arrives whole over HTTP/2 with small windows, where both ends read late."""
    ends = {kind: held_both_ways(cell, kind) for kind in ("bodies", "all")}
    for kind, (result, line) in ends.items():
        cell.facts[f"{kind} held"] = result
        if line:
            cell.facts[f"{kind} held, told that the client is slow"] = "never" if f"{BOTH}0 above" in line else "yes"
    for kind, (result, line) in ends.items():
        assert result == "whole", f"expected both bodies to arrive whole with {kind} held, saw {result}"
        assert line, f"expected the stream to end with {kind} held, it does not"
        above, below = (int(word) for word in line.partition(BOTH)[2].split()[::2])
        # The stream may end before the client has read what is left.
        assert above - below in (0, 1), f"expected the hooks above and below in turns with {kind} held, saw {line}"


def held_both_ways(cell: Cell, kind: str) -> tuple[str, str]:
    """Sends a body to a server that sends another, with both held on the way; returns the result, and the line on hooks."""
    asked, answered = text_of(BOTH_BYTES).encode(), text_of(BOTH_BYTES)[::-1].encode()
    main = Listener(
        "main",
        (of_module(cell, "both_held", kind),),
        buffer_bytes=BUFFER_BYTES,
        manager={"http2_protocol_options": SMALL_WINDOWS},
    )
    alter = over_http2(per_connection_buffer_limit_bytes=BUFFER_BYTES)
    with (
        http2_server(answered) as server,
        cell.start(main, module="both_held", clusters={"upstream": server.port}, alter=alter) as envoy,
        http2_client(envoy.take_port("main"), PATH, asked, AT_FIRST_BYTES) as client,
    ):
        held = functools.partial(comes_to_be_held, envoy, client)
        if not held("request"):
            return f"no request comes to be held: {client.summary}", ""
        if kind == "all":  # the server learns of the request only once that is let go
            envoy.request(DIRECT_PATH)
        if not held("response"):
            return f"no response comes to be held: {client.summary}", ""
        client.go_on()
        if not client.goes_on_until(lambda: client.is_stuck, REQUEST_S):
            return f"the client is not made to wait: {client.summary}", ""
        envoy.request(DIRECT_PATH)
        for what, end in (("request", server), ("response", client)):
            if not client.goes_on_until(functools.partial(has_window, end), NEVER_S):
                return f"the {what} is never let go", ""
        server.read()
        client.read()
        client.goes_on_until(lambda: client.is_answered, REQUEST_S)
        parts = {"request": (asked, server.received), "response": (answered, client.received)}
        line = (envoy.wait_for_log(" above, ") or "") if client.is_answered else ""
    wrong = [way for way, (sent, came) in parts.items() if sha256(came) != sha256(sent)]
    cut = [f"{len(parts[way][1])} of {BOTH_BYTES} bytes of the {way}" for way in wrong]
    return ", ".join([*cut, client.summary]) if cut or not client.is_answered else "whole", line


def comes_to_be_held(envoy: Envoy, client: Http2Client, way: str) -> bool:
    """Returns whether the module comes to hold the request or the response."""
    return client.goes_on_until(lambda: f"{BOTH}{way}\n" in envoy.read_log(), REQUEST_S)


def has_window(end: Http2Client | Http2Server) -> bool:
    """Returns whether as much has come to an end that does not read as may."""
    return len(end.received) == HTTP2_WINDOW_BYTES


def sha256(data: bytes) -> str:
    """Returns the SHA-256 of bytes, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


FEW_BYTES = AT_FIRST_BYTES
"""Of a body that no buffer on the way is too small for."""
HALF = FEW_BYTES // 2
BOUNDS: dict[str, Any] = {"buffer_bytes": BUFFER_BYTES, "manager": {"http2_protocol_options": SMALL_WINDOWS}}
SIDES = ("downstream", "upstream")


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_late_ends(cell: Cell) -> None:
    """Over HTTP/2, an end that reads late has the other wait; of one that sends late the other gets what there is."""
    for side, one in itertools.product(SIDES, LATE):
        where = f"{one.who} late, module on the {side} side"
        result, line = late_end(cell, side, one)
        assert result == "whole", f"expected both bodies to arrive whole where the {where}, saw {result}"
        above, below = (int(word) for word in line.partition(WATERMARKS)[2].split()[::2])
        cell.facts[f"{where}, hooks for watermarks"] = "called" if above else "never called"
        # The stream may end before what is left in the buffer of its connection was read.
        assert above - below in (0, 1), f"expected the hooks above and below in turns where the {where}, saw {line}"


def late_end(cell: Cell, side: str, late: LateEnd) -> tuple[str, str]:
    """Sends a body to a server that sends another, with an end that is late; returns the result, and the line on hooks."""
    asked, answered = text_of(late.asked_bytes), text_of(late.answered_bytes)[::-1]
    filters = (of_module(cell, "watermarks", "upstream"), of_module(cell, "neighbour", "pass"))
    main = Listener("main", filters if side == "downstream" else (), **BOUNDS)
    small = over_http2(per_connection_buffer_limit_bytes=BUFFER_BYTES)
    beside = on_the_upstream_side(*filters if side == "upstream" else ())

    def alter(bootstrap: dict[str, Any]) -> None:
        small(bootstrap)
        beside(bootstrap)

    with (
        http2_server(answered.encode(), late.answered_first_bytes) as server,
        cell.start(main, module="neighbour", clusters={"upstream": server.port}, alter=alter) as envoy,
        http2_client(envoy.take_port("main"), PATH, asked.encode(), 0) as client,
    ):
        # What comes before there is a connection to the server is another matter: see `neighbours/held_by_ext_authz`.
        if not client.goes_on_until(lambda: server.has_request, REQUEST_S):
            return f"the request does not come: {client.summary}", ""
        client.go_on(late.asked_first_bytes)
        problem = late.meet(client, server)
        if problem:
            return f"{problem}: {client.summary}", ""
        server.read()
        server.go_on()
        client.go_on()
        client.read()
        client.goes_on_until(lambda: client.is_answered, REQUEST_S)
        parts = {"request": (asked, server.received), "response": (answered, client.received)}
        line = envoy.wait_for_log(" above, ") or ""
        log = envoy.read_log()
    cut = [f"{len(came)} of {len(sent)} bytes of the {way}" for way, (sent, came) in parts.items() if came != sent.encode()]
    seen = all(f" {len(sent)} bytes, {adler(sent)}\n" in log for sent, _ in parts.values())
    if cut:
        return ", ".join((*cut, client.summary)), line
    return "whole" if seen and line else f"the module saw something else: {client.summary}", line


def server_reads_late(client: Http2Client, server: Http2Server) -> str:
    """Goes on until the client waits, and does not until the server reads; returns what is wrong."""
    client.read()
    return kept_waiting(client, client, server, "client", "server")


def client_reads_late(client: Http2Client, server: Http2Server) -> str:
    """Goes on until the server waits, and does not until the client reads; returns what is wrong."""
    server.read()
    return kept_waiting(client, server, client, "server", "client")


def kept_waiting(
    client: Http2Client, sender: Http2Client | Http2Server, reader: Http2Client | Http2Server, sends: str, reads: str
) -> str:
    """Goes on until one end waits for the other, which does not read, and keeps waiting; returns what is wrong.

    Args:
        client: of the two, whose turns they are.
        sender: the end that must wait.
        reader: the end that does not read.
        sends: what the first is called.
        reads: what the second is called.
    """
    if not client.goes_on_until(lambda: has_window(reader) and sender.is_stuck, REQUEST_S):
        return f"the {sends} is not made to wait"
    goes_on = client.goes_on_until(lambda: sender.has_sent_all, PANICKED_S)
    return f"the {sends} may send all to a {reads} that does not read" if goes_on else ""


def server_sends_late(client: Http2Client, server: Http2Server) -> str:
    """Goes on until the client has what the server has sent so far; returns what is wrong."""
    server.read()
    client.read()
    if not client.goes_on_until(lambda: len(client.received) == HALF, REQUEST_S):
        return f"{len(client.received)} of the {HALF} bytes that the server has sent come"
    return ""


def client_sends_late(client: Http2Client, server: Http2Server) -> str:
    """Goes on until the server has what the client has sent so far; returns what is wrong."""
    server.read()
    client.read()
    if not client.goes_on_until(lambda: len(server.received) == HALF, REQUEST_S):
        return f"{len(server.received)} of the {HALF} bytes that the client has sent come"
    return ""


@dataclass(frozen=True)
class LateEnd:
    """Who is late with what, how large the bodies are, and how much of each is sent at first."""

    who: str
    meet: Callable[[Http2Client, Http2Server], str]
    asked_bytes: int
    asked_first_bytes: int
    answered_bytes: int
    answered_first_bytes: int


LATE = (
    LateEnd("server reads", server_reads_late, BOTH_BYTES, BOTH_BYTES, FEW_BYTES, FEW_BYTES),
    LateEnd("server sends", server_sends_late, FEW_BYTES, FEW_BYTES, FEW_BYTES, HALF),
    LateEnd("client reads", client_reads_late, FEW_BYTES, FEW_BYTES, BOTH_BYTES, BOTH_BYTES),
    LateEnd("client sends", client_sends_late, FEW_BYTES, HALF, FEW_BYTES, FEW_BYTES),
)


PIECES = tuple(text_of(size) for size in (5_003, 16_384, 7_001))
RESUMED = {"h": "resumed before the first piece", "f": "resumed after the first piece"}
TAKEN = {"b": "second buffered", "e": "second buffered until an event", "m": "second moved to the buffer"}
PIECE_SEEN = "piece: body\n"
PIECE_RESUMED = "piece: event\n"


WAYS = tuple(itertools.product(RESUMED, TAKEN, (1, 2)))
INTO_USED_BUFFER = tuple(way for way in WAYS if way[1] == "m" and way[::2] != ("h", 1))
"""What was held before has gone through the buffer: the first piece, or what the filter before this one has moved there."""


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_held_then_piece(cell: Cell) -> None:
    """A request reaches the upstream whole whose filter stops at the headers, resumes later, and then takes hold of a piece."""
    send_in_steps(cell, *(way for way in WAYS if way not in INTO_USED_BUFFER))


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_moved_to_used_buffer(cell: Cell) -> None:
    """So does one of which the filter moves a piece to the buffer that has been in use before, and then passes it on."""
    send_in_steps(cell, *INTO_USED_BUFFER)


def send_in_steps(cell: Cell, *ways: tuple[str, str, int]) -> None:
    """Asserts that requests in steps reach the upstream whole, in these ways: when resumed, how taken, by how many filters."""
    variants = []
    for resumed, taken, times in ways:
        filters = (of_module(cell, "piece_after_resume", resumed + taken),) * times
        name = f"{RESUMED[resumed]}, {TAKEN[taken]}, {'once' if times == 1 else 'twice'}"
        variants.append(Variant(resumed, taken, times, Listener(name, (*filters, of_module(cell, "neighbour", "pass")))))
    seen = {}
    sent = "".join(PIECES)
    with cell.upstream() as upstream:
        clusters = {"upstream": upstream.port}
        with cell.start(*(one.listener for one in variants), module="neighbour", clusters=clusters) as envoy:
            for one, protocol in itertools.product(variants, Protocol):
                before = len(upstream.read_received(PATH))
                answer = one.sent(envoy, protocol)
                came = "".join(each.body for each in upstream.read_received(PATH)[before:])
                result = "whole" if came == sent else f"{len(came)} of {len(sent)} bytes"
                seen[f"{one.listener.name}, {protocol.value}"] = result if answer == "status 200" else f"{result}, {answer}"
    cell.facts["variants"] = str(len(seen))
    noted(cell, seen, "whole")


@dataclass(frozen=True)
class Variant:
    """When the request is resumed, what becomes of its second piece, and how many filters after one another do that."""

    resumed: str
    taken: str
    times: int
    listener: Listener

    def sent(self, envoy: Envoy, protocol: Protocol) -> str:
        """Sends a body of three pieces, each when the module has done with the last; returns the result, in words."""
        log = envoy.read_log()
        bodies, events = log.count(PIECE_SEEN), log.count(PIECE_RESUMED)

        def come() -> bool:
            log = envoy.read_log()
            return log.count(PIECE_SEEN) >= bodies and log.count(PIECE_RESUMED) >= events

        with envoy.connect(protocol, listener=self.listener.name, patience_s=REQUEST_S) as client:
            pending = client.begin(Request(f"{PATH}?size=1", "POST", body=PIECES[-1], trailers={"x-last": "yes"}))
            events += self.times * (self.resumed == "h")
            poll(come, REQUEST_S)
            for number, piece in enumerate(PIECES[:-1], 1):
                pending.send_body(piece)
                is_resumed = self.taken == "e" if number == 2 else self.resumed == "f"
                # A filter behind sees the second piece at once, or only with the third, or not at all.
                bodies += self.times if number == 1 or is_resumed else 1
                events += self.times * is_resumed
                assert poll(come, REQUEST_S), f"expected piece {number} to come with {self.listener.name}, it does not"
            return answered(pending.finish)
