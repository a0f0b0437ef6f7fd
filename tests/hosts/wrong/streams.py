"""Ways to make the cases of `streams` wrong."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType

import pytest
from dmconform.casekit.http2_end import Http2Client, Http2Server
from dmconform.casekit.raw_client import RawClient
from dmconform.envoy.config import Listener
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.headers import Headers
from dmconform.envoy.source_server import SourceServer
from dmconform.envoy.upstream import Upstream

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.wrong import Wrong


def stays_half(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The upstream never sends the second half of its answer."""
    patch.setattr(SourceServer, "let_go", lambda _: None)
    patch.setattr(case, "NEVER_S", 0.3)
    return bench


def holds(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The modules hold what they should pass on."""
    patch.setattr(case, "REQUEST_S", 0.3)
    return sabotage.configured("hold")(bench, case, patch)


def told_otherwise(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Clients are told that what they expect is not done."""
    patch.setattr(RawClient, "read_until", lambda *_: b"HTTP/1.1 417 Expectation Failed\r\n\r\n")
    return bench


def reads_less(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The last byte does not arrive."""
    read = RawClient.read
    patch.setattr(RawClient, "read", lambda client, size: read(client, size)[:-1])
    return bench


def receives_less(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The last byte of an upgraded stream does not arrive."""
    received = vars(Http2Client)["received"].fget
    patch.setattr(Http2Client, "received", property(lambda client: received(client)[:70_000]))
    patch.setattr(case, "REQUEST_S", 0.3)
    return bench


def no_upgrades(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Listeners take no upgrades."""
    to_json = Listener.to_json
    patch.setattr(Listener, "to_json", lambda one: to_json(replace(one, upgrades=())))
    return bench


def always_active(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """A request is left for ever."""
    patch.setattr(Envoy, "statistic", lambda *_: 1)
    patch.setattr(case, "REQUEST_S", 0.3)
    return bench


def unseen(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The module says nothing of its end."""
    patch.setattr(case, "LOG_LINE_S", 0.3)
    return sabotage.log_without(case.DESTROYED_ON)(bench, case, patch)


def without_ends(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Filters that are left out of what the case reads were never destroyed."""
    return sabotage.log_without("request: 1 headers, 1 body")(bench, _, patch)


def soon(one: sabotage.Sabotage) -> sabotage.Sabotage:
    """The case does not wait long for what never comes."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        patch.setattr(case, "REQUEST_S", 0.3)
        return one(bench, case, patch)

    return apply


def server_takes_less(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The last byte of a whole request does not arrive."""
    received = vars(Http2Server)["received"].fget
    patch.setattr(Http2Server, "received", property(lambda server: received(server)[:399_999]))
    return bench


def client_never_reads(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The client never reads its answer."""
    patch.setattr(Http2Client, "read", lambda _: None)
    patch.setattr(case, "REQUEST_S", 1.0)
    return bench


def server_reads_at_once(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The server never keeps the client waiting."""
    init = Http2Server.__init__

    def reading(server: Http2Server, *options: object) -> None:
        init(server, *options)  # type: ignore[arg-type]
        server.read()

    patch.setattr(Http2Server, "__init__", reading)
    patch.setattr(case, "REQUEST_S", 1.0)
    return bench


def server_goes_on(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The server sends all of its answer at once."""
    handles = Http2Server.handles

    def all_at_once(server: Http2Server, connection: socket.socket) -> None:
        server.go_on()
        handles(server, connection)

    patch.setattr(Http2Server, "handles", all_at_once)
    return bench


def client_goes_on(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The client sends all of its body at once."""
    init = Http2Client.__init__

    def all_at_once(client: Http2Client, port: int, headers: Sequence[tuple[str, str]], body: bytes, at_first: int) -> None:
        init(client, port, headers, body, max(at_first, len(body)))

    patch.setattr(Http2Client, "__init__", all_at_once)
    return bench


def pieces_lost(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The server loses the first byte of what it receives."""
    read_received = Upstream.read_received
    patch.setattr(
        Upstream, "read_received", lambda one, path: [replace(each, body=each.body[1:]) for each in read_received(one, path)]
    )
    return bench


TABLE = (
    Wrong(
        "streams/held_response",
        "another answer",
        sabotage.answers(lambda one: replace(one, status=500)),
        "expected the answer that was held to arrive with HTTP/1.1, saw status 500",
    ),
    Wrong("streams/held_response", "half", stays_half, "expected the answer .* saw no complete answer in time"),
    Wrong(
        "streams/streamed_response",
        "hooks",
        sabotage.log_says("streamed: 0 headers", "streamed: 1 headers"),
        "expected 0 headers, 0 body, 0 trailers hooks, saw 1 headers",
    ),
    Wrong(
        "streams/streamed_response",
        "another module",
        sabotage.module_is("stream_response", "neighbour"),
        "expected the streamed response with HTTP/1.1, saw",
    ),
    Wrong(
        "streams/streamed_in_place",
        "another module",
        sabotage.module_is("stream_response", "neighbour"),
        "expected the streamed response with HTTP/1.1, saw",
    ),
    Wrong(
        "streams/streamed_in_place",
        "without trailers",
        sabotage.answers(lambda one: replace(one, trailers=Headers())),
        "expected the streamed response with HTTP/1.1, saw .*None",
    ),
    Wrong("streams/early_answer", "held", holds, "expected 'status 403' everywhere, saw .*no answer"),
    Wrong(
        "streams/early_answer",
        "another answer",
        sabotage.answers(lambda one: replace(one, status=200)),
        "expected 'status 403' everywhere, saw .*status 200",
    ),
    Wrong(
        "streams/expect_continue", "otherwise", told_otherwise, "expected 'whole' everywhere, saw .*not told to go on: .*417"
    ),
    Wrong("streams/expect_continue", "cut", reads_less, "expected 'whole' everywhere, saw .*'cut'"),
    Wrong("streams/upgrades", "none", no_upgrades, "expected 'whole' everywhere, saw .*HTTP/1.1 40"),
    Wrong("streams/upgrades", "cut", reads_less, "expected 'whole' everywhere, saw .*'cut'"),
    Wrong("streams/upgraded_streams", "none", no_upgrades, "expected 'whole' everywhere, saw .*status 40"),
    Wrong("streams/upgraded_streams", "less", receives_less, "expected 'whole' everywhere, saw .*70000 bytes of 70001"),
    Wrong(
        "streams/destroyed_in_commit",
        "another",
        sabotage.module_is("unload_in_commit", "neighbour"),
        "expected the (module to hold|configuration to be)",
    ),
    Wrong("streams/destroyed_in_commit", "unseen", unseen, "expected the configuration to be destroyed with its listener"),
    Wrong("streams/slow_reader", "less", reads_less, "expected all 12000000 bytes of upstream, saw .* and 11999999"),
    Wrong(
        "streams/slow_reader",
        "not in turns",
        sabotage.log_says("watermarks: ", "watermarks: 9"),
        "expected the hooks above and below in turns with a response of upstream",
    ),
    Wrong("streams/both_held", "less", server_takes_less, "expected both bodies .* saw 399999 of 400000 bytes of the request"),
    Wrong("streams/both_held", "never read", client_never_reads, "expected both bodies .* saw 65535 of 400000 bytes"),
    Wrong(
        "streams/both_held",
        "another module",
        soon(sabotage.module_is("both_held", "neighbour")),
        "expected both bodies .* saw no request comes to be held",
    ),
    Wrong(
        "streams/both_held",
        "not in turns",
        sabotage.log_says(" above, ", "9 above, "),
        "expected the hooks above and below in turns with bodies held",
    ),
    Wrong(
        "streams/late_ends",
        "less",
        server_takes_less,
        "expected both bodies .* the server reads late, module on the down.*, saw 399999 of 400000 bytes of the request",
    ),
    Wrong(
        "streams/late_ends",
        "reads",
        server_reads_at_once,
        "expected both bodies .* saw the client (is not made to wait|may send all)",
    ),
    Wrong(
        "streams/late_ends",
        "never reads",
        client_never_reads,
        "expected both bodies .* saw 65535 of 400000 bytes of the response",
    ),
    Wrong(
        "streams/late_ends",
        "client sends at once",
        client_goes_on,
        "expected both bodies .* saw 40000 of the 20000 bytes that the client has sent come",
    ),
    Wrong(
        "streams/late_ends", "sends at once", server_goes_on, "expected both bodies .* saw .* of the 20000 bytes .* sent come"
    ),
    Wrong(
        "streams/late_ends",
        "held",
        soon(sabotage.configured("hold")),
        "expected both bodies .* saw the request does not come: status none",
    ),
    Wrong(
        "streams/late_ends",
        "unseen",
        sabotage.log_without("neighbour pass request"),
        "expected both bodies .* saw the module saw something else",
    ),
    Wrong(
        "streams/late_ends",
        "not in turns",
        sabotage.log_says(" above, ", "9 above, "),
        "expected the hooks above and below in turns where the server reads late, module on the downstream side",
    ),
    Wrong("streams/held_then_piece", "cut", pieces_lost, "expected 'whole' everywhere, saw .*second buffered, once.*bytes"),
    Wrong(
        "streams/held_then_piece",
        "another module",
        soon(sabotage.module_is("piece_after_resume", "neighbour")),
        "expected piece 1 to come with resumed before the first piece, second buffered, once",
    ),
    Wrong("streams/moved_to_used_buffer", "cut", pieces_lost, "expected 'whole' everywhere, saw .*12003 of 28388 bytes"),
    Wrong(
        "streams/moved_to_used_buffer",
        "another module",
        soon(sabotage.module_is("piece_after_resume", "neighbour")),
        "expected piece 1 to come with resumed before the first piece, second moved to the buffer, twice",
    ),
    Wrong(
        "streams/on_the_upstream_side",
        "another answer",
        sabotage.answers(lambda one: replace(one, status=200)),
        "expected 'whole' everywhere, saw .*early answer, HTTP/2.*status 200",
    ),
    Wrong("streams/on_the_upstream_side", "cut", reads_less, "expected 'whole' everywhere, saw .*'websocket': 'cut'"),
    Wrong("streams/on_the_upstream_side", "otherwise", told_otherwise, "expected 'whole' .*not told to go on: .*417"),
    Wrong("streams/on_the_upstream_side", "stays", always_active, "expected no request to be left"),
    Wrong(
        "streams/on_the_upstream_side",
        "not destroyed",
        sabotage.log_without("neighbour pass request: "),
        "expected a filter to be destroyed for each of .* requests to the upstream, 0 were",
    ),
    Wrong("streams/client_gone", "stays", always_active, "expected no request to be left in nothing-pass"),
    Wrong("streams/client_gone", "not destroyed", without_ends, "filters to be destroyed, .* were"),
)
