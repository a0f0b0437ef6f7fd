"""The server from which hosts fetch modules does what a case says, and counts; the client under load sees what is lost."""

from __future__ import annotations

import socket
import threading

from dmconform.casekit.load import load
from dmconform.core.timeouts import REQUEST_S
from dmconform.core.waiting import poll
from dmconform.envoy.client import Answer
from dmconform.envoy.connection import Request
from dmconform.envoy.http1 import exchange
from dmconform.envoy.source_server import Manner, Reply, SourceServer, refusing_port, source_server


def ask(port: int, path: str = "/a") -> Answer:
    return exchange(port, Request(path), REQUEST_S)


def test_replies_come_in_order_and_the_last_one_stays() -> None:
    with source_server() as source:
        source.offer("/a", Reply(b"no", 503), Reply(b"yes"))
        seen = [ask(source.port) for _ in range(3)]
        assert [(one.status, one.body) for one in seen] == [(503, "no"), (200, "yes"), (200, "yes")]
        assert ask(source.port, "/b").status == 404
        assert (source.count_fetches("/a"), source.count_fetches("/b"), source.count_fetches("/c")) == (3, 1, 0)


def test_a_reply_is_cut() -> None:
    with source_server() as source:
        source.offer("/a", Reply(b"x" * 100_000, manner=Manner.CUT))
        seen = ask(source.port)
        assert seen.was_cut and "without sending complete message body" in seen.problem, seen


def test_a_reply_is_held_until_it_is_let_go() -> None:
    answers: list[Answer] = []

    def fetch(source: SourceServer) -> None:
        answers.append(ask(source.port))

    with source_server() as source:
        source.offer("/a", Reply(b"late", manner=Manner.HELD))
        thread = threading.Thread(target=fetch, args=(source,))
        thread.start()
        assert poll(lambda: source.count_fetches("/a") == 1, REQUEST_S)
        assert not answers
        source.let_go()
        thread.join()
    assert [one.body for one in answers] == ["late"]


def test_a_body_in_chunks_may_come_after_the_answer() -> None:
    with source_server() as source:
        source.offer("/a", Reply(b"first"), Reply(b"second"))
        with socket.create_connection(("127.0.0.1", source.port), REQUEST_S) as client:
            for text in (b"first", b"second"):
                client.sendall(b"POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n")
                seen = b""
                while not seen.endswith(text):
                    block = client.recv(4096)
                    assert block, f"expected an answer that ends with {text!r}, saw {seen!r}"
                    seen += block
                client.sendall(b"0\r\n\r\n")
        assert source.count_fetches("/a") == 2


def test_a_port_refuses() -> None:
    with refusing_port() as port:
        assert "ConnectionRefused" in ask(port).problem


def test_load_shows_answers_and_turns() -> None:
    with source_server() as source:
        source.offer("/", Reply(b"a"), Reply(b"a"), Reply(b"b" * 100_000, manner=Manner.CUT), Reply(status=500))
        with load(source.port) as seen:
            assert poll(lambda: seen.total > 5, REQUEST_S)
            seen.stop()
        lost = [what for what in seen.answers if isinstance(what, str)]
        assert len(lost) == 1 and "without sending complete message body" in lost[0], seen.answers
        assert seen.answers[200] == 2
        assert seen.turns == [200, lost[0], 500]
        assert seen.total == source.count_fetches("/")


def test_load_shows_a_header_where_it_is_to() -> None:
    with source_server() as source:
        source.offer("/", Reply(b"a"), Reply(b"bb"), Reply(status=500))
        with load(source.port, shows="content-length") as seen:
            assert poll(lambda: seen.total > 3, REQUEST_S)
            seen.stop()
        with load(source.port, shows="x-absent") as without:
            assert poll(lambda: without.total > 0, REQUEST_S)
    assert seen.turns == ["1", "2", "0"]
    assert without.turns == ["status 500 without x-absent"]
