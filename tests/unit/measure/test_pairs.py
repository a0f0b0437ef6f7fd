"""Pairs of calls: the plan, the rules, what is read from a log, and how a run compares with what is on record."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from dmconform.abi.loading import load_every_abi
from dmconform.core.errors import DataFileError
from dmconform.core.versions import Minor
from dmconform.measure.differential.request import RULES
from dmconform.measure.differential.rules import Rules, load_rules
from dmconform.measure.pairs.generate import pairs_source
from dmconform.measure.pairs.lines import Nested, read_pairs
from dmconform.measure.pairs.packs import packed
from dmconform.measure.pairs.plan import INSIDE, VIEWS, Pair, PairPlan, plan_pairs, why_not
from dmconform.measure.pairs.record import (
    PairRecord,
    as_json,
    changes,
    expected_of,
    kept,
    load_record,
    not_run,
    record_of,
    with_hooks,
)
from dmconform.measure.pairs.request import PAIR_RULES, PAIRS, THREADS_FILE, PairRequest, select_pairs
from dmconform.measure.pairs.result import Expected, HostPairs, PairEnd, PairResult, PairWay
from dmconform.measure.pairs.rules import ClusterBehind, load_pair_rules
from dmconform.measure.pairs.threads import ThreadCounts, WrongThread, load_threads

HEADERS, ENDED = "http_filter_request_headers", "http_filter_stream_complete"
CHECKED = "health_checker_session_on_timeout"
SEND, METHOD = "http_send_response", "http_get_header"


@pytest.fixture(scope="module")
def arguments() -> Rules:
    return load_rules(RULES, load_every_abi().values())


@pytest.fixture(scope="module")
def plan(arguments: Rules) -> PairPlan:
    abis = load_every_abi()
    return plan_pairs(abis["1.39"], arguments, load_pair_rules(PAIR_RULES, abis.values()))


def test_every_callback_is_called_in_the_hooks_that_have_its_handles(plan: PairPlan) -> None:
    pairs = set(plan.pairs)
    assert Pair(HEADERS, "", METHOD) in pairs and Pair("http_filter_destroy", "", METHOD) in pairs
    assert Pair("http_filter_config_new", "", METHOD) not in pairs, "there is no filter yet"
    assert Pair("network_filter_read", "", METHOD) not in pairs, "it belongs to another extension point"
    assert Pair("network_filter_read", "", "log") in pairs, "all extension points share it"


def test_calls_that_end_or_redirect_come_first_where_they_are_legal(plan: PairPlan) -> None:
    pairs = set(plan.pairs)
    assert Pair(HEADERS, SEND, METHOD) in pairs and Pair(HEADERS, SEND, SEND) in pairs
    assert Pair(ENDED, SEND, METHOD) not in pairs
    assert Pair(HEADERS, METHOD, SEND) not in pairs
    assert plan.ends(Pair(HEADERS, SEND, METHOD)) and plan.ends(Pair(HEADERS, "", SEND))
    assert not plan.ends(Pair(HEADERS, "http_clear_route_cache", METHOD)), "the stream goes on"


def test_every_callback_is_in_a_pair_or_has_a_reason(plan: PairPlan) -> None:
    named = {pair.then for pair in plan.pairs} | set(plan.not_called)
    assert named >= set(plan.callbacks)


def test_a_script_prepares_calls_and_stops(plan: PairPlan) -> None:
    def number(name: str) -> int:
        return plan.callbacks[name].number

    scene = plan.rules.scene_of(HEADERS)
    assert f"{HEADERS}={number(SEND)},{number(METHOD)}:1" in plan.script(scene, [[Pair(HEADERS, SEND, METHOD)]]).split(";")
    event = plan.rules.scene_of("http_filter_scheduled")
    entries = plan.script(event, [[Pair("http_filter_scheduled", "", METHOD)]]).split(";")
    made = f"%{HEADERS}={number('http_filter_scheduler_new')},{number('http_filter_scheduler_commit')}:"
    assert any(entry.startswith(made) for entry in entries)
    assert f"http_filter_scheduled={number(METHOD)},{number('http_filter_continue_decoding')}" in entries
    assert f"+http_filter_scheduled={number('http_filter_continue_decoding')}" in entries, "what has no pair goes on as well"
    ended = plan.script(event, [[Pair("http_filter_scheduled", SEND, METHOD)]]).split(";")
    assert f"http_filter_scheduled={number(SEND)},{number(METHOD)}" in ended, "nothing is to go on after an answer"


def test_a_scene_leaves_out_calls_and_gives_numbers(plan: PairPlan) -> None:
    def script(hook: str) -> list[str]:
        return plan.script(plan.rules.scene_of(hook), [[Pair(hook, "", "log")]]).split(";")

    report = str(plan.callbacks["health_checker_scheduler_report"].number)
    interval = "*health_checker_session_on_interval="
    made = {hook: next(one for one in script(hook) if one.startswith(interval)) for hook in (HEADERS, CHECKED)}
    assert report in made[HEADERS].removeprefix(interval).split(",")
    assert report not in made[CHECKED].removeprefix(interval).split(","), "what is reported is in time"
    assert "%cluster_lb_choose_host=:1" in script("cluster_lb_cancel_host_selection")


def test_a_scene_gives_arguments(plan: PairPlan, arguments: Rules) -> None:
    source = pairs_source(plan, arguments)
    assert "bootstrap_extension_timer_enable(handle_bootstrap_extension_timer_module_ptr, soon(" in source
    assert re.search(r"file_watcher_add_watch\([^;]*watched\(", source)
    assert len(re.findall(r"\bsoon\(", source)) == 3, "two timers, and what gives the time"


def test_a_handle_that_the_hook_lacks_is_made_first(plan: PairPlan) -> None:
    new, commit = plan.callbacks["http_filter_scheduler_new"], plan.callbacks["http_filter_scheduler_commit"]
    script = plan.script(plan.rules.scene_of(HEADERS), [[Pair(HEADERS, "", commit.name)]])
    assert f"{HEADERS}={new.number},{commit.number}" in script.split(";")


def test_the_module_has_a_function_for_each_callback(plan: PairPlan, arguments: Rules) -> None:
    source = pairs_source(plan, arguments)
    assert all(f"static void call_{one.number}(const char *hook)" in source for one in plan.callbacks.values())


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('within = []\ndefine = ["x_*"]', "'x_*' fits no callback of any minor"),
        (
            'within = []\ndefine = []\n[[first]]\ncallbacks = ["http_send_response"]\nhooks = ["nowhere"]',
            "'nowhere' is not a hook",
        ),
        (
            'within = []\ndefine = []\n[[not_in]]\ncallbacks = ["log"]\nreason = "x"\nexcept_scenes = ["nowhere"]',
            "'nowhere' is not a scene",
        ),
        ('within = []\ndefine = []\n[[scene]]\nname = "x"\nalso = ["nowhere"]', "'nowhere' is not an extension point"),
        ('within = []\ndefine = []\n[[scene]]\nname = "x"\nwithout = ["x_*"]', "'x_*' fits no callback of any minor"),
        ('within = []\ndefine = []\nreads = ["x_*"]', "'x_*' fits no callback of any minor"),
        ('within = []\ndefine = []\n[[stop]]\nhook = "http_filter_new"\nreturns = "nothing"', "'nothing' is not a value"),
    ],
)
def test_a_rule_that_fits_nothing_is_refused(tmp_path: Path, line: str, problem: str) -> None:
    head, _, tables = line.partition("\n[[")
    rest = "".join(f"{key} = []\n" for key in ("first", "stop", "go_on", "scene") if f"[[{key}]]" not in line)
    (tmp_path / "rules.toml").write_text(f"{head}\n{rest}" + (f"[[{tables}\n" if tables else ""))
    with pytest.raises(DataFileError, match=problem.replace("*", r"\*")):
        load_pair_rules(tmp_path / "rules.toml", load_every_abi().values())


LOG = """
dmconform-pairs enter http_filter_request_headers wrk:worker_0 - - -
dmconform-pairs pair http_filter_request_headers 0
dmconform-differential begin http_filter_request_headers http_send_response 0
dmconform-pairs enter http_filter_stream_complete wrk:worker_0 http_filter_request_headers http_send_response -
dmconform-pairs leave http_filter_stream_complete
[critical] envoy bug failure: false. Details: it is late
dmconform-differential result http_filter_request_headers http_send_response 0 =
dmconform-pairs done http_filter_request_headers 0
dmconform-pairs leave http_filter_request_headers
dmconform-pairs enter http_filter_destroy wrk:worker_0 - - -
dmconform-pairs leave http_filter_destroy
dmconform-pairs enter http_filter_scheduled wrk:worker_0 - - gone
"""


def test_what_a_log_shows() -> None:
    seen = read_pairs(LOG)
    assert seen.nested == {Nested(HEADERS, SEND, ENDED)}
    assert seen.gone == {("http_filter_scheduled", "-")}
    assert seen.alarms == ((f"in {SEND} in {HEADERS}", "envoy bug failure: false. Details: it is late"),)
    assert seen.begun == (0,) and seen.done == {0} and seen.open_hook == "http_filter_scheduled"
    assert seen.threads[HEADERS] == {"wrk:worker_0"} and seen.calls.unfinished is None


def _found(*results: tuple[Pair, PairResult]) -> HostPairs:
    found = HostPairs(dict(results), {Nested(HEADERS, SEND, ENDED)}, envoys=len(results))
    found.threads.note({HEADERS: ["wrk:worker_0"]})
    return found


LIVES = PairResult(PairEnd.RETURNED, client="503")
DIES = PairResult(PairEnd.ENDS, "SIGSEGV in http_get_header")
PAIR = Pair(HEADERS, SEND, METHOD)


def test_a_record_is_kept_and_compared(tmp_path: Path, plan: PairPlan) -> None:
    died = _found((PAIR, DIES), (Pair(HEADERS, SEND, SEND), LIVES))
    record = record_of("1.39.3", plan, died)
    (tmp_path / "r.json").write_text(as_json(record))
    kept = load_record(tmp_path / "r.json")
    assert kept == record and changes(kept, record, died, whole=True) == ()
    lived = _found((PAIR, LIVES))
    (gone,) = changes(kept, record_of("1.39.3", plan, lived), lived, whole=False)
    assert (gone.what, gone.pair, gone.is_new) == ("ends Envoy", f"{SEND} {METHOD} {HEADERS}", False)
    (new, *nested) = changes(None, record, died, whole=True)
    assert new.is_new and new.detail == "SIGSEGV in http_get_header" and [one.what for one in nested] == ["nested"]


def test_what_was_not_run_is_not_missed(plan: PairPlan) -> None:
    record = record_of("1.39.3", plan, _found((PAIR, DIES)))
    other = HostPairs({Pair(HEADERS, "", METHOD): LIVES})
    assert changes(record, record_of("1.39.3", plan, other), other, whole=False) == ()


def test_what_ends_sometimes_may_live(plan: PairPlan) -> None:
    record = record_of("1.39.3", plan, _found((PAIR, PairResult(PairEnd.SOMETIMES))))
    for result in (LIVES, DIES, PairResult(PairEnd.SOMETIMES)):
        found = _found((PAIR, result))
        assert changes(record, record_of("1.39.3", plan, found), found, whole=False) == ()


def test_alarms_and_destroyed_objects_are_compared(plan: PairPlan) -> None:
    found = _found(
        (PAIR, PairResult(PairEnd.RETURNED, "", "503", (f"in {METHOD} in {HEADERS}: envoy bug failure: 7",), ("x",)))
    )
    made = changes(record_of("1.39.3", plan, _found((PAIR, LIVES))), record_of("1.39.3", plan, found), found, whole=True)
    assert [(one.what, one.detail) for one in made] == [("alarm", "envoy bug failure: N"), ("gone", "x")]


def test_views_come_first_and_what_may_change_them_is_known(plan: PairPlan) -> None:
    pair = Pair(HEADERS, VIEWS, "http_filter_get_attribute_string")
    assert pair in plan.pairs and pair.calls == ("http_filter_get_attribute_string",)
    script = plan.script(plan.rules.scene_of(HEADERS), [[pair]])
    getters = ",".join(str(plan.callbacks[name].number) for name in plan.view_getters(HEADERS))
    assert f"{HEADERS}={getters},{plan.callbacks[pair.then].number}" in script.split(";")
    assert plan.rules.may_change("http_set_header", "http_get_header")
    assert not plan.rules.may_change("http_set_header", "http_filter_get_attribute_string")


def test_a_callback_is_called_inside_an_iteration(plan: PairPlan) -> None:
    hook, iterator = "bootstrap_extension_server_initialized", "bootstrap_extension_iterate_counters"
    pair = Pair(hook, f"{INSIDE}{iterator})", "bootstrap_extension_get_counter_value")
    assert pair in plan.pairs and pair.iterator == iterator
    numbers = f"{plan.callbacks[iterator].number}@{plan.callbacks[pair.then].number}"
    assert f"{hook}={numbers}" in plan.script(plan.rules.scene_of(hook), [[pair]]).split(";")


def test_a_further_scene_has_pairs_of_its_own(plan: PairPlan) -> None:
    pair = Pair("http_filter_http_callout_done", "", SEND, "callout-no-endpoints")
    assert pair in plan.pairs and str(pair).endswith("(callout-no-endpoints)")
    assert plan.rules.scene_named(pair.scene, pair.hook).cluster is ClusterBehind.EMPTY
    assert plan.rules.scene_named("", pair.hook).name == "callout"


CONFIG_GONE, CONFIG_MADE = "http_filter_config_destroy", "http_filter_config_new"


def _counts(*threads: str, replaced: str = "", hook: str = CONFIG_GONE) -> ThreadCounts:
    """One Envoy for each thread."""
    counts = ThreadCounts()
    for one in threads:
        counts.note({hook: [one]}, replaced)
    return counts


def test_spans_are_used_where_there_is_a_tracer_and_after_a_call_that_ends(plan: PairPlan) -> None:
    span = "http_span_log"
    scenes = {(pair.first, pair.scene) for pair in plan.pairs if pair.then == span and pair.hook == HEADERS}
    assert {("", "traced"), (SEND, "traced")} <= scenes and {scene for _, scene in scenes} == {"traced"}
    pair = Pair(HEADERS, SEND, "http_child_span_finish", "traced")
    script = plan.script(plan.rules.scene_named(pair.scene, pair.hook), [[pair]])
    calls = ("http_get_active_span", "http_span_spawn_child", SEND, pair.then)
    assert f"{HEADERS}={','.join(str(plan.callbacks[name].number) for name in calls)}:1" in script.split(";")


def test_each_hook_has_a_thread() -> None:
    table = load_threads(THREADS_FILE, load_every_abi().values())
    assert _counts("main", "main").wrong(table) == ()
    assert _counts("main", "wrk:worker_0").wrong(table) == (WrongThread(CONFIG_GONE, "worker"),)
    assert _counts("wrk:worker_0", "wrk:worker_0").wrong(table) == (WrongThread(CONFIG_GONE, "worker", each_time=True),)
    assert _counts("wrk:worker_0", replaced="listener").wrong(table) == (WrongThread(CONFIG_GONE, "worker", "listener"),)
    made = _counts("wrk:worker_0", replaced="listener", hook=CONFIG_MADE)
    assert made.wrong(table) == (WrongThread(CONFIG_MADE, "worker", "listener", each_time=True),), "nobody lets go of it"
    assert _counts("main", "envoy-1.40.0", hook="lb_new").wrong(table) == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[[hook]]\nhooks = ["*"]\non = ["anywhere"]\nby = "x"', "expected main, worker or both"),
        ('[[hook]]\nhooks = ["http_filter_new"]\non = ["main"]\nby = "x"', "has no rule"),
        ('[[hook]]\nhooks = ["nothing"]\non = ["main"]\nby = "x"', "fits no hook"),
    ],
)
def test_a_table_of_threads_with_a_mistake_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "threads.toml").write_text(text)
    with pytest.raises(DataFileError, match=problem):
        load_threads(tmp_path / "threads.toml", load_every_abi().values())


CLUSTER = "cluster by discovery"
EACH_TIME = WrongThread(CONFIG_MADE, "worker", CLUSTER, each_time=True)
SOMETIMES = WrongThread(CONFIG_MADE, "worker", CLUSTER)


def _made_on(*threads: str, replaced: str = CLUSTER) -> ThreadCounts:
    return _counts(*threads, replaced=replaced, hook=CONFIG_MADE)


def _thread_changes(plan: PairPlan, before: tuple[WrongThread, ...], counts: ThreadCounts) -> list[tuple[str, bool]]:
    found = _found((PAIR, LIVES))
    found.threads = counts
    table = load_threads(THREADS_FILE, load_every_abi().values())
    now = record_of("1.39.3", plan, found, counts.wrong(table))
    made = changes(record_of("1.39.3", plan, found, before), now, found, whole=True)
    assert {one.what for one in made} <= {"thread"}
    return [(f"{one.pair}: {one.detail}", one.is_new) for one in made]


def test_a_new_thread_is_a_change(plan: PairPlan) -> None:
    assert _thread_changes(plan, (), _made_on("wrk:worker_0")) == [(f"{CONFIG_MADE}: worker ({CLUSTER})", True)]


def test_a_thread_that_was_there_each_time_and_is_gone_is_a_change(plan: PairPlan) -> None:
    counts = _made_on("main", "main", "main")
    assert _thread_changes(plan, (EACH_TIME,), counts) == [(f"{CONFIG_MADE}: worker ({CLUSTER})", False)]
    assert _thread_changes(plan, (EACH_TIME,), _made_on("main", "wrk:worker_0")) == []
    assert _thread_changes(plan, (EACH_TIME,), _made_on("main", replaced="")) == [], "there was no such update"


def test_a_thread_that_was_there_sometimes_may_not_be_seen(plan: PairPlan) -> None:
    assert _thread_changes(plan, (SOMETIMES,), _made_on("main", "main", "main")) == []


def test_what_was_a_race_once_stays_one_on_record(plan: PairPlan) -> None:
    def record(*wrong: WrongThread) -> PairRecord:
        return record_of("1.39.3", plan, HostPairs(), wrong)

    assert kept(record(SOMETIMES), record(EACH_TIME)).wrong_threads == (SOMETIMES,)
    assert kept(record(SOMETIMES), record()).wrong_threads == (SOMETIMES,)
    assert kept(record(EACH_TIME), record()).wrong_threads == ()
    assert kept(None, record(EACH_TIME)).wrong_threads == (EACH_TIME,)


def test_what_could_not_be_run_is_found(plan: PairPlan) -> None:
    other = Pair(ENDED, "", METHOD)
    found = _found((PAIR, PairResult(PairEnd.NOT_REACHED)), (other, PairResult(PairEnd.WITHOUT, "a handle")))
    found.problems.append("http_filter, listener: the update made no new configuration")
    missed = Pair(HEADERS, "", METHOD)
    assert not_run(None, found, [PAIR, other, missed]) == (
        f"{other}: a handle",
        f"{HEADERS}: its hook was not reached: 1 pairs",
        f"{HEADERS}: 1 pairs have no result",
        *found.problems,
    )
    found.problems.clear()
    assert not_run(record_of("1.39.3", plan, found), found, [PAIR, other]) == (), "that is how it is on record"


def test_a_record_saves_envoys_where_it_may(plan: PairPlan) -> None:
    alarmed, quiet = Pair(ENDED, "", METHOD), Pair(ENDED, "", "log")
    found = _found((PAIR, DIES), (alarmed, PairResult(PairEnd.RETURNED, alarms=("x: y",))), (quiet, LIVES))
    found.results[Pair("http_filter_http_stream_data", "", METHOD, "stream-refused")] = PairResult(PairEnd.NOT_REACHED)
    expected = expected_of(record_of("1.39.3", plan, found))
    assert expected.ends == {PAIR: PairEnd.ENDS}
    assert expected.unreached == {PairWay("http_filter_http_stream_data", "stream-refused")}
    assert expected.alone == {PAIR, alarmed}
    assert expected.nests == {(HEADERS, SEND)}
    assert expected_of(None) == Expected()


def test_pairs_have_runs_of_their_hook_to_themselves_where_there_are_many(plan: PairPlan) -> None:
    pairs = select_pairs(plan, PairRequest(hooks=(HEADERS,), first=("-",)))
    few = pairs[:7]
    assert packed(few, None, plan.reads) == packed(few, 7, plan.reads) == [[one] for one in few]


def test_a_hook_that_runs_once_calls_what_only_reads_and_then_one_other(plan: PairPlan) -> None:
    left = list(select_pairs(plan, PairRequest(hooks=("http_filter_config_new",), first=("-",))))
    others = {pair for pair in left if not plan.reads(pair)}
    envoys = 0
    while left:
        (pack,) = packed(left, 1, plan.reads)
        assert pack and not others & set(pack[:-1]), "nothing comes after what changes anything"
        left = [pair for pair in left if pair not in pack]
        envoys += 1
    assert envoys == len(others)


def test_what_changes_anything_is_not_said_to_read(plan: PairPlan) -> None:
    names = {pair.then for pair in plan.pairs if plan.reads(pair)}
    assert {"http_get_header", "log", "http_filter_increment_counter"} <= names
    words = ("_new", "_delete", "_commit", "_add_", "_remove_", "_send_", "_define_", "_register_", "_append_", "_drain_")
    assert not [name for name in names if any(word in name for word in words)]
    assert not [name for name in names if "_set_" in name and not name.endswith(("_set_gauge", "_get_priority_set_size"))]


def test_pairs_that_share_a_run_are_joined(plan: PairPlan) -> None:
    hook, scene = "http_filter_scheduled", plan.rules.scene_of("http_filter_scheduled")
    script = plan.script(scene, [[Pair(hook, "", METHOD), Pair(hook, "", "log")], [Pair(hook, "", METHOD)]]).split(";")
    number = {name: plan.callbacks[name].number for name in (METHOD, "log", "http_filter_continue_decoding")}
    closed = f",{number['http_filter_continue_decoding']}"
    mine = [entry for entry in script if entry.lstrip("&").startswith(f"{hook}=")]
    assert mine == [f"{hook}={number[METHOD]}", f"&{hook}={number['log']}{closed}", f"{hook}={number[METHOD]}{closed}"]


def test_a_selection_names_pairs(plan: PairPlan) -> None:
    none_before = select_pairs(plan, PairRequest(first=("-",), hooks=(HEADERS,)))
    assert none_before and all(not pair.first and pair.hook == HEADERS for pair in none_before)
    assert select_pairs(plan, PairRequest(points=("http_filter",), first=(SEND,), then=(METHOD,), hooks=(HEADERS,))) == (PAIR,)
    some = select_pairs(plan, PairRequest(sample=5))
    assert len(some) == 5 and some == select_pairs(plan, PairRequest(sample=5))
    assert PairRequest().whole and not PairRequest(sample=5).whole


RELEASES = ("1.37.0", "1.38.2", "1.38.3", "1.39.3", "1.40.0")


def _whole(minor: str, arguments: Rules) -> tuple[PairPlan, list[Pair]]:
    abis = load_every_abi()
    plan = plan_pairs(abis[minor], arguments, load_pair_rules(PAIR_RULES, abis.values()))
    points = {pair: plan.point(pair.hook) for pair in plan.pairs}
    return plan, [pair for pair, point in points.items() if point and why_not(point, Minor.parse(minor)) is None]


@pytest.mark.parametrize("release", RELEASES)
def test_a_record_counts_the_pairs_of_the_plan(release: str, arguments: Rules) -> None:
    plan, due = _whole(release.rpartition(".")[0], arguments)
    record = load_record(PAIRS / f"{release}.json")
    assert record is not None
    counts = Counter(point_.value for pair in due if (point_ := plan.point(pair.hook)) is not None)
    assert {point: one.pairs for point, one in record.points.items()} == counts
    assert all(sum(one.ends.values()) == one.pairs for one in record.points.values())


def test_what_some_hooks_show_takes_the_place_of_what_is_on_record_of_them(plan: PairPlan, arguments: Rules) -> None:
    _, due = _whole("1.39", arguments)
    before = load_record(PAIRS / "1.39.3.json")
    assert before is not None
    hook = "http_filter_config_new"
    mine = [pair for pair in due if pair.hook == hook]
    found = _found(*((pair, LIVES if pair is not mine[0] else DIES) for pair in mine))
    after = with_hooks(before, record_of("1.39.3", plan, found), found, plan, due)
    assert [one for one in after.noted if one.hook != hook] == [one for one in before.noted if one.hook != hook]
    assert [one.pairs for one in after.noted if one.hook == hook] == [(mine[0],)]
    assert (after.views, after.gone, after.nested) == (before.views, before.gone, before.nested)
    assert (after.threads, after.wrong_threads, after.not_reached) == (before.threads, before.wrong_threads, before.not_reached)
    assert {point: one for point, one in after.points.items() if point != "http_filter"} == {
        point: one for point, one in before.points.items() if point != "http_filter"
    }
    same = _found(*((pair, LIVES) for pair in mine))
    restored = with_hooks(after, record_of("1.39.3", plan, same), same, plan, due)
    assert restored.points["http_filter"].ends["returned"] == after.points["http_filter"].ends["returned"] + 1
    assert not any(one.hook == hook for one in restored.noted)
    lost = _found(*((pair, PairResult(PairEnd.NOT_REACHED)) for pair in mine))
    assert hook in with_hooks(after, record_of("1.39.3", plan, lost), lost, plan, due).not_reached
