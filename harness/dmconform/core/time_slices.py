"""Whether the machine gave a process and the programs that it waits for the time to do their work.

A time-out that expires shows nothing where nothing was let run meanwhile: the group of processes was stopped or frozen, the
virtual machine was paused, or the processors had other things to do. Two things are measured while a block runs:

- *stalled*: a thread that asks to be woken every tenth of a second is woken much later; the sum of what is more than half a
  second too late. It shows stops of all kinds.
- *starved*: how long the threads of a program waited for a processor (`run_delay` in `/proc/PID/task/TID/schedstat`), where all
  of them together have hardly had any. A program that computes without end has had its time, however long it also waited.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

MISSING_S: Final = 2.5
"""From here on time was missing: half of the shortest time-out of an answer."""
_BEAT_S: Final = 0.1
_LATE_S: Final = 0.5  # what is less may be any busy machine's
_QUICK_S: Final = 1.5  # what is over by then has waited for nothing
_BUSY_S: Final = 1.0  # of the processor: answers take milliseconds
_NS: Final = 1e-9


@dataclass
class TimeSlices:
    """The time that was missing in a block so far."""

    stalled_s: float = 0.0
    _waited: dict[int, dict[str, tuple[float, float]]] = field(default_factory=dict)  # by process and thread: ran, waited

    @property
    def starved_s(self) -> float:
        """The longest time that a thread of a program which hardly ran has waited for a processor."""
        hardly_ran = (
            threads.values() for threads in self._waited.values() if sum(ran for ran, _ in threads.values()) < _BUSY_S
        )
        return max((waited for threads in hardly_ran for _, waited in threads), default=0.0)

    @property
    def missing(self) -> str | None:
        """What was missing, in words; None where it was not much."""
        if self.stalled_s >= MISSING_S:
            return f"the machine let nothing of this cell run for {self.stalled_s:.1f} s"
        if self.starved_s >= MISSING_S:
            return f"the host waited {self.starved_s:.1f} s for a processor"
        return None

    def of(self, process: int) -> tuple[tuple[float, float], ...]:
        """Returns how long each thread of a process has run and waited, as last noted."""
        return tuple(self._waited.get(process, {}).values())

    def look_at(self, process: int) -> None:
        """Notes how long the threads of a process have run and waited."""
        with contextlib.suppress(OSError, ValueError):  # it has ended, or this kernel does not count
            for task in Path(f"/proc/{process}/task").iterdir():
                ran, waited, *_ = (task / "schedstat").read_text(encoding="ascii").split()
                self._waited.setdefault(process, {})[task.name] = int(ran) * _NS, int(waited) * _NS


@contextlib.contextmanager
def time_slices(processes: Callable[[], Iterable[int]]) -> Iterator[TimeSlices]:
    """Measures the time that is missing in the block.

    Args:
        processes: gives the ids of the programs that the block waits for; called by another thread.

    Raises:
        RuntimeError: no thread can be started.
    """
    found, over = TimeSlices(), threading.Event()

    def watch() -> None:
        began = time.monotonic()
        before = began
        while True:
            done = over.wait(_BEAT_S)
            now = time.monotonic()
            late = now - before - _BEAT_S
            if late > _LATE_S:  # also where the block ends first after a stop
                found.stalled_s += late
            if done:
                return
            if now - began > _QUICK_S:
                for process in processes():
                    found.look_at(process)
            before = time.monotonic()

    thread = threading.Thread(target=watch, name="time slices", daemon=True)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
