"""A module among Envoy's own filters, and in other places: bodies arrive whole, whatever is before or after it.

No document promises these: what each release does is on record. `docs/defects.md` has what is wrong.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from dmconform.casekit import (
    AUTHORITY,
    LARGE,
    NEIGHBOURS,
    NEVER_S,
    PROBE,
    REQUEST_S,
    SMALL,
    BodySent,
    Cell,
    Envoy,
    HttpFilter,
    Language,
    Listener,
    Manner,
    ModuleRef,
    Neighbour,
    NetworkFilter,
    NoAnswer,
    Protocol,
    Reply,
    Request,
    Upstream,
    adler,
    case,
    on_the_upstream_side,
    pieces_of,
    poll,
    raw_client,
    text_of,
    thread_pool,
)

CPP = (Language.CPP,)
"""The build that leaves modules in C; they use no SDK."""
WINDOW_BYTES = 65535
HELD_BYTES = 8 << 20
"""More than the largest body: what is held is within the limit."""
KINDS = ("pass", "hold")
PATH = "/neighbours"
FROM_BEHIND = "x-envoy-decompressor-gzip-uncompressed-bytes"
"""A trailer that `decompressor` adds."""


def of_module(cell: Cell, name: str, config: str = "") -> HttpFilter:
    """Returns the HTTP filter of one of the modules in C, and installs it."""
    cell.install(name)
    return HttpFilter(ModuleRef(name), "any", config)


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_held_by_ext_authz(cell: Cell) -> None:
    """A body that `ext_authz` held until its stream's window was full reaches the upstream whole, through a module behind."""
    body = "".join(chr(97 + number % 26) for number in range(3 * WINDOW_BYTES))
    filters = NEIGHBOURS["ext_authz"].between(of_module(cell, "neighbour", "pass"))
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


def listener_of(cell: Cell, neighbour: Neighbour, kind: str) -> Listener:
    """Returns a listener, named after both, with a module of this kind before, between and after a neighbour.

    Where the neighbour ends responses with trailers that it adds, the outer module does not hold them: see
    `test_trailers_from_behind`.
    """
    outer = of_module(cell, "neighbour", "pass") if neighbour is NEIGHBOURS["compressor"] else None
    chain = neighbour.between(of_module(cell, "neighbour", kind), outer)
    return Listener(f"{neighbour.name}-{kind}", chain, buffer_bytes=HELD_BYTES)


@contextlib.contextmanager
def behind(cell: Cell, *listeners: Listener, **options: Any) -> Iterator[tuple[Envoy, Upstream]]:  # noqa: ANN401 - of Cell.start
    """Yields an Envoy with these listeners, and the server behind it; `ext_authz` is answered that all may pass."""
    with cell.source_server() as authority, cell.upstream() as upstream:
        authority.offer(PATH, Reply())
        clusters = {AUTHORITY: authority.port, "upstream": upstream.port}
        with cell.start(*listeners, module="neighbour", clusters=clusters, **options) as envoy:
            yield envoy, upstream


class Exchanges:
    """What goes through the listeners of an Envoy, and what is wrong with it."""

    def __init__(self, envoy: Envoy, upstream: Upstream) -> None:
        """Remembers the Envoy and the server behind it."""
        self.wrong: dict[str, list[str]] = {}  # by listener
        self._whole: Counter[tuple[str, int, str]] = Counter()
        self._envoy = envoy
        self._upstream = upstream

    def through(self, listener: str, *all_sent: BodySent, modules: int = 2) -> None:
        """Sends requests through a listener; `modules` is how many modules see their bodies as they are."""
        for sent in all_sent:
            before = len(self._upstream.read_received(PATH))
            try:
                with self._envoy.connect(sent.protocol, listener=listener, patience_s=REQUEST_S) as client:
                    answer = sent.over(client, PATH)
            except NoAnswer:
                self._note(listener, sent, "no answer")
                return
            received = [one.body for one in self._upstream.read_received(PATH)[before:]]
            if received != [sent.body]:
                self._note(listener, sent, "the request is not received" if not received else "the request is cut")
            elif answer.summary != "status 200":
                self._note(listener, sent, answer.summary)
            elif answer.body != sent.body:
                self._note(listener, sent, "the response is cut")
            elif sent.in_pieces and not answer.trailers:
                self._note(listener, sent, "the trailers are lost")
            else:
                for way in ("request", "response"):
                    self._whole[(way, sent.size, adler(sent.body))] += modules

    def _note(self, listener: str, sent: BodySent, what: str) -> None:
        self.wrong.setdefault(listener, []).append(f"{sent}: {what}")

    def assert_whole(self, cell: Cell) -> None:
        """Asserts that nothing was wrong; and, as the Envoy has ended, that its modules saw each whole body, both ways."""
        for listener, problems in self.wrong.items():
            # Which of several requests are cut, and at which neighbours, is chance where any is.
            cell.facts[f"{listener} (varies)"] = "; ".join(sorted({one.partition(": ")[2] for one in problems}))
        found = "; ".join(f"{listener}: {', '.join(problems)}" for listener, problems in self.wrong.items())
        assert not self.wrong, f"expected whole bodies both ways, saw others\n{found}"
        seen: Counter[tuple[str, int, str]] = Counter()
        for line in self._envoy.read_log().splitlines():
            words = line.split()
            if words[:1] == ["neighbour"]:
                seen[(words[2].rstrip(":"), int(words[9]), words[11])] += 1
        missing = self._whole - seen
        assert not missing, (
            f"expected the modules to see each body as it was sent, {missing.total()} times they did not: {missing}"
        )


def contents(cell: Cell, kind: str) -> None:
    """Sends bodies through modules of a kind and all neighbours; of the large ones one each, in turn."""
    listeners = {name: listener_of(cell, one, kind) for name, one in NEIGHBOURS.items()}
    with behind(cell, *listeners.values()) as (envoy, upstream):
        exchanges = Exchanges(envoy, upstream)
        for number, one in enumerate(listeners.values()):
            exchanges.through(one.name, *SMALL, LARGE[number % len(LARGE)], modules=2 if number else 1)
    exchanges.assert_whole(cell)


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_passed_on(cell: Cell) -> None:
    """Bodies reach module, upstream and client whole where the module passes them on, on both sides of Envoy's own filters."""
    contents(cell, "pass")


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_held_until_whole(cell: Cell) -> None:
    """So they do where the module holds each body, both ways, until it is whole."""
    contents(cell, "hold")


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_trailers_from_behind(cell: Cell) -> None:
    """Is a response that the module holds until it is whole let go where a filter behind ends it with trailers?"""
    chain = NEIGHBOURS["compressor"].between(of_module(cell, "neighbour", "pass"), of_module(cell, "neighbour", "hold"))
    with behind(cell, Listener("main", chain)) as (envoy, _):
        for sent in (one for one in SMALL if one.size > 1):
            try:
                with envoy.connect(sent.protocol, patience_s=NEVER_S) as client:
                    answer = sent.over(client, PATH)
            except NoAnswer:
                seen = "never let go"
            else:
                assert FROM_BEHIND in answer.trailers, f"expected the trailer {FROM_BEHIND}, saw {answer.summary}"
                seen = "whole" if answer.body == sent.body else "cut"
            # Where the upstream has ended the response with trailers, the filter behind adds to these.
            assert seen == "whole" or not sent.in_pieces, f"expected a response with trailers to be whole, it is {seen}"
            cell.facts[str(sent)] = seen


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_upstream_side(cell: Cell) -> None:
    """Bodies arrive whole through a module on the upstream side of the cluster, behind each of Envoy's own filters."""
    listeners = {name: listener_of(cell, one, "pass") for name, one in NEIGHBOURS.items()}
    for kind in KINDS:
        side = on_the_upstream_side(of_module(cell, "neighbour", kind), per_connection_buffer_limit_bytes=HELD_BYTES)
        with behind(cell, *listeners.values(), alter=side) as (envoy, upstream):
            exchanges = Exchanges(envoy, upstream)
            for number, one in enumerate(listeners.values()):
                exchanges.through(one.name, *SMALL[number % 2 :: 2], modules=3 if number else 2)
            exchanges.through("nothing-pass", *LARGE[:2], modules=2)
        exchanges.assert_whole(cell)


def inside(bootstrap: dict[str, Any]) -> None:
    """Adds what listeners inside an Envoy need, and the cluster `inside` that leads to the listener of this name."""
    extension = "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener"
    bootstrap["bootstrap_extensions"] = [{"name": "internal_listener", "typed_config": {"@type": extension}}]
    endpoint = {"endpoint": {"address": {"envoy_internal_address": {"server_listener_name": "inside"}}}}
    clusters = bootstrap["static_resources"]["clusters"]
    hosts = {"cluster_name": "inside", "endpoints": [{"lb_endpoints": [endpoint]}]}
    clusters.append({**clusters[0], "name": "inside", "load_assignment": hosts})


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_internal_listener(cell: Cell) -> None:
    """Bodies arrive whole through modules in two listeners of which one is inside the Envoy."""
    inner = Listener("inside", (of_module(cell, "neighbour", "hold"),), internal=True, buffer_bytes=HELD_BYTES)
    outer = Listener("main", (of_module(cell, "neighbour", "pass"),), cluster="inside", buffer_bytes=HELD_BYTES)
    with behind(cell, outer, inner, alter=inside) as (envoy, upstream):
        exchanges = Exchanges(envoy, upstream)
        exchanges.through("main", *SMALL, *LARGE[1:3])
    exchanges.assert_whole(cell)


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_ahead_of_tcp_proxy(cell: Cell) -> None:
    """Bytes arrive whole through two network filters of modules ahead of `tcp_proxy`, both ways, at each size."""
    cell.install("neighbour_tcp")
    filters = tuple(NetworkFilter(ModuleRef("neighbour_tcp"), name, "") for name in ("one", "two"))
    texts = [text_of(one.size) for one in (*SMALL[:3:2], LARGE[0])]
    main = Listener("main", network=filters, tcp=True)
    with (
        cell.echo_server() as echo,
        cell.start(main, module="neighbour_tcp", clusters={"upstream": echo.port}) as envoy,
    ):
        for number, text in enumerate(texts, 1):
            with raw_client(envoy.take_port("main")) as client, thread_pool(1, "reader") as pool:
                back = pool.submit(client.read_to_end)  # a client that closes before would be an end by reset upstream
                for piece in pieces_of(text):
                    client.send(piece.encode())
                client.end_sending()
                whole = back.result() == text.encode()
                assert whole, f"expected {len(text)} bytes to come back whole, and an end; they do not"
            received = poll(lambda number=number: echo.read_received()[number - 1 :], REQUEST_S)  # type: ignore[misc]
            assert received == [text.encode()], f"expected the upstream to receive {len(text)} bytes, it does not"
    seen = Counter(line for line in envoy.read_log().splitlines() if line.startswith("neighbour read: "))
    both = ((len(text), adler(text)) for text in texts)
    right = Counter({f"neighbour read: {size} bytes, {sum_}; write: {size} bytes, {sum_}": len(filters) for size, sum_ in both})
    assert seen == right, f"expected the filters to see each byte, both ways; missing {right - seen}, seen {seen - right}"


@case("window.forward", "policy.result", supported_for=())
def test_transform(cell: Cell) -> None:
    """The probe `transform` changes bodies both ways, before, between and after each of Envoy's own filters."""
    cell.install()
    transform = HttpFilter(ModuleRef(PROBE), "transform", "neighbours")
    passes = [one for name, one in NEIGHBOURS.items() if name != "compressor"]
    listeners = [Listener(one.name, one.between(transform)) for one in passes]
    wrong = {}
    with cell.source_server() as authority, cell.upstream() as upstream:
        authority.offer(PATH, Reply())
        with cell.start(*listeners, clusters={AUTHORITY: authority.port, "upstream": upstream.port}) as envoy:
            for one in listeners:
                times = sum(isinstance(each, HttpFilter) for each in one.filters)
                for sent in (each for each in SMALL if each.size > 1):
                    with envoy.connect(sent.protocol, listener=one.name) as client:
                        answer = sent.over(client, PATH)
                    right = "res[" * times + "req[" * times + sent.body + "]" * 2 * times
                    if answer.body != right:
                        wrong[f"{one.name}, {sent}"] = f"{answer.summary}, {len(answer.body)} of {len(right)} characters"
    cell.facts |= wrong
    assert not wrong, f"expected bodies to be changed by each filter, both ways; saw {wrong}"
