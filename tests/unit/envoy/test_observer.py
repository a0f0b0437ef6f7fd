"""An observer is notified by whom it was given to, and by nobody else."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest
from dmconform.envoy.observer import UNOBSERVED, Unobserved
from dmconform.envoy.source_server import Manner, Reply, source_server
from dmconform.envoy.transcript import Ending, Transcript
from dmconform.envoy.upstream import upstream


class Kept(Unobserved):
    """Keeps what it is notified of."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def look(self) -> None:
        self.seen.append("look")

    def offer(self, port: int, path: str, replies: Sequence[tuple[int, str, bytes]]) -> None:
        self.seen.append((port, path, *replies))

    def let_go(self, port: int) -> None:
        self.seen.append((port, "let go"))

    def note_unreplayed(self, what: str) -> None:
        self.seen.append(what)


def test_a_server_of_a_case_notifies_its_own_observer() -> None:
    one, other = Kept(), Kept()
    with source_server(one) as source, source_server(other) as beside, source_server():
        source.offer("/a", Reply(b"text", 201, Manner.HELD))
        source.count_fetches("/a")
    assert one.seen == [
        (source.port, "/a", (201, "HELD", b"text")),
        "how often its server was asked",
        (source.port, "let go"),
    ]
    assert other.seen == [(beside.port, "let go")], "a server lets go at its end"


def test_what_an_upstream_server_received_is_not_replayed() -> None:
    kept = Kept()
    with upstream(kept) as server:
        assert kept.seen == []
        assert (server.count_begun("/"), server.read_received("/")) == (0, [])
    assert kept.seen == ["what the upstream server received"] * 2


def test_an_observer_looks_before_each_step(tmp_path: Path) -> None:
    kept = Kept()
    transcript = Transcript(tmp_path, kept)
    transcript.gives(1, "{}")
    transcript.took(1, True, "")
    transcript.ends(Ending.STOPPED, 0)
    assert kept.seen == ["look", "look"], "what it has answered changes no file"


def test_who_is_given_none_has_one_that_keeps_nothing() -> None:
    assert not UNOBSERVED.is_interactive
    with pytest.raises(dataclasses.FrozenInstanceError):
        UNOBSERVED.seen = []  # type: ignore[attr-defined]
