"""Streams that do not go as usual: held, early, streamed by the module, left by the client, or turned into something else.

No document promises these: what each release does is on record. `docs/defects.md` has what is wrong.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from dmconform.casekit import (
    AUTHORITY,
    NEIGHBOURS,
    NEVER_S,
    REQUEST_S,
    Answer,
    Cell,
    Envoy,
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
    case,
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
                head = f"POST {PATH}?mirror HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: {SIZE}\r\n\r\n"
                client.send(head.encode())
                seen[one.name] = expected_continue(client)
    noted(cell, seen, "whole")


def first_line(head: bytes) -> str:
    """Returns the first line of what came."""
    return head.decode(errors="replace").partition("\r")[0]


def expected_continue(client: RawClient) -> str:
    """Sends the body of a request that waits to be told to go on; returns what came of it, in words."""
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
    upgrade = f"GET {PATH} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
    heads = {"websocket": upgrade, "CONNECT": "CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n"}
    seen = {}
    with cell.echo_server() as echo, serving(cell, *listeners, clusters={"upstream": echo.port}) as envoy:
        for one in listeners:
            for what, head in heads.items():
                if (one.name, what) == ("ext_authz-pass", "CONNECT"):
                    continue  # it would ask its server by CONNECT
                with raw_client(envoy.take_port(one.name)) as client:
                    client.send(head.encode())
                    seen[f"{one.name}, {what}"] = echoed(client)
    noted(cell, seen, "whole")


def echoed(client: RawClient) -> str:
    """Sends bytes in odd pieces over an upgraded connection; returns what came of it, in words."""
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
