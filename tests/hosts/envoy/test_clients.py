"""What clients of both protocols see of a real Envoy without any module: answers, trailers, resets, cuts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from dmconform.casekit.burst import burst
from dmconform.core.timeouts import REQUEST_S
from dmconform.core.waiting import poll
from dmconform.envoy.client import Answer, End
from dmconform.envoy.config import DIRECT_PATH, Listener
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.headers import Headers
from dmconform.envoy.launch import Launch
from dmconform.envoy.outcomes import HostCrashed, HostHung
from dmconform.envoy.upstream import TRAILER, Received, Upstream, upstream

from tests.hosts.bench import Bench

pytestmark = pytest.mark.host
BOTH = pytest.mark.parametrize("protocol", Protocol, ids=lambda one: one.name)
LISTENERS = (Listener("main"), Listener("tcp", tcp=True))


@pytest.fixture
def server() -> Iterator[Upstream]:
    with upstream() as one:
        yield one


@pytest.fixture
def envoy(bench: Bench, server: Upstream, tmp_path: Path) -> Iterator[Envoy]:
    folder = tmp_path / "envoy"
    folder.mkdir()
    one = Envoy(folder, Launch(Path(bench.plan.hosts[0].host.binary)), server.port, LISTENERS)
    try:
        yield one.__enter__()
    finally:
        one.reap()  # tests may have killed it


@BOTH
def test_headers_bodies_and_trailers_go_both_ways(envoy: Envoy, protocol: Protocol) -> None:
    with envoy.connect(protocol) as client:
        answer = client.request(Request("/a?trailers", "POST", {"x-in": "1"}, "hello", {"x-last": "words"}))
    received = Received.from_json(answer.body)
    assert (received.headers["x-in"], received.body, received.trailers) == ("1", "hello", Headers({"x-last": "words"}))
    assert (answer.end, answer.status, answer.trailers) == (End.COMPLETE, 200, Headers({TRAILER: "yes"}))


@BOTH
def test_a_header_that_is_sent_twice_is_seen_twice(envoy: Envoy, server: Upstream, tmp_path: Path, protocol: Protocol) -> None:
    twice = (("x-twice", "1"), ("x-twice", "2"))
    with envoy.connect(protocol) as client:
        answer = client.request(Request("/twice?trailers", "POST", Headers(twice), "hello", Headers(twice)))
    received = Received.from_json(answer.body)
    assert (received.headers.all("x-twice"), received.trailers.all("x-twice")) == (("1", "2"), ("1", "2"))
    assert received.headers["x-twice"] == "2"
    assert server.read_received("/twice") == [received]
    recorded = json.loads((tmp_path / "envoy" / "exchanges.jsonl").read_text())
    assert recorded["request"]["headers"] == recorded["request"]["trailers"] == [list(pair) for pair in twice]


def test_a_header_that_is_sent_and_answered_twice_on_a_connection_apart(envoy: Envoy, tmp_path: Path) -> None:
    twice = Headers([("set-cookie", "a=1"), ("set-cookie", "b=2")])
    answer = envoy.request("/twice?echo=set-cookie", headers=twice)
    assert Received.from_json(answer.body).headers.all("set-cookie") == ("a=1", "b=2")
    assert answer.headers.all("set-cookie") == ("a=1", "b=2")
    recorded = json.loads((tmp_path / "envoy" / "exchanges.jsonl").read_text())
    assert Answer.from_record(recorded["answer"]) == answer


@BOTH
def test_large_bodies(envoy: Envoy, protocol: Protocol) -> None:
    body = "x" * 1_000_000
    with envoy.connect(protocol) as client:
        answer = client.request(Request("/large", "POST", body=body))
        assert Received.from_json(answer.body).body == body
        assert client.request(Request("/more?size=2000000")).body == "x" * 2_000_000


def test_a_stream_that_is_reset_leaves_the_connection_to_others(envoy: Envoy, server: Upstream) -> None:
    with envoy.connect(Protocol.HTTP2) as client:
        held = client.begin(Request("/held", "POST", body="later"))
        reset = client.request(Request("/a?cut&size=1000"))
        assert (reset.end, reset.status, reset.status_so_far, reset.reset) == (End.RESET, None, 200, "INTERNAL_ERROR")
        assert reset.summary == "stream reset with INTERNAL_ERROR after status 200"
        assert client.look_if_open()
        assert poll(lambda: server.count_begun("/held") == 1, REQUEST_S)
        assert not server.read_received("/held")
        assert Received.from_json(held.finish().body).body == "later"


def test_a_cut_answer_ends_a_connection_of_http1(envoy: Envoy) -> None:
    with envoy.connect(Protocol.HTTP1) as client:
        cut = client.request(Request("/a?cut&size=1000"))
        assert (cut.end, cut.status_so_far) == (End.CUT, 200)
        assert not client.look_if_open()


def test_many_requests_are_in_flight_on_one_connection(envoy: Envoy, server: Upstream) -> None:
    with envoy.connect(Protocol.HTTP2) as client:
        held = [client.send(Request(f"/held/{number}?hold")) for number in range(20)]
        assert client.request(Request(DIRECT_PATH)).body == "direct response"
        server.let_go()
        assert [Received.from_json(one.answer().body).path for one in reversed(held)] == [
            f"/held/{n}" for n in reversed(range(20))
        ]


def test_a_request_in_pieces_and_one_that_is_given_up(envoy: Envoy, server: Upstream) -> None:
    with envoy.connect(Protocol.HTTP2) as client:
        given_up = client.begin(Request("/given_up", "POST", body="more"))
        given_up.send_body("some")
        assert poll(lambda: server.count_begun("/given_up") == 1, REQUEST_S)
        given_up.cancel()
        assert given_up.answer().summary == "stream reset with CANCEL"
        pieces = client.begin(Request("/pieces", "POST", body="c"))
        pieces.send_body("a")
        pieces.send_body("b")
        assert Received.from_json(pieces.finish().body).body == "abc"
    assert server.read_received("/given_up") == []


def test_a_connection_to_a_tcp_listener(envoy: Envoy) -> None:
    with envoy.connect(Protocol.HTTP1, listener="tcp") as client:
        received = Received.from_json(client.request(Request("/tcp", "POST", body="x")).body)
    assert "x-request-id" not in received.headers, "expected bytes to be handed on as they are"


@BOTH
def test_a_crash_is_reported_as_one(envoy: Envoy, server: Upstream, protocol: Protocol) -> None:
    with pytest.raises(HostCrashed, match="while it answered GET /held"), envoy.connect(protocol) as client:
        held = client.send(Request("/held?hold"))
        assert poll(lambda: server.count_begun("/held") == 1, REQUEST_S)
        envoy.reap()
        held.answer()


@BOTH
def test_the_end_of_an_idle_connection_is_seen(envoy: Envoy, protocol: Protocol) -> None:
    with envoy.connect(protocol) as client:
        assert client.request(Request(DIRECT_PATH)).status == 200
        assert client.look_if_open()
        envoy.reap()
        assert poll(lambda: not client.look_if_open(), REQUEST_S)


@BOTH
def test_an_answer_that_does_not_come_is_a_hang(envoy: Envoy, monkeypatch: pytest.MonkeyPatch, protocol: Protocol) -> None:
    monkeypatch.setattr("dmconform.envoy.connected.REQUEST_S", 0.1)
    with pytest.raises(HostHung, match="GET /held"), envoy.connect(protocol) as client:
        client.request(Request("/held?hold"))


def test_the_statistics_of_envoy(envoy: Envoy) -> None:
    with envoy.connect(Protocol.HTTP2) as client:
        for _ in range(3):
            client.request(Request())
    assert envoy.statistic("cluster.upstream.upstream_rq_200") == 3
    assert envoy.statistic("cluster.upstream.upstream_rq") is None
    assert sum(envoy.read_histogram("cluster.upstream.upstream_rq_time", 3).values()) == 3


def test_a_burst_counts_every_answer(envoy: Envoy, server: Upstream) -> None:
    port = envoy.port("main")
    assert burst(port, Request("/good"), clients=3, requests=20) == {"status 200": 120}
    assert len(server.read_received("/good")) == 120
    assert burst(port, Request("/bad?status=503"), clients=1, requests=2) == {"status 503": 4}
    assert burst(port, Request("/cut?cut"), clients=1, requests=2) == {
        "connection cut after status 200": 2,
        "stream reset with INTERNAL_ERROR after status 200": 2,
    }
