"""The server behind the Envoys does what a path asks for and remembers; the HTTP/1.1 client sees it."""

from __future__ import annotations

import contextlib
import select
import socket
import threading

import pytest
from dmconform.core.timeouts import REQUEST_S
from dmconform.core.waiting import poll
from dmconform.envoy.client import Answer, End, NoAnswer
from dmconform.envoy.connected import connect
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.headers import Headers
from dmconform.envoy.http1 import Http1Connection
from dmconform.envoy.upstream import Received, Upstream, upstream


def ask(server: Upstream, request: Request) -> Answer:
    with connect(Protocol.HTTP1, server.port) as client:
        return client.request(request)


def test_it_answers_with_what_it_received_and_remembers() -> None:
    trailers = Headers({"x-last": "words"})
    with upstream() as server:
        answer = ask(server, Request("/a?trailers", "POST", {"x-in": "1"}, "hello", trailers))
        received = Received.from_json(answer.body)
        assert (received.method, received.path, received.body, received.trailers) == ("POST", "/a", "hello", trailers)
        assert received.headers["x-in"] == "1"
        assert answer.trailers == {"x-upstream-trailer": "yes"}
        assert server.read_received("/a") == [received]
        assert (server.count_begun("/a"), server.read_received("/b"), server.count_begun("/b")) == (1, [], 0)


def test_requests_follow_each_other_on_one_connection() -> None:
    with upstream() as server, connect(Protocol.HTTP1, server.port) as client:
        answers = [
            client.request(Request("/a?size=5")),
            client.request(Request("/b", "POST", body="")),
            client.request(Request()),
        ]
        assert [(one.status, one.trailers) for one in answers] == [(200, Headers())] * 3
        assert answers[0].body == "xxxxx"
        assert client.look_if_open()


def test_a_second_request_has_to_wait_for_the_first_answer() -> None:
    with upstream() as server, connect(Protocol.HTTP1, server.port) as client:
        client.begin(Request("/a", "POST", body="x"))
        with pytest.raises(AssertionError, match="expected a connection that is free"):
            client.begin(Request("/b"))


def test_another_status() -> None:
    with upstream() as server:
        assert ask(server, Request("/a?status=503")).summary == "status 503"


def test_an_answer_that_is_cut() -> None:
    with upstream() as server, connect(Protocol.HTTP1, server.port) as client:
        answer = client.request(Request("/a?cut&size=1000"))
        assert (answer.end, answer.status, answer.status_so_far, answer.body) == (End.CUT, None, 200, "x" * 500)
        assert answer.summary == "connection cut after status 200"
        assert not client.look_if_open()


def test_a_connection_that_ends_without_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def hang_up() -> None:
            silent.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with connect(Protocol.HTTP1, silent.getsockname()[1]) as client:
            answer = client.request(Request("/a", "POST", body="x" * 1_000_000))
        thread.join()
    assert (answer.end, answer.status_so_far, answer.summary) == (End.CUT, None, "connection cut")


@pytest.mark.parametrize("protocol", Protocol, ids=lambda one: one.name)
def test_an_answer_that_does_not_come_is_overdue(protocol: Protocol) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, connect(protocol, silent.getsockname()[1], 0.05) as client:
        pending = client.send(Request())
        with pytest.raises(NoAnswer, match="no complete answer in time"):
            pending.answer()


def test_an_answer_is_held_and_starves_no_other() -> None:
    with upstream() as server:
        clients = [Http1Connection(server.port, REQUEST_S) for _ in range(20)]
        held = [client.send(Request("/held?hold")) for client in clients]
        assert poll(lambda: server.count_begun("/held") == 20, REQUEST_S)
        assert ask(server, Request("/other")).status == 200
        assert not any(select.select([client._socket for client in clients], [], [], 0)[0]), (
            "expected nothing to be answered yet"
        )
        server.let_go()
        assert [one.answer().status for one in held] == [200] * 20
        for client in clients:
            client.close()


def test_nothing_of_it_is_left() -> None:
    before = set(threading.enumerate())  # some may be of earlier tests, and about to end
    with contextlib.ExitStack() as stays_open:
        with upstream() as server:
            idle, waits = (stays_open.enter_context(connect(Protocol.HTTP1, server.port)) for _ in range(2))
            idle.request(Request())
            waits.send(Request("/held?hold"))
            assert poll(lambda: server.count_begun("/held") == 1, REQUEST_S)
        assert poll(lambda: set(threading.enumerate()) <= before, REQUEST_S), threading.enumerate()


def test_an_answer_is_taken_once() -> None:
    with upstream() as server, connect(Protocol.HTTP1, server.port) as client:
        pending = client.send(Request())
        pending.answer()
        with pytest.raises(AssertionError, match="expected a request whose answer is not taken yet"):
            pending.answer()
