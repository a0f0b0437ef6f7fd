"""From static verdicts and runs to a verdict per host, and to the exit code."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest
from dmconform.binaries.facts import StaticKind, StaticVerdict
from dmconform.check.judge import HostFinding, JudgedModule, differing_answers, judge_hosts
from dmconform.check.result import HostVerdict, PointBasis, PointRun, RunKind
from dmconform.core.values import AbiVerdict

from tests.unit.check_samples import tried

LOADS = StaticVerdict(StaticKind.LOADS, "")
REFUSED = StaticVerdict(StaticKind.REFUSED, "it lacks a", ("a",))
UNRESOLVED = StaticVerdict(StaticKind.UNRESOLVED, "a call to a ends it", ("a",))
UNKNOWN = StaticVerdict(StaticKind.UNKNOWN, "who knows")
POINTS = ("http_filter", "access_logger")
GIVEN = JudgedModule({point: tried(point) for point in POINTS})
UNNAMED = JudgedModule({point: tried(point, given=False) for point in POINTS})
GUESSED = JudgedModule({point: tried(point, given=False, basis=PointBasis.LIKELIEST) for point in POINTS})
ALL_POINTS = JudgedModule({point: tried(point, given=False, basis=PointBasis.ALL) for point in POINTS})
WHILE_CONFIGURED = (
    RunKind.CONFIGURATION_REFUSED,
    RunKind.CONFIGURATION_CRASHED,
    RunKind.HOST_REFUSES_CONFIGURATION,
)


def run(kind: RunKind, point: str = "http_filter") -> PointRun:
    return PointRun(point, "name", kind, "" if kind is RunKind.WORKS else "as it says", AbiVerdict.SILENT, 0.1)


def seen(release: str, static: StaticVerdict, *kinds: RunKind, not_run: str | None = None, wanted: bool = True) -> HostFinding:
    runs = tuple(run(kind, point) for kind, point in zip(kinds, POINTS, strict=False))
    return HostFinding(release, release, "a test", static, runs=runs, not_run=not_run, run_wanted=wanted)


@pytest.mark.parametrize(
    ("kinds", "verdict"),
    [
        ((RunKind.WORKS,), HostVerdict.WORKS),
        ((RunKind.REFUSED,), HostVerdict.BREAKS),
        ((RunKind.NO_SUCH_POINT,), HostVerdict.BREAKS),
        ((RunKind.SYMBOL_LOOKUP,), HostVerdict.BREAKS),
        ((RunKind.CRASHED,), HostVerdict.BREAKS),
        ((RunKind.HUNG,), HostVerdict.BREAKS),
        ((RunKind.WORKS_WITH_ERRORS,), HostVerdict.ERRORS),
        ((RunKind.CONFIGURATION_REFUSED,), HostVerdict.BREAKS),  # name and configuration were given
        ((RunKind.CONFIGURATION_CRASHED,), HostVerdict.BREAKS),
        ((RunKind.HOST_REFUSES_CONFIGURATION,), HostVerdict.BREAKS),
        ((RunKind.NO_ANSWER,), HostVerdict.UNDECIDED),
        ((RunKind.NOT_READY,), HostVerdict.UNDECIDED),
        ((RunKind.NO_VERDICT,), HostVerdict.UNDECIDED),
        ((RunKind.WORKS, RunKind.WORKS), HostVerdict.WORKS),
        ((RunKind.WORKS, RunKind.NO_ANSWER), HostVerdict.UNDECIDED),  # the worst of several points
        ((RunKind.WORKS_WITH_ERRORS, RunKind.NO_ANSWER), HostVerdict.ERRORS),
        ((RunKind.NO_VERDICT, RunKind.REFUSED), HostVerdict.BREAKS),
    ],
)
def test_the_verdict_of_runs(kinds: tuple[RunKind, ...], verdict: HostVerdict) -> None:
    (host,) = judge_hosts([seen("1.39.3", LOADS, *kinds)], GIVEN)
    assert host.verdict is verdict
    assert bool(host.reason) is (verdict is not HostVerdict.WORKS)


@pytest.mark.parametrize(
    ("static", "verdict"),
    [
        (LOADS, HostVerdict.WORKS),
        (REFUSED, HostVerdict.BREAKS),
        (UNRESOLVED, HostVerdict.BREAKS),
        (UNKNOWN, HostVerdict.UNDECIDED),
    ],
)
def test_the_verdict_without_a_run(static: StaticVerdict, verdict: HostVerdict) -> None:
    (host,) = judge_hosts([seen("1.39.3", static, wanted=False)], GIVEN)
    assert host.verdict is verdict


def test_a_host_that_cannot_be_had_is_not_judged_whatever_is_expected_of_it() -> None:
    (host,) = judge_hosts([seen("1.39.3", REFUSED, not_run="no network")], GIVEN)
    assert (host.verdict, host.reason) == (HostVerdict.UNDECIDED, "no network")


@pytest.mark.parametrize(
    "kind",
    [
        *(*WHILE_CONFIGURED, RunKind.NO_ANSWER, RunKind.NOT_READY),
        *(RunKind.CRASHED, RunKind.HUNG),
    ],
)
def test_a_failure_shows_a_difference_of_hosts_where_it_works_on_another(kind: RunKind) -> None:
    first, second = judge_hosts([seen("1.39.3", LOADS, kind), seen("1.40.0", LOADS, RunKind.WORKS)], GIVEN)
    assert (first.verdict, second.verdict) == (HostVerdict.BREAKS, HostVerdict.WORKS)
    assert first.mismatch
    assert not first.own_doing
    (alone,) = judge_hosts([seen("1.39.3", LOADS, kind)], GIVEN)
    assert (alone.own_doing, alone.mismatch) == (True, None)


@pytest.mark.parametrize("kind", [RunKind.CRASHED, RunKind.HUNG])
def test_a_crash_at_a_guessed_point_is_a_verdict_only_if_the_guess_is_good_elsewhere(kind: RunKind) -> None:
    crash, works = seen("1.39.3", LOADS, kind), seen("1.40.0", LOADS, RunKind.WORKS)
    assert [host.verdict for host in judge_hosts([crash], GUESSED)] == [HostVerdict.UNDECIDED]
    assert [host.verdict for host in judge_hosts([crash, works], GUESSED)] == [HostVerdict.BREAKS, HostVerdict.WORKS]
    assert [host.verdict for host in judge_hosts([crash], GIVEN)] == [HostVerdict.BREAKS]


def test_what_works_at_one_point_says_nothing_of_another() -> None:
    first = seen("1.39.3", LOADS, RunKind.WORKS, RunKind.CONFIGURATION_REFUSED)
    second = seen("1.40.0", LOADS, RunKind.WORKS, RunKind.CONFIGURATION_REFUSED)
    assert {host.verdict for host in judge_hosts([first, second], UNNAMED)} == {HostVerdict.UNDECIDED}


@pytest.mark.parametrize("kind", WHILE_CONFIGURED)
def test_what_was_not_given_breaks_nothing(kind: RunKind) -> None:
    """The same failure is a refusal with a guard, and a crash without one: both are judged alike, and name what to give."""
    for module, options in (
        (UNNAMED, "give --filter-name, --filter-config"),
        (GUESSED, "give --extension-point, --filter-name, --filter-config"),
    ):
        (host,) = judge_hosts([seen("1.39.3", LOADS, kind)], module)
        assert (host.verdict, host.own_doing, options in host.reason) == (HostVerdict.UNDECIDED, True, True), host
        assert "(the file's) and no configuration" in host.reason
    (host,) = judge_hosts([seen("1.39.3", LOADS, kind)], GIVEN)
    assert (host.verdict, host.own_doing) == (HostVerdict.BREAKS, True), "both were given: it does not work so"


def test_a_crash_while_configured_reads_as_a_refusal_does() -> None:
    texts = []
    for kind in (RunKind.CONFIGURATION_REFUSED, RunKind.CONFIGURATION_CRASHED):
        (host,) = judge_hosts([seen("1.39.3", LOADS, kind)], UNNAMED)
        texts.append(host.reason.replace("it refuses", "…").replace("the host crashes", "…"))
    assert texts[0] == texts[1]


def test_errors_that_another_host_is_spared_are_the_hosts() -> None:
    errors, works = seen("1.39.3", LOADS, RunKind.WORKS_WITH_ERRORS), seen("1.40.0", LOADS, RunKind.WORKS)
    assert [(one.verdict, one.own_doing) for one in judge_hosts([errors], GIVEN)] == [(HostVerdict.ERRORS, True)]
    assert judge_hosts([errors, works], GIVEN)[0].own_doing is False


def test_a_point_that_is_tried_in_case_counts_only_where_it_works() -> None:
    host = seen("1.39.3", LOADS, RunKind.WORKS, RunKind.CONFIGURATION_REFUSED)
    assert judge_hosts([host], ALL_POINTS)[0].verdict is HostVerdict.WORKS
    host = seen("1.39.3", LOADS, RunKind.CONFIGURATION_REFUSED, RunKind.CONFIGURATION_REFUSED)
    assert judge_hosts([host], ALL_POINTS)[0].verdict is HostVerdict.UNDECIDED


def test_a_broken_file_is_its_own_fault_and_a_module_without_a_purpose_is_not_judged() -> None:
    (host,) = judge_hosts([seen("1.39.3", REFUSED)], JudgedModule(broken=True))
    assert (host.verdict, host.own_doing, host.reason) == (HostVerdict.BREAKS, True, REFUSED.reason)
    (host,) = judge_hosts([seen("1.39.3", LOADS, wanted=False)], JudgedModule(purpose="nothing says it"))
    assert (host.verdict, host.reason) == (HostVerdict.UNDECIDED, "nothing says it")


def test_a_symbol_that_no_release_has_is_no_fault_of_a_host() -> None:
    for kinds, wanted in (((RunKind.REFUSED,), True), ((), False)):
        host = seen("1.39.3", REFUSED, *kinds, wanted=wanted)
        (judged,) = judge_hosts([host], dataclasses.replace(GIVEN, foreign=frozenset(("a", "b"))))
        assert (judged.verdict, judged.own_doing) == (HostVerdict.BREAKS, True)
        (judged,) = judge_hosts([host], dataclasses.replace(GIVEN, foreign=frozenset("b")))
        assert (judged.verdict, judged.own_doing) == (HostVerdict.BREAKS, False)


def test_a_crash_on_a_host_that_would_refuse_it_comes_before_any_configuration() -> None:
    """Hosts up to 1.37 do not log the ABI string, so that the log does not show how far they came."""
    (host,) = judge_hosts([seen("1.37.0", REFUSED, RunKind.CONFIGURATION_CRASHED)], UNNAMED)
    assert (host.verdict, host.own_doing) == (HostVerdict.BREAKS, True)


def test_the_reason_of_the_file_comes_first_and_an_unspecific_message_is_explained() -> None:
    """Envoy 1.37.0 reports that a module is "not found in any search path" whatever the reason."""
    refused = msgspec.structs.replace(run(RunKind.REFUSED), reason="libm.so not found in any search path: x")
    host = dataclasses.replace(seen("1.37.0", REFUSED), runs=(refused,))
    (judged,) = judge_hosts([host], GIVEN)
    expected = f"refused at load: {REFUSED.reason}; the host reports any failure to load so: {refused.reason}"
    assert judged.reason == f"http_filter: {expected}"


@pytest.mark.parametrize(
    ("static", "kind", "flagged"),
    [
        (LOADS, RunKind.WORKS, False),
        (LOADS, RunKind.REFUSED, True),
        (LOADS, RunKind.SYMBOL_LOOKUP, True),
        (LOADS, RunKind.CRASHED, False),  # as long as it works nowhere
        (LOADS, RunKind.HUNG, False),
        (LOADS, RunKind.CONFIGURATION_REFUSED, False),
        (LOADS, RunKind.NO_ANSWER, False),
        (LOADS, RunKind.NO_SUCH_POINT, False),
        (LOADS, RunKind.NO_VERDICT, False),
        (REFUSED, RunKind.REFUSED, False),
        (REFUSED, RunKind.WORKS, True),
        (REFUSED, RunKind.CONFIGURATION_REFUSED, True),
        (REFUSED, RunKind.NO_ANSWER, True),
        (REFUSED, RunKind.SYMBOL_LOOKUP, True),
        (REFUSED, RunKind.CRASHED, False),
        (UNRESOLVED, RunKind.WORKS, False),
        (UNRESOLVED, RunKind.SYMBOL_LOOKUP, False),
        (UNRESOLVED, RunKind.CRASHED, False),
        (UNRESOLVED, RunKind.REFUSED, True),
        (UNKNOWN, RunKind.REFUSED, False),
        (UNKNOWN, RunKind.WORKS, False),
    ],
)
def test_a_mismatch(static: StaticVerdict, kind: RunKind, flagged: bool) -> None:
    (host,) = judge_hosts([seen("1.39.3", static, kind)], GIVEN)
    assert (host.mismatch is not None) is flagged


def test_a_run_is_compared_with_what_its_own_point_was_expected_to_do() -> None:
    """Without a hook of one point, a module is refused there, and works at another."""
    both = seen("1.39.3", REFUSED, RunKind.WORKS, RunKind.REFUSED)
    apart = dataclasses.replace(both, alone={"http_filter": LOADS, "access_logger": REFUSED})
    assert [host.mismatch for host in judge_hosts([apart], GIVEN)] == [None]
    crossed = dataclasses.replace(both, alone={"http_filter": REFUSED, "access_logger": LOADS})
    assert [host.mismatch is None for host in judge_hosts([crossed], GIVEN)] == [False]


def test_a_point_that_breaks_does_not_speak_for_another() -> None:
    host = seen("1.39.3", REFUSED, RunKind.CONFIGURATION_REFUSED, RunKind.REFUSED)
    apart = dataclasses.replace(host, alone={"http_filter": LOADS, "access_logger": REFUSED})
    (judged,) = judge_hosts([apart], GIVEN)
    assert (judged.verdict, judged.own_doing, judged.mismatch) == (HostVerdict.BREAKS, False, None)


def test_an_unresolved_symbol_that_was_not_called_is_mentioned() -> None:
    (host,) = judge_hosts([seen("1.39.3", UNRESOLVED, RunKind.WORKS)], GIVEN)
    assert (host.verdict, UNRESOLVED.reason in host.reason) == (HostVerdict.WORKS, True)


def test_answers_that_differ_are_spoken_of_where_it_works() -> None:
    def host(release: str, kind: RunKind, *answers: str) -> HostFinding:
        return HostFinding(release, release, "", LOADS, runs=(msgspec.structs.replace(run(kind), answers=answers),))

    same = [host("1.39.0", RunKind.WORKS, "GET / 200"), host("1.39.3", RunKind.WORKS, "GET / 200")]
    other = [*same, host("1.40.0", RunKind.WORKS, "GET / 500")]
    crash = [*same, host("1.40.0", RunKind.CRASHED)]
    assert differing_answers(judge_hosts(same, GIVEN)) == []
    assert differing_answers(judge_hosts(crash, GIVEN)) == []
    assert len(differing_answers(judge_hosts(other, GIVEN))) == 1
