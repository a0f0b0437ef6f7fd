"""Every way a case can end becomes a result, and only one of them is a pass."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from dmconform.core.errors import HarnessError
from dmconform.core.values import Outcome
from dmconform.core.waiting import bounded
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.outcomes import Blocked, HostCrashed, HostHung, ModuleRejected, NotApplicable
from dmconform.matrix.cell import Cell, listener
from dmconform.matrix.run_cell import CellResult

from tests.hosts.bench import Bench
from tests.hosts.processes import naming

pytestmark = pytest.mark.host


def raising(error: BaseException) -> Callable[[Cell], None]:
    """A case that ends with an exception."""

    def case(_: Cell) -> None:
        raise error

    return case


ENDS: list[tuple[Exception, Outcome, str]] = [
    (AssertionError("expected 1, saw 2"), Outcome.FAIL, "expected 1, saw 2"),
    (AssertionError(), Outcome.FAIL, "without a message"),
    (KeyError("x"), Outcome.ERROR, "the case itself failed: KeyError"),
    (ZeroDivisionError("x"), Outcome.ERROR, "the case itself failed: ZeroDivisionError"),
    (HarnessError("no engine"), Outcome.ERROR, "no engine"),
    (OSError(28, "No space left on device", "/somewhere"), Outcome.ERROR, "'/somewhere'; free room there"),
    (PermissionError(13, "Permission denied", "/somewhere"), Outcome.ERROR, "Permission denied: '/somewhere'"),
    (Blocked("no namespace"), Outcome.ERROR, "no namespace"),
    (NotApplicable("has no guard"), Outcome.NOT_APPLICABLE, "has no guard"),
    (ModuleRejected("it said no"), Outcome.REJECTED, "it said no"),
    (HostHung("no answer"), Outcome.HANG, "no answer"),
    (HostCrashed.with_code(-6, "at once"), Outcome.CRASH, "SIGABRT at once"),
]


@pytest.mark.parametrize(("error", "outcome", "text"), ENDS, ids=lambda value: getattr(type(value), "__name__", ""))
def test_each_end_has_its_outcome(bench: Bench, error: Exception, outcome: Outcome, text: str) -> None:
    result = bench.run(raising(error))
    assert result.outcome is outcome, result
    assert text in result.detail
    assert (result.evidence is None) is (outcome is Outcome.NOT_APPLICABLE)


@pytest.mark.parametrize("number", range(len(ENDS)))
def test_nothing_that_fails_without_room_is_the_hosts_fault(number: int, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dmconform.matrix.run_cell.has_no_room", lambda _: True)
    error, outcome, _ = ENDS[number]
    result = bench.run(raising(error))
    assert result.outcome is (Outcome.ERROR if outcome.is_verdict else outcome), result


def test_what_holds_without_room_holds(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dmconform.matrix.run_cell.has_no_room", lambda _: True)
    assert bench.run(lambda _: None).outcome is Outcome.PASS


def test_a_cell_that_is_never_done_is_ended(bench: Bench) -> None:
    def case(cell: Cell) -> None:
        with bounded(0.5, HostHung("not done")), cell.start(listener("identity")):
            time.sleep(60)

    result = bench.run(case)
    assert (result.outcome, result.detail) == (Outcome.HANG, "not done")
    assert result.duration_s < 30
    assert not naming(bench.evidence(result))


def in_a_child(bench: Bench, case: Callable[[Cell], None], settle: Callable[[], None] = lambda: None) -> CellResult:
    """What comes of a function as a case, in a process that may be limited and stopped."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()

    def run() -> None:
        os.setsid()
        settle()
        theirs.send_bytes(msgspec.json.encode(bench.run(case)))

    process = context.Process(target=run)
    process.start()
    try:
        assert ours.poll(60), "expected the cell to be done"
        return msgspec.json.decode(ours.recv_bytes(), type=CellResult)
    finally:
        process.kill()
        process.join()


def test_a_time_out_while_all_was_stopped_is_not_the_hosts_fault(bench: Bench) -> None:
    """The cell's process and its Envoy are stopped for longer than an answer may take; the Envoy for a bit longer."""

    def case(cell: Cell) -> None:
        with cell.start(listener("identity")) as envoy:
            pids = f"{os.getpid()} {envoy.pid}"
            script = f"kill -STOP {envoy.pid} && sleep 0.5 && kill -STOP {pids} && sleep 6 && kill -CONT {os.getpid()}"
            script += f" && sleep 2; kill -CONT {pids}"
            with subprocess.Popen(["sh", "-c", script], start_new_session=True):
                for _ in range(10_000):
                    envoy.request("/")

    result = in_a_child(bench, case)
    assert result.outcome is Outcome.ERROR, result
    assert "there was no time for it: the machine let nothing of this cell run for" in result.detail
    assert "no complete answer in time" in result.detail


def test_a_host_that_alone_is_stopped_hangs(bench: Bench) -> None:
    def case(cell: Cell) -> None:
        with cell.start(listener("identity")) as envoy:
            os.kill(envoy.pid, signal.SIGSTOP)
            envoy.request("/")

    result = bench.run(case)
    assert result.outcome is Outcome.HANG, result


@pytest.mark.parametrize("left", [16, 24, 32, 64])
def test_with_few_open_files_nothing_is_the_hosts_fault(left: int, bench: Bench) -> None:
    def case(cell: Cell) -> None:
        with cell.start(listener("identity")) as envoy, contextlib.ExitStack() as clients:
            for _ in range(200):
                client = clients.enter_context(envoy.connect(Protocol.HTTP1))
                assert client.request(Request("/")).status == 200, "expected an answer to each of 200 connections"

    def settle() -> None:
        used = len(list(Path("/proc/self/fd").iterdir()))
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + left, used + left))

    assert bench.run(case).outcome is Outcome.PASS
    result = in_a_child(bench.with_plan(keep_evidence=False), case, settle)
    assert result.outcome is Outcome.ERROR, result


def test_an_interruption_is_passed_on(bench: Bench) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench.run(raising(KeyboardInterrupt()))


def test_two_cells_never_share_a_folder(bench: Bench) -> None:
    bench = bench.with_plan(keep_evidence=True)
    assert bench.run(lambda _: None).outcome is Outcome.PASS
    again = bench.run(lambda _: None)
    assert again.outcome is Outcome.ERROR, again
    assert "FileExistsError" in again.detail


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.NOT_TESTED])
def test_an_sdk_without_modules_ends_its_cells_before_they_run(bench: Bench, outcome: Outcome) -> None:
    sdks = [msgspec.structs.replace(sdk, problem="it was not built", problem_outcome=outcome) for sdk in bench.plan.sdks]
    result = bench.with_plan(sdks=tuple(sdks)).run(raising(AssertionError("expected never to come here")))
    assert (result.outcome, result.detail) == (outcome, "it was not built")


def test_a_host_that_could_not_be_had_blocks_its_cells(bench: Bench) -> None:
    hosts = [msgspec.structs.replace(host, problem="no network") for host in bench.plan.hosts]
    result = bench.with_plan(hosts=tuple(hosts)).run(raising(AssertionError("expected never to come here")))
    assert (result.outcome, result.detail) == (Outcome.ERROR, "no network")


def test_a_log_that_cannot_be_read_is_no_pass(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(_: Cell) -> str:
        raise OSError(5, "Input/output error", "envoy.log")

    monkeypatch.setattr(Cell, "printed", unreadable)
    result = bench.run(lambda _: None)
    assert result.outcome is Outcome.ERROR, result
    assert "Input/output error" in result.detail
