"""Reading what a differential test's module said, comparing it, and records of what differs."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.abi.loading import load_every_abi
from dmconform.abi.types import FunctionKind
from dmconform.core.errors import DataFileError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Relation
from dmconform.measure.differential.calls import EnvoyJob, Gathered
from dmconform.measure.differential.compare_hosts import ComparedHosts, DifferentialTest, Judged
from dmconform.measure.differential.coverage import NOT_GIVEN, NOT_REACHED, Cover, coverage
from dmconform.measure.differential.differences import CallbackDifference, DifferenceKind, RepeatedRuns, compare, merged
from dmconform.measure.differential.generate import Gap, plan_calls
from dmconform.measure.differential.known import KnownDifference, load_known_differences, record_for, stale
from dmconform.measure.differential.lines import Key, ModuleOutput, read_lines
from dmconform.measure.differential.present import as_markdown
from dmconform.measure.differential.request import KNOWN, RULES
from dmconform.measure.differential.result import DifferentialResult, as_json, result_of
from dmconform.measure.differential.rules import load_rules, short

from tests.unit.differential_samples import HEADERS, abi, callback, gathered, reported, rules

JOB = EnvoyJob(ExtensionPoint.HTTP_FILTER)
MARK = "dmconform-differential"


def differences(own: list[Gathered], other: list[Gathered], *varying: str) -> dict[str, DifferenceKind]:
    return {one.callback: one.kind for one in compare(JOB, RepeatedRuns.of(own), RepeatedRuns.of(other), varying)}


def test_lines_are_read_whatever_stands_between() -> None:
    printed = read_lines(
        [
            f"{MARK} hook h - 0",
            f"{MARK} begin h f 0 index=1",
            "[info] something of Envoy's",
            f"{MARK} result h f 0 index=1 = return=true x=3:a%20b",
            f"{MARK} begin h void 0",
            f"{MARK} result h void 0 =",
            f"{MARK} missing h gone 0",
            f"{MARK} without h tag 0 span_envoy_ptr",
            f"{MARK} result h",
            f"{MARK}",
            f"{MARK} begin h cut",
            f"noise {MARK} begin h noise 0",
        ]
    )
    assert printed.results == {
        Key("h", "f", "index=1", 0): ("return=true", "x=3:a%20b"),
        Key("h", "void", "", 0): ("called",),
    }
    assert (set(printed.hooks), set(printed.missing)) == ({"h"}, {"gone"})
    assert printed.without == {("h", "tag"): "span_envoy_ptr"}
    assert printed.unfinished is None


def test_a_call_that_never_came_back_is_known() -> None:
    printed = read_lines(
        [f"{MARK} begin h f 0", f"{MARK} result h f 0 = return=1", f"{MARK} begin h g 2 a=1", "Caught SIGSEGV"]
    )
    assert printed.unfinished is not None
    assert (printed.unfinished.callback, printed.unfinished.arguments, printed.unfinished.time) == ("g", "a=1", 2)


def test_what_envoy_complains_of_belongs_to_the_call() -> None:
    printed = read_lines(
        [f"{MARK} begin h f 0", "[critical] envoy bug failure: x", f"{MARK} result h f 0 = return=1", "envoy bug failure"]
    )
    assert list(printed.results.values()) == [("return=1", "says=envoy-bug")]


def test_alike_is_no_difference() -> None:
    assert not differences([gathered(f="return=1"), gathered(f="return=1")], [gathered(f="return=1")])


def test_another_value_is_one() -> None:
    (found,) = compare(JOB, RepeatedRuns.of([gathered(f="return=1")]), RepeatedRuns.of([gathered(f="return=2")]))
    assert (found.callback, found.kind, found.hooks) == ("f", DifferenceKind.CHANGED, (HEADERS,))
    assert found.changes == (f"{HEADERS}#1: return 1 -> 2",)


@pytest.mark.parametrize(
    ("values", "other", "differs"),
    [
        (("15:127.0.0.1:40001", "15:127.0.0.1:40002"), "15:127.0.0.1:40003", False),
        (("15:127.0.0.1:40001", "15:127.0.0.1:40002"), "9:127.0.0.1", True),
        (("17", "29"), "1234567", False),
        (("17", "29"), "0", True),
        (("17", "0"), "0", False),
        (("abc", "xyzw"), "q!", False),
        (("abc", "xyzw"), "null", True),
    ],
)
def test_of_values_that_change_the_shape_counts(values: tuple[str, str], other: str, differs: bool) -> None:
    own = [gathered(f=f"return={value}") for value in values]
    assert bool(differences(own, [gathered(f=f"return={other}")])) is differs


def test_a_value_that_changes_on_the_other_host_is_no_difference() -> None:
    assert not differences([gathered(f="return=5")], [gathered(f="return=6"), gathered(f="return=7")])


def test_what_varies_by_release_is_compared_by_presence() -> None:
    assert not differences([gathered(f="return=5")], [gathered(f="return=6")], "f*")
    assert differences([gathered(f="return=5")], [gathered(f="return=0")], "f*") == {"f": DifferenceKind.CHANGED}
    assert not differences([gathered(f=("return=1", "name=a"))], [gathered(f=("return=1", "name=null"))], "f*")


def test_calls_that_are_not_made_every_time_are_not_compared() -> None:
    own = [gathered(f="return=1", g="return=1"), gathered(f="return=1")]
    assert not differences(own, [gathered(f="return=1")])
    assert not differences(own, [gathered(f="return=1", g="return=1")])
    assert not differences([gathered(f="return=1", g="return=1")], own)


def test_calls_that_are_no_longer_made_and_new_ones() -> None:
    assert differences([gathered(f="return=1", g="called")], [gathered(f="return=1", h="called")]) == {
        "g": DifferenceKind.NOT_CALLED,
        "h": DifferenceKind.NEW_CALL,
    }


def test_missing_and_ending_say_it_once() -> None:
    own = Gathered(reported(f="return=1", g="return=1", h="return=1"))
    other = Gathered(ModuleOutput(reported(h="return=1").results, frozenset({"f"})), {(HEADERS, "g"): "SIGSEGV"})
    assert differences([own], [other]) == {"f": DifferenceKind.MISSING, "g": DifferenceKind.ENDS}
    assert differences([Gathered(other.reported, other.ends)], [own])["g"] is DifferenceKind.LIVES


def test_a_refusal_is_one_difference() -> None:
    refused = Gathered(ModuleOutput(), problem="refused: no such symbol", refused=True)
    (found,) = compare(JOB, RepeatedRuns.of([gathered(f="return=1")]), RepeatedRuns.of([refused]))
    assert (found.callback, found.kind) == ("(http_filter)", DifferenceKind.REFUSED)


def test_several_jobs_give_one_difference_each() -> None:
    parts = [CallbackDifference("f", DifferenceKind.CHANGED, (hook,), (hook,)) for hook in "ba"]
    assert merged(parts) == (CallbackDifference("f", DifferenceKind.CHANGED, ("a", "b"), ("b", "a")),)


RECORD = KnownDifference("id", "1.39", "1.40.*", ("get_*",), DifferenceKind.CHANGED, "why", "where", (r"return 1 -> \d$",))


def test_a_record_must_cover_every_change() -> None:
    one = CallbackDifference("get_x", DifferenceKind.CHANGED, (), ("h#1: return 1 -> 2",))
    more = CallbackDifference("get_x", DifferenceKind.CHANGED, (), ("h#1: return 1 -> 2", "h#1: return true -> false"))
    assert record_for((RECORD,), "1.39", "1.40.0", one) is RECORD
    assert record_for((RECORD,), "1.39", "1.40.0", more) is None
    assert record_for((RECORD,), "1.38", "1.40.0", one) is None
    assert record_for((RECORD,), "1.39", "1.41.0", one) is None
    assert record_for((RECORD,), "1.39", "1.40.0", CallbackDifference("get_x", DifferenceKind.ENDS, (), one.changes)) is None


def test_a_record_that_nothing_fits_is_stale() -> None:
    one = CallbackDifference("get_x", DifferenceKind.CHANGED, (), ("h#1: return 1 -> 2",))
    assert not stale((RECORD,), "1.39", "1.40.0", [one])
    assert "'get_*'" in stale((RECORD,), "1.39", "1.40.0", [])[0]
    assert not stale((RECORD,), "1.38", "1.40.0", [])


def test_the_records_of_the_repository_are_read() -> None:
    assert load_known_differences(KNOWN)


@pytest.mark.parametrize(
    ("change", "inconsistency"),
    [
        (('reason = "r"', 'reason = " "'), "needs"),
        (('changes = ["a"]', 'changes = ["("]'), "is not a regular"),
        (("", ""), "duplicate"),
    ],
)
def test_a_bad_record_is_refused(tmp_path: Path, change: tuple[str, str], inconsistency: str) -> None:
    lines = ("[[known]]", 'id = "a"', 'abi = "1.39"', 'hosts = "*"', 'callbacks = ["f"]', 'kind = "is missing"')
    record = "\n".join((*lines, 'reason = "r"', 'evidence = "e"', 'changes = ["a"]', ""))
    file = tmp_path / "known.toml"
    file.write_text(record.replace(*change) if change[0] else record * 2)
    with pytest.raises(DataFileError, match=inconsistency):
        load_known_differences(file)


def test_the_coverage_adds_up_and_gives_reasons() -> None:
    functions = (
        callback("http_a"),
        callback("http_b"),
        callback("http_c", ("x", "long double")),
        callback("http_d", ("x", "long double")),
        callback("http_e"),
        callback("http_f"),
    )
    plan = plan_calls(abi(*functions), rules())
    printed = ModuleOutput(reported(http_a="return=1").results, without={(HEADERS, "http_b"): "span"})
    cover = coverage(plan, {JOB: Gathered(printed, {(HEADERS, "http_f"): "SIGSEGV"})}, {"http_a", "http_d"})
    by = {one.callback: one for one in cover.callbacks}
    assert [by[f"http_{name}"].by for name in "abcdef"] == [
        *(Cover.CALLED, Cover.NOTHING, Cover.NOTHING, Cover.PROBES, Cover.NOTHING, Cover.CALLED),
    ]
    assert sum(cover.count(how) for how in Cover) == len(functions)
    assert by["http_a"].also_probes and not by["http_f"].also_probes
    assert (by["http_b"].category, by["http_e"].category) == (NOT_GIVEN, NOT_REACHED)
    assert by["http_c"].category == Gap.NO_ARGUMENT.value


def test_the_coverage_of_the_real_data_adds_up_without_any_run() -> None:
    abis = load_every_abi()
    found = load_rules(RULES, abis.values())
    for data in abis.values():
        cover = coverage(plan_calls(data, found), {}, ())
        assert {one.callback for one in cover.callbacks} == {short(name) for name in data.names(FunctionKind.CALLBACK)}
        assert cover.count(Cover.NOTHING) == len(cover.callbacks)
        assert all(one.category and one.reason for one in cover.callbacks)


def compared(
    *judged: Judged, relation: Relation = Relation.SUPPORTED, stale: tuple[str, ...] = (), problem: str = ""
) -> DifferentialTest:
    own = ComparedHosts("1.39", "1.39.3", Relation.SUPPORTED, 1, 1, 0, (), is_own=True)
    problems = (problem,) if problem else ()
    return DifferentialTest((own, ComparedHosts("1.39", "1.40.0", relation, 1, 1, 0, judged, stale, problems)), (), 1.0)


NEW = Judged(CallbackDifference("f", DifferenceKind.CHANGED, ("h",), ("h#1: return 1 -> 2", "two", "three", "four")), None)
OLD = Judged(NEW.difference, "id")


def test_what_breaks_a_differential_test() -> None:
    assert compared(NEW).broken and compared(OLD, NEW).broken and compared(stale=("old",)).broken
    assert not compared().broken and not compared(OLD).broken and not compared(NEW, relation=Relation.UNSUPPORTED).broken
    assert compared(problem="x").incomplete and not compared(NEW).incomplete


def test_the_json_reads_back() -> None:
    import msgspec

    text = as_json(compared(OLD))
    assert msgspec.json.decode(text, type=DifferentialResult) == result_of(compared(OLD))
    assert result_of(compared(OLD)).pairs[1].differences[0].record == "id"


def test_the_markdown_names_what_differs() -> None:
    text = as_markdown(compared(NEW))
    assert "- `f` gives something else; **no record**" in text
    assert "and 1 more" in text and "✗ 1 differences" in text
    assert "on record as `id`" in as_markdown(compared(OLD)) and "✓" in as_markdown(compared(OLD))
