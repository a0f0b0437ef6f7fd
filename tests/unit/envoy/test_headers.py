"""Headers that come twice, and those that do not."""

from __future__ import annotations

import json

from dmconform.envoy.client import Answer
from dmconform.envoy.connected import connect
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.headers import Headers, pairs_of
from dmconform.envoy.upstream import Received, upstream

TWICE = Headers([("x-a", "1"), ("x-b", "b"), ("x-a", "2")])


def test_they_read_like_a_mapping_and_keep_every_value() -> None:
    assert (TWICE["x-a"], TWICE.get("x-c"), list(TWICE), len(TWICE)) == ("2", None, ["x-a", "x-b"], 2)
    assert (TWICE.all("x-a"), TWICE.all("x-c")) == (("1", "2"), ())
    assert pairs_of(TWICE) == TWICE.pairs == (("x-a", "1"), ("x-b", "b"), ("x-a", "2"))
    assert pairs_of({"x-a": "1"}) == (("x-a", "1"),)


def test_equality_counts_the_values_of_a_name_and_their_order() -> None:
    assert Headers({"x-a": "1", "x-b": "b"}) == {"x-b": "b", "x-a": "1"}
    assert TWICE != {"x-a": "2", "x-b": "b"}
    assert Headers([("x-a", "1"), ("x-a", "2"), ("x-b", "b")]) == TWICE
    assert Headers([("x-a", "2"), ("x-a", "1"), ("x-b", "b")]) != TWICE


def test_others_take_the_place_of_every_value() -> None:
    assert (TWICE | {"x-a": "3"}).pairs == (("x-b", "b"), ("x-a", "3"))
    assert (Headers({"x-a": "0"}) | TWICE).pairs == TWICE.pairs


def test_messages_show_repeated_ones_only_where_there_are() -> None:
    assert repr(Headers({"x-a": "1"})) == "{'x-a': '1'}"
    assert repr(Headers([("x-a", "1"), ("x-a", "2")])) == "[('x-a', '1'), ('x-a', '2')]"


def test_an_answer_survives_being_recorded() -> None:
    answer = Answer(200, TWICE, "body", trailers=TWICE)
    assert Answer.from_record(json.loads(json.dumps(answer.record()))) == answer


def test_the_server_sees_them_as_they_were_sent() -> None:
    with upstream() as server, connect(Protocol.HTTP1, server.port) as client:
        answer = client.request(Request("/?echo=x-a", headers=TWICE))
    assert Received.from_json(answer.body).headers.all("x-a") == answer.headers.all("x-a") == ("1", "2")
