"""What the differential test does when a host ends, with hosts that are made up."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.versions import Minor
from dmconform.envoy.client import Answer
from dmconform.envoy.extension_points.use import Attempt, AttemptEnd, Phase, SentExchange
from dmconform.measure.differential import calls as run
from dmconform.measure.differential.calls import CLIENT, Caller, EnvoyJob, Target, jobs_of
from dmconform.measure.differential.generate import ONLY_VARIABLE, RETURN_VARIABLE, SKIP_VARIABLE, CallPlan, plan_calls
from dmconform.measure.differential.lines import Key
from dmconform.measure.differential.rules import Alone

from tests.unit.differential_samples import HEADERS, abi, callback, rules

TARGET = Target("1.39.3", Minor(1, 39), Path("/no/envoy"))
JOB = EnvoyJob(ExtensionPoint.HTTP_FILTER)
STOP = "on_http_filter_request_headers_status_StopIteration"


def plan_of(count: int, *alone: Alone) -> CallPlan:
    return plan_calls(abi(*(callback(f"http_f{number}") for number in range(1, count + 1))), rules(alone=alone))


def play(monkeypatch: pytest.MonkeyPatch, host: Callable[[Mapping[str, str]], Attempt]) -> list[Mapping[str, str]]:
    """Puts a made-up host in the place of real ones; gives the environments that it is started with."""
    seen: list[Mapping[str, str]] = []

    def attempt(*_: object, environment: Mapping[str, str], **__: object) -> Attempt:
        seen.append(environment)
        return host(environment)

    monkeypatch.setattr(run, "attempt", attempt)
    return seen


def calls_in(environment: Mapping[str, str], count: int) -> list[int]:
    skipped = {int(text) for text in re.findall(r"\d+", environment[SKIP_VARIABLE])}
    only = environment.get(ONLY_VARIABLE)
    made = {int(text) for text in only.split(",")} if only else set(range(1, count + 1))
    return sorted(made - skipped)


def log_of(plan: CallPlan, numbers: list[int], unfinished: int | None = None) -> str:
    lines = []
    for call in plan.calls:
        if call.number in numbers:
            lines.append(f"dmconform-differential begin {call.hook} {call.callback} 0")
            if call.number == unfinished:
                break
            lines.append(f"dmconform-differential result {call.hook} {call.callback} 0 = return=true")
    return "\n".join(lines)


def test_a_call_that_ends_the_host_is_named_and_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plan = plan_of(5)

    def host(environment: Mapping[str, str]) -> Attempt:
        made = calls_in(environment, 5)
        culprit = next((number for number in (2, 4) if number in made), None)
        if culprit is None:
            return Attempt(AttemptEnd.WORKED, Phase.STOPPING, log=log_of(plan, made))
        return Attempt(AttemptEnd.CRASHED, Phase.DRIVING, f"killed by {culprit}", log_of(plan, made, culprit))

    seen = play(monkeypatch, host)
    found = Caller(plan, tmp_path / "lib.so", tmp_path, 1).run(TARGET, JOB)
    assert found.ends == {(HEADERS, "http_f2"): "killed by 2", (HEADERS, "http_f4"): "killed by 4"}
    assert {key.callback for key in found.reported.results} == {"http_f1", "http_f3", "http_f5", CLIENT}
    assert len(seen) == 3 and not found.problem


def test_a_host_that_ends_later_is_searched_for_the_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plan = plan_of(9)

    def host(environment: Mapping[str, str]) -> Attempt:
        made = calls_in(environment, 9)
        ended = AttemptEnd.CRASHED if 7 in made else AttemptEnd.WORKED
        return Attempt(ended, Phase.DRIVING, "later", log_of(plan, made))

    play(monkeypatch, host)
    found = Caller(plan, tmp_path / "lib.so", tmp_path, 1).run(TARGET, JOB)
    assert found.ends == {(HEADERS, "http_f7"): "later"}
    assert len(found.reported.results) == 9  # eight calls, and what the client saw


def test_the_restarts_are_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plan = plan_of(run.MOST_RESTARTS + 5)

    def host(environment: Mapping[str, str]) -> Attempt:
        made = calls_in(environment, run.MOST_RESTARTS + 5)
        return Attempt(AttemptEnd.CRASHED, Phase.DRIVING, "again", log_of(plan, made, made[0]))

    seen = play(monkeypatch, host)
    found = Caller(plan, tmp_path / "lib.so", tmp_path, 1).run(TARGET, JOB)
    assert len(seen) == run.MOST_RESTARTS and "gave up" in found.problem


def test_a_call_apart_is_made_alone_and_reported_by_its_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plan = plan_of(3, Alone(("http_f2",), HEADERS, STOP))
    alone = plan.call("http_f2", HEADERS)
    assert alone is not None

    def host(environment: Mapping[str, str]) -> Attempt:
        answers = (SentExchange("GET /", Answer(503)),)
        return Attempt(AttemptEnd.WORKED, Phase.STOPPING, log=log_of(plan, calls_in(environment, 3)), answers=answers)

    seen = play(monkeypatch, host)
    sweeper = Caller(plan, tmp_path / "lib.so", tmp_path, 1)
    found = sweeper.run(TARGET, EnvoyJob(ExtensionPoint.HTTP_FILTER, alone))
    assert found.reported.results[Key(HEADERS, "http_f2", CLIENT, 0)] == ("GET_/=503",)
    assert calls_in(seen[0], 3) == [alone.number]
    assert seen[0][RETURN_VARIABLE] == f"{HEADERS}=1"
    sweeper.run(TARGET, JOB)
    assert alone.number not in calls_in(seen[1], 3) and ONLY_VARIABLE not in seen[1]


def test_a_refusal_is_known_for_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    play(monkeypatch, lambda _: Attempt(AttemptEnd.REFUSED, message="no such symbol"))
    found = Caller(plan_of(1), tmp_path / "lib.so", tmp_path, 1).run(TARGET, JOB)
    assert found.refused and "no such symbol" in found.problem


def test_calls_that_are_made_together_are_one_job() -> None:
    together = Alone(("http_f1", "http_f2"), HEADERS, with_=("http_f1", "http_f2"))
    jobs = jobs_of(plan_of(4, together), Minor(1, 39))
    assert [job.alone.callback if job.alone else None for job in jobs if job.side is None] == [None, "http_f1"]


def test_on_hosts_without_the_extension_point_there_is_no_job() -> None:
    assert not jobs_of(plan_of(2), Minor(1, 35))
