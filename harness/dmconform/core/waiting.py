"""One way to wait: poll a condition until it holds, with a named time-out; and how long was waited for what."""

from __future__ import annotations

import contextlib
import itertools
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from dmconform.core.timeouts import POLL_S, WaitFor

T = TypeVar("T")


_RING_AGAIN_S: Final = 0.5


@contextlib.contextmanager
def bounded(timeout_s: float, overdue: Exception) -> Iterator[None]:
    """Raises `overdue` in the block if it is not done after `timeout_s` seconds. Only the main thread can be bounded so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise overdue

    before = signal.signal(signal.SIGALRM, ring)
    # Again and again, as the kernel may give the first to another thread: then it does not end what this one waits in.
    signal.setitimer(signal.ITIMER_REAL, timeout_s, _RING_AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


_waited: dict[str, float] = {}
_ongoing: list[WaitFor] = []


def take_waited() -> dict[str, float]:
    """Returns the seconds that the main thread has waited since the last call, by what it waited for; then counts anew."""
    found = dict(_waited)
    _waited.clear()
    return found


@contextlib.contextmanager
def waiting(timeout_s: float) -> Iterator[None]:
    """Counts the time of the block as spent on what the named time-out is about."""
    # Of waits within waits the outermost counts: it says what it is for.
    if not isinstance(timeout_s, WaitFor) or threading.current_thread() is not threading.main_thread() or _ongoing:
        yield
        return
    started = time.monotonic()
    _ongoing.append(timeout_s)
    try:
        yield
    finally:
        _ongoing.clear()
        _waited[timeout_s.what] = _waited.get(timeout_s.what, 0.0) + time.monotonic() - started


_number = itertools.count(1)
_ongoing_polls: list[int] = []


def poll_number() -> int:
    """Tells this poll of the main thread from all others; 0 if it is in none."""
    return _ongoing_polls[-1] if _ongoing_polls and threading.current_thread() is threading.main_thread() else 0


@contextlib.contextmanager
def _numbered() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _ongoing_polls.append(next(_number))
    try:
        yield
    finally:
        _ongoing_polls.pop()


def poll(condition: Callable[[], T | None], timeout_s: float) -> T | None:
    """The condition's first value that is not None (nor False), or None when `timeout_s` seconds are over."""
    deadline = time.monotonic() + timeout_s
    with waiting(timeout_s), _numbered():
        while True:
            value = condition()
            if value is not None and value is not False:
                return value
            if time.monotonic() >= deadline:
                return None
            time.sleep(POLL_S)
