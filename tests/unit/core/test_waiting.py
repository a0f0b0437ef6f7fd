"""What a cell waited for is told by the names of time-outs."""

from __future__ import annotations

import sys
import threading

import pytest
from dmconform.core.process import run_program
from dmconform.core.timeouts import WaitFor
from dmconform.core.waiting import counted_waits, current_poll, poll, waiting

from tests.checkout import ROOT
from tests.unit.report_samples import broken, cell, report, unreachable

LONG = WaitFor(5.0, "something long")
SHORT = WaitFor(0.02, "something short")


def test_a_named_time_out_is_a_number() -> None:
    assert LONG == 5.0
    assert f"{LONG:g} s" == "5 s"
    assert LONG.what == "something long"


def test_polls_count_by_what_they_wait_for() -> None:
    poll(lambda: False, SHORT)  # before it counts
    with counted_waits() as found:
        assert poll(lambda: False, SHORT) is None
        assert poll(lambda: False, SHORT) is None
        assert poll(lambda: True, LONG) is True
    assert set(found) == {"something short", "something long"}
    assert 0.04 <= found["something short"] < 5
    before = dict(found)
    poll(lambda: False, SHORT)
    assert found == before, "what comes after the block does not count"


def test_of_waits_within_waits_the_outermost_counts() -> None:
    with counted_waits() as found:
        with waiting(LONG):
            poll(lambda: False, SHORT)
        assert list(found) == ["something long"]
        with waiting(SHORT):
            pass
    assert list(found) == ["something long", "something short"]


def test_a_wait_that_fails_counts() -> None:
    with counted_waits() as found:
        with pytest.raises(ValueError, match="x"), waiting(LONG):
            raise ValueError("x")
        assert list(found) == ["something long"]
        with waiting(SHORT):
            pass
    assert list(found) == ["something long", "something short"]


def test_other_threads_and_plain_numbers_do_not_count() -> None:
    with counted_waits() as found:
        thread = threading.Thread(target=lambda: poll(lambda: False, SHORT))
        thread.start()
        thread.join()
        poll(lambda: False, 0.01)
    assert found == {}


def test_looks_of_one_poll_belong_together() -> None:
    """Those of another poll, of a poll within it and of another thread do not."""
    seen: list[object] = []

    def look() -> bool:
        seen.append(current_poll())
        return len(seen) == 2

    poll(look, LONG)
    assert seen[0] is seen[1] is not None
    assert current_poll() is None
    inner = poll(lambda: poll(current_poll, LONG) if current_poll() else None, LONG)
    assert inner is not None
    assert inner is not seen[0]


STOPPED_NOW_AND_THEN = """
import os, signal, subprocess, sys, threading, time
from dmconform.core.waiting import bounded

threading.Thread(target=threading.Event().wait, daemon=True).start()
stopper = "import os, signal, time\\n" + "for _ in range(200):\\n" + "".join(
    f"    os.kill({os.getpid()}, signal.{one}); time.sleep(0.02)\\n" for one in ("SIGSTOP", "SIGCONT")
)
stops = subprocess.Popen([sys.executable, "-c", stopper])
for _ in range(20):
    began = time.monotonic()
    try:
        with bounded(0.05, TimeoutError()):
            time.sleep(10)
    except TimeoutError:
        pass
    assert time.monotonic() - began < 8, "it was not ended"
stops.kill()
stops.wait()
"""


def test_a_block_is_ended_though_another_thread_is_given_the_alarm() -> None:
    """As the kernel does where the main thread was stopped when the time was over."""
    done = run_program([sys.executable, "-c", STOPPED_NOW_AND_THEN], timeout_s=60.0, cwd=ROOT)
    assert done.exit_code == 0, done.output


def test_the_slowest_cells_say_what_they_waited_for() -> None:
    from dmconform.report.slowest import slowest, waits_in_words

    slow = cell(duration_s=0.5, waits={"an answer": 0.1, "an Envoy to be ready": 0.3})
    quick = broken("a/b", duration_s=0.1)
    never = unreachable(duration_s=9.0)
    assert [one.duration_s for one in slowest(report([quick, slow, never]))] == [0.5, 0.1]
    assert slowest(report([quick, slow]), count=1) == (slow,)
    assert waits_in_words(slow) == "300 ms for an Envoy to be ready, 100 ms for an answer, 100 ms of other work"
