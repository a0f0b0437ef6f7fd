"""A time-out that expires where nothing was let run shows nothing; one that expires on a busy program shows that it hangs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dmconform.core.paths import IMPORT_ROOT
from dmconform.core.time_slices import MISSING_S, TimeSlices, time_slices

MEASURES = """
import sys, time
from dmconform.core.time_slices import time_slices
with time_slices(lambda: ()) as found:
    print("measuring", flush=True)
    sys.stdin.readline()
print(found.missing)
"""
SPINS = """
import os, sys
parent, processor, idle = map(int, sys.argv[1:])
os.sched_setaffinity(0, {processor})
if idle:
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
while os.getppid() == parent:
    pass
"""


def stopped_for(seconds: float) -> str:
    """What a process finds that was stopped for some time."""
    words = [sys.executable, "-c", MEASURES]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(IMPORT_ROOT)}
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "measuring\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)
        return process.communicate("go on\n", timeout=30)[0].strip()


def test_a_stop_of_all_is_missing_time() -> None:
    found = stopped_for(MISSING_S + 0.5)
    assert found.startswith("the machine let nothing of this cell run for ")


def test_a_short_stop_is_any_busy_machines() -> None:
    assert stopped_for(0.3) == "None"


@contextlib.contextmanager
def spinning(*, idle: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """A process that only computes on the first processor that this one may use; with `idle`, as if nobody needed it."""
    words = [str(os.getpid()), str(min(os.sched_getaffinity(0))), str(int(idle))]
    with subprocess.Popen([sys.executable, "-c", SPINS, *words]) as process:
        try:
            yield process
        finally:
            process.kill()


def seen_of(process: int, until: Callable[[TimeSlices], bool]) -> TimeSlices:
    deadline = time.monotonic() + 50
    with time_slices(lambda: (process,)) as found:
        while not until(found) and time.monotonic() < deadline:
            time.sleep(0.05)
    return found


def total(found: TimeSlices, process: int) -> tuple[float, float]:
    """How long all threads of a process have run and waited."""
    times = found.of(process)
    return sum(ran for ran, _ in times), sum(waited for _, waited in times)


def test_a_program_that_gets_no_processor_starves() -> None:
    with spinning(), spinning(), spinning(idle=True) as starving:
        found = seen_of(starving.pid, lambda so_far: so_far.missing is not None)
    assert found.missing is not None
    assert found.missing.startswith("the host waited ")


def test_a_program_that_computes_without_end_does_not() -> None:
    """It waits as long for the processor as it has it, and still has had its time."""
    with spinning(), spinning() as greedy:
        found = seen_of(greedy.pid, lambda so_far: min(total(so_far, greedy.pid)) > MISSING_S / 2)
    ran, waited = total(found, greedy.pid)
    assert min(ran, waited) > MISSING_S / 2
    assert found.starved_s == 0


@pytest.mark.parametrize("process", [0, 1 << 30])
def test_a_process_that_is_not_there_has_waited_for_nothing(process: int) -> None:
    found = TimeSlices()
    found.look_at(process)
    assert (found.starved_s, found.missing) == (0, None)


def test_the_kernel_counts() -> None:
    assert Path("/proc/self/schedstat").is_file(), "expected a kernel with schedstat: without it, starving is not seen"
