"""The plan of a storm follows from its seed, and its result says how each host came through."""

from __future__ import annotations

import itertools
import json

import pytest
from dmconform.cli.main import main
from dmconform.core.errors import ExitCode
from dmconform.envoy.connection import Protocol
from dmconform.measure.storm.plan import Leave, Visit, visits
from dmconform.measure.storm.request import StormRequest
from dmconform.measure.storm.result import Events, HostStorm, StormEnd, Storms, as_json, critical_lines

LOG = """\
[2026-01-01 00:00:00.000][1][warning][main] [source/server/server.cc:1] Something.
storm storm_a: 10 streams, 9 ended, 100 committed, 90 delivered, 0 foreign
storm storm_a: 20 streams, 19 ended, 200 committed, 190 delivered, 1 foreign
storm storm_b: 1 streams, 1 ended, 5 committed, 4 delivered, 0 foreign
[2026-01-01 00:00:00.000][2][critical][backtrace] [./source/server/backtrace.h:129] Caught Segmentation fault
[2026-01-01 00:00:00.000][2][critical][backtrace] [./source/server/backtrace.h:123] #0: [0x1]
"""


def first(seed: int, client: int, count: int = 200) -> list[Visit]:
    return list(itertools.islice(visits(seed, client), count))


def test_a_seed_repeats_its_plan_and_another_has_another() -> None:
    assert first(7, 3) == first(7, 3)
    assert first(7, 3) != first(8, 3)
    assert first(7, 3) != first(7, 4)


def test_a_plan_has_all_that_clients_can_do() -> None:
    seen = first(1, 1)
    assert {one.leave for one in seen} == set(Leave)
    assert {one.protocol for one in seen} == set(Protocol)
    assert {one.tls for one in seen} == {one.direct for one in seen} == {True, False}


def test_the_last_counts_of_each_module_count() -> None:
    assert Events.of_log(LOG) == Events(21, 20, 205, 194, 1)


def test_what_a_host_says_of_its_end_is_kept() -> None:
    assert critical_lines(LOG) == ("Caught Segmentation fault", "#0: [0x1]")


def storms(*ends: StormEnd) -> Storms:
    return Storms(1, 2.0, tuple(HostStorm(f"1.40.{number}", end, 1.5, 1, "why", ("#0",)) for number, end in enumerate(ends)))


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ((StormEnd.LIVES,), ExitCode.OK),
        ((StormEnd.LIVES, StormEnd.SIGNAL), ExitCode.FAIL),
        ((StormEnd.HANGS,), ExitCode.FAIL),
        ((StormEnd.LIVES, StormEnd.NOT_TRIED), ExitCode.ERROR),
        ((StormEnd.SIGNAL, StormEnd.NOT_TRIED), ExitCode.FAIL),
    ],
)
def test_exit_codes_follow_from_how_hosts_ended(
    ends: tuple[StormEnd, ...], code: ExitCode, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dmconform.measure.storm.request.run_request", lambda *_: storms(*ends))
    assert main(["storm"]) == code
    shown = capsys.readouterr().out
    assert all(one.value in shown for one in ends) and "why" in shown
    assert main(["storm", "--json", "-"]) == code
    assert json.loads(capsys.readouterr().out)["hosts"][0]["ended"] == ends[0].value


@pytest.mark.parametrize(
    "words",
    ["--threads 17", "--threads 0", "--clients 0", "--workers 0", "--seconds 0", "--update-every -1", "--seed -1"],
)
def test_what_makes_no_sense_is_refused(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["storm", *words.split()]) == ExitCode.USAGE
    assert words.partition(" ")[0] in capsys.readouterr().err


def test_the_defaults_of_the_command_are_those_of_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[StormRequest] = []

    def run(request: StormRequest, _: object) -> Storms:
        asked.append(request)
        return storms()

    monkeypatch.setattr("dmconform.measure.storm.request.run_request", run)
    assert main(["storm"]) == ExitCode.OK
    assert asked == [StormRequest(1, 20.0)]


def test_json_has_every_field() -> None:
    host = json.loads(as_json(storms(StormEnd.SIGNAL)))["hosts"][0]
    assert {"host", "ended", "seconds", "events", "resets", "requests", "updates", "backtrace", "message"} <= set(host)
