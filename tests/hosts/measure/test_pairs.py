"""Pairs of calls on real Envoys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest
from dmconform.abi.loading import load_every_abi
from dmconform.cli.main import main
from dmconform.core import paths
from dmconform.core.errors import ExitCode
from dmconform.core.versions import Minor
from dmconform.hosts.catalogue import load_hosts
from dmconform.hosts.obtain import from_release
from dmconform.matrix.prepare import lazy_engine
from dmconform.measure.differential.calls import Target
from dmconform.measure.differential.compare_hosts import COMPILER_FLAGS
from dmconform.measure.differential.generate import CRASH_VARIABLE
from dmconform.measure.differential.request import RULES
from dmconform.measure.differential.rules import load_rules
from dmconform.measure.differential.upstream import observing_server
from dmconform.measure.pairs.generate import pairs_source
from dmconform.measure.pairs.lines import Nested
from dmconform.measure.pairs.plan import Pair, PairPlan, plan_pairs
from dmconform.measure.pairs.record import PairRecord, as_json, load_record
from dmconform.measure.pairs.request import PAIR_RULES, PAIRS, THREADS_FILE, PairRequest, run_pairs, select_pairs
from dmconform.measure.pairs.result import NOTHING_EXPECTED, Expected, HostPairs, PairEnd, PairWay
from dmconform.measure.pairs.rules import load_pair_rules
from dmconform.measure.pairs.run import PairRunner, at_once
from dmconform.measure.pairs.scenes import MODULE
from dmconform.measure.pairs.threads import ThreadCounts, UpdateRun, WrongThread, load_threads, update_runs
from dmconform.measure.pairs.update import Replaced
from dmconform.sdks.generated import compile_c

pytestmark = pytest.mark.host

HOST = "1.39.3"
CONFIG = "http_filter_config_new"
WRITE = "network_filter_write"
HEADERS, SEND = "http_filter_request_headers", "http_send_response"


@dataclass(frozen=True)
class Made:
    """The module, its plan, and what it needs to run."""

    plan: PairPlan
    library: Path
    target: Target
    port: int


@pytest.fixture(scope="module")
def made() -> Iterator[Made]:
    abis = load_every_abi()
    arguments = load_rules(RULES, abis.values())
    plan = plan_pairs(abis["1.39"], arguments, load_pair_rules(PAIR_RULES, abis.values()))
    cache = paths.cache_folder()
    release = next(one for one in load_hosts(paths.HOSTS_FILE) if one.release == HOST)
    with lazy_engine(cache) as engine, observing_server() as port:
        source = {f"{MODULE}.c": pairs_source(plan, arguments).encode()}
        library = compile_c(MODULE, source, cache, engine.toolchain, COMPILER_FLAGS)
        binary = from_release(release, cache, print).binary
        yield Made(plan, library, Target(HOST, Minor(1, 39), Path(binary)), port)


def _run(made: Made, folder: Path, *pairs: Pair, crash: str = "", expected: Expected = NOTHING_EXPECTED) -> HostPairs:
    extra = {CRASH_VARIABLE: str(made.plan.callbacks[crash].number)} if crash else {}
    runner = PairRunner(made.plan, made.library, made.target, folder, made.port, extra, expected)
    at_once(runner.runs(pairs), print)
    return runner.found


def test_a_pair_returns_and_the_client_sees_its_effect(made: Made, tmp_path: Path) -> None:
    pair = Pair(HEADERS, SEND, "http_get_header")
    found = _run(made, tmp_path, pair)
    assert (found.results[pair].end, found.results[pair].client) == (PairEnd.RETURNED, "503")
    assert Nested(HEADERS, SEND, "http_filter_local_reply") in found.nested


def test_a_known_crash_is_seen(made: Made, tmp_path: Path) -> None:
    """A listener filter that lets the chain go on from inside its own hook."""
    pair = Pair("listener_filter_on_accept", "", "listener_filter_continue_filter_chain")
    result = _run(made, tmp_path, pair).results[pair]
    assert result.end is PairEnd.ENDS and result.detail.startswith("SIGSEGV"), result


def test_a_planted_crash_is_seen_and_costs_its_own_pair_alone(made: Made, tmp_path: Path) -> None:
    wanted = select_pairs(made.plan, PairRequest(hooks=(HEADERS,), first=("-",), then=("http_get_*",)))
    planted = Pair(HEADERS, "", "http_get_headers")
    assert planted in wanted
    found = _run(made, tmp_path, *wanted, crash=planted.then)
    assert found.results[planted].end is PairEnd.ENDS
    assert {result.end for pair, result in found.results.items() if pair != planted} <= {PairEnd.RETURNED, PairEnd.WITHOUT}
    assert set(found.results) == set(wanted)


def test_an_envoy_that_ends_later_is_the_doing_of_the_pair_that_ends_one_alone(made: Made, tmp_path: Path) -> None:
    """A network filter that writes from inside its write hook: Envoy ends after other pairs had their turn."""
    wanted = select_pairs(made.plan, PairRequest(hooks=(WRITE,), first=("-",), then=(WRITE, "network_set_*")))
    culprit = Pair(WRITE, "", WRITE)
    assert culprit in wanted[:-2]
    found = _run(made, tmp_path, *wanted)
    assert found.results[culprit].end is PairEnd.ENDS and found.results[culprit].detail.endswith("later")
    assert {pair for pair, result in found.results.items() if result.end is PairEnd.ENDS} == {culprit}


def test_a_span_is_used_after_its_stream_has_ended(made: Made, tmp_path: Path) -> None:
    wanted = select_pairs(made.plan, PairRequest(hooks=(HEADERS,), first=("-", SEND), then=("http_span_get_trace_id",)))
    assert {(pair.first, pair.scene) for pair in wanted} == {("", "traced"), (SEND, "traced")}
    found = _run(made, tmp_path, *wanted)
    assert {result.end for result in found.results.values()} == {PairEnd.RETURNED}
    assert all("return=true" in result.values for result in found.results.values()), found.results


def test_an_update_destroys_a_route_configuration_on_a_worker_up_to_this_release(made: Made, tmp_path: Path) -> None:
    """Most times: which thread lets go of it last is a race."""
    wrong: set[tuple[str, str]] = set()
    for one in range(5):
        runs = update_runs(made.plan, made.library, made.target, tmp_path / str(one), made.port)
        done = {run.replaced: run for run in (next(runs)(), next(runs)())}
        assert not done[Replaced.ROUTES].problem, done[Replaced.ROUTES].problem
        assert _wrong(done[Replaced.LISTENER]) == set()
        wrong = _wrong(done[Replaced.ROUTES])
        if wrong:
            break
    assert wrong == {("http_filter_per_route_config_destroy", "worker")}


def test_a_thread_that_was_wrong_each_time_and_is_right_is_no_success(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = load_record(PAIRS / f"{HOST}.json")
    assert record is not None
    words = ["pairs", "--host", HOST, "--hook", CONFIG, "--first", "-", "--then", "http_filter_config_set_gauge"]
    assert main(words) == ExitCode.OK
    wrong = (*record.wrong_threads, WrongThread(CONFIG, "worker", each_time=True))
    _use_record(monkeypatch, tmp_path, msgspec.structs.replace(record, wrong_threads=wrong))
    capsys.readouterr()
    assert main(words) == ExitCode.FAIL
    assert f"no longer: thread: {CONFIG}  (worker)" in capsys.readouterr().out


def test_an_extension_point_that_no_configuration_reaches_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pairs", "--host", HOST, "--point", "dns_resolver"]) == ExitCode.ERROR
    assert "could not be run: dns_resolver: " in capsys.readouterr().out


def _use_record(monkeypatch: pytest.MonkeyPatch, folder: Path, record: PairRecord) -> None:
    (folder / f"{HOST}.json").write_text(as_json(record))
    monkeypatch.setattr("dmconform.measure.pairs.request.run_pairs", lambda request, at: run_pairs(request, at, folder))


def _wrong(run: UpdateRun) -> set[tuple[str, str]]:
    counts = ThreadCounts()
    counts.note(run.seen.threads, run.replaced.value)
    return {(one.hook, one.on) for one in counts.wrong(load_threads(THREADS_FILE, load_every_abi().values()))}


def test_pairs_share_the_one_run_of_a_hook_and_a_planted_crash_is_that_of_its_pair(made: Made, tmp_path: Path) -> None:
    wanted = select_pairs(made.plan, PairRequest(hooks=(CONFIG,), first=("-",)))
    planted = Pair(CONFIG, "", "http_filter_config_increment_counter")
    assert planted in wanted and made.plan.reads(planted)
    found = _run(made, tmp_path, *wanted)
    ends = {pair: result.end for pair, result in found.results.items()}
    assert set(ends) == set(wanted) and ends[planted] is PairEnd.RETURNED
    others = sum(not made.plan.reads(pair) for pair in wanted)
    assert others <= found.envoys < len(wanted), "one for each that does more than read, a few where something ends"
    crashed = _run(made, tmp_path / "crash", *wanted, crash=planted.then)
    assert crashed.results[planted].end is PairEnd.ENDS
    assert {pair for pair, result in crashed.results.items() if result.end is not ends[pair]} == {planted}


def test_what_ends_as_it_is_on_record_is_run_once(made: Made, tmp_path: Path) -> None:
    pair = Pair("listener_filter_on_accept", "", "listener_filter_continue_filter_chain")
    expected = Expected({pair: PairEnd.ENDS}, frozenset({pair}))
    assert _run(made, tmp_path / "known", pair, expected=expected).envoys == 1
    assert _run(made, tmp_path / "new", pair).envoys == 2
    wrong = Expected({pair: PairEnd.HANGS}, frozenset({pair}))
    found = _run(made, tmp_path / "wrong", pair, expected=wrong)
    assert (found.results[pair].end, found.envoys) == (PairEnd.ENDS, 2)


SCENES = (
    "http_filter_downstream_above_write_buffer_high_watermark",
    "http_filter_downstream_below_write_buffer_low_watermark",
    "network_filter_above_write_buffer_high_watermark",
    "http_filter_http_stream_trailers",
    "http_filter_config_http_stream_trailers",
    "upstream_http_tcp_bridge_encode_trailers",
    "upstream_http_tcp_bridge_on_upstream_data",
    "bootstrap_extension_timer_fired",
    "bootstrap_extension_file_changed",
    "bootstrap_extension_drain_started",
    "bootstrap_extension_cluster_removal",
    "bootstrap_extension_listener_removal",
    "cluster_worker_timer_fired",
    "cluster_lb_cancel_host_selection",
    "tracer_span_set_sampled",
    "transport_socket_can_flush_close",
    "listener_filter_on_close",
    "health_checker_session_on_timeout",
)
"""Hooks that usual requests do not lead to."""


@pytest.mark.parametrize("hook", SCENES)
def test_a_hook_is_reached_by_its_scene_and_not_without(made: Made, tmp_path: Path, hook: str) -> None:
    pair = Pair(hook, "", "log")
    assert pair in made.plan.pairs
    assert _run(made, tmp_path / "scene", pair).results[pair].end is PairEnd.RETURNED
    known = Expected(unreached=frozenset({PairWay(hook)}))
    plain = replace(made, plan=replace(made.plan, rules=msgspec.structs.replace(made.plan.rules, scene=())))
    assert _run(plain, tmp_path / "plain", pair, expected=known).results[pair].end is PairEnd.NOT_REACHED


UNREACHED = "transport_socket_start_secure_transport"


def test_a_hook_that_is_not_reached_is_tried_once_more_and_no_more(made: Made, tmp_path: Path) -> None:
    wanted = select_pairs(made.plan, PairRequest(hooks=(UNREACHED,)))
    assert len(wanted) > 2
    found = _run(made, tmp_path / "new", *wanted)
    assert {result.end for result in found.results.values()} == {PairEnd.NOT_REACHED}
    assert (len(found.results), found.envoys) == (len(wanted), 2)
    known = Expected(unreached=frozenset({PairWay(UNREACHED)}))
    assert _run(made, tmp_path / "known", *wanted, expected=known).envoys == 1


def test_a_hook_that_was_reached_and_is_not_is_no_success(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = load_record(PAIRS / f"{HOST}.json")
    assert record is not None and UNREACHED in record.not_reached
    words = ["pairs", "--host", HOST, "--hook", UNREACHED, "--first", "-", "--then", "transport_socket_get_*"]
    assert main(words) == ExitCode.OK
    reached = tuple(one for one in record.not_reached if one != UNREACHED)
    _use_record(monkeypatch, tmp_path, msgspec.structs.replace(record, not_reached=reached))
    capsys.readouterr()
    assert main(words) == ExitCode.ERROR
    assert f"could not be run: {UNREACHED}: its hook was not reached" in capsys.readouterr().out
