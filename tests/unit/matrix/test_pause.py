"""The requests of a run before, as commands for a person."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from dmconform.envoy.connection import Act, Protocol, Request
from dmconform.envoy.headers import Headers, pairs_of
from dmconform.envoy.transcript import OWN_CONNECTION, RequestId, Transcript
from dmconform.envoy.upstream import upstream
from dmconform.matrix.pause import Sent, curl_line, requests_in


def recorded(request: Request) -> dict[str, object]:
    return {**vars(request), "headers": pairs_of(request.headers), "trailers": pairs_of(request.trailers)}


def test_requests_are_in_order_and_repeated_ones_once(tmp_path: Path) -> None:
    transcript = Transcript(tmp_path)
    first, other = recorded(Request("/first")), recorded(Request("/other", "POST", {}, "body"))
    with (tmp_path / "exchanges.jsonl").open("w") as sink:
        for _ in range(3):
            sink.write(json.dumps({"listener": "main", "request": first, "answer": "none"}) + "\n")
            transcript.exchanged("HTTP/1.1", OWN_CONNECTION, 1.0)
    transcript.gives(2, "{}")
    transcript.acts(RequestId(1, 1), "tcp", "HTTP/2", Act.BEGIN, other, "")
    transcript.acts(RequestId(1, 1), "tcp", "HTTP/2", Act.COMPLETE, other, "")
    transcript.exchanged("HTTP/2", RequestId(1, 1), 1.0)
    assert [(one.listener, one.protocol, one.request["path"], one.update) for one in requests_in(tmp_path)] == [
        ("main", Protocol.HTTP1, "/first", 1),
        ("tcp", Protocol.HTTP2, "/other", 2),
    ]
    assert requests_in(tmp_path / "nothing") == ()


@pytest.mark.parametrize(
    "request_",
    [
        Request("/a?b=c&d"),
        Request("/it's", "POST", Headers([("x-a", "1"), ("x-a", "2"), ("x-empty", "")]), "some 'text'"),
        Request("/", "PUT", {"content-type": "text/plain"}, "body"),
        Request("/", "DELETE"),
    ],
)
def test_curl_sends_what_the_case_sends(request_: Request) -> None:
    with upstream() as server:
        line = curl_line(Sent("main", Protocol.HTTP1, recorded(request_), 1), server.port)
        done = subprocess.run(["sh", "-c", line], capture_output=True, timeout=20, check=True)
        (received,) = server.read_received(request_.path.partition("?")[0])
    assert b"200" in done.stdout.splitlines()[0]
    assert (received.method, received.body) == (request_.method, request_.body or "")
    sent = Headers(request_.headers)
    assert ("content-type" in received.headers) is ("content-type" in sent)
    assert {name: received.headers.all(name) for name in sent} == {name: sent.all(name) for name in sent}


def test_the_protocol_is_reported_to_curl_and_trailers_are_mentioned() -> None:
    line = curl_line(Sent("main", Protocol.HTTP2, recorded(Request("/", trailers={"x-t": "1"})), 1), 80)
    assert line == "curl -i --http2-prior-knowledge http://127.0.0.1:80/  # without its trailers, which curl does not send"
    assert shlex.split(curl_line(Sent("main", Protocol.HTTP1, recorded(Request("/", "HEAD")), 1), 80))[2] == "--head"
