"""One way to wait: poll a condition until it holds, with a named time-out; and how long was waited for what."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
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


_counted: Final[ContextVar[dict[str, float] | None]] = ContextVar("counted", default=None)
_polling: Final[ContextVar[object]] = ContextVar("polling", default=None)


@contextlib.contextmanager
def counted_waits() -> Iterator[dict[str, float]]:
    """Counts the seconds that the block waits, by what it waits for. Other threads do not count."""
    found: dict[str, float] = {}
    with _set(_counted, found):
        yield found


@contextlib.contextmanager
def waiting(timeout_s: float) -> Iterator[None]:
    """Counts the time of the block as spent on what the named time-out is about."""
    counted = _counted.get()
    if counted is None or not isinstance(timeout_s, WaitFor):
        yield
        return
    started = time.monotonic()
    try:
        with _set(_counted, None):  # of waits within waits the outermost counts: it says what it is for
            yield
    finally:
        counted[timeout_s.what] = counted.get(timeout_s.what, 0.0) + time.monotonic() - started


def current_poll() -> object:
    """Returns an object that identifies the poll that this thread is in; None if it is in none."""
    return _polling.get()


@contextlib.contextmanager
def _set(variable: ContextVar[T], value: T) -> Iterator[None]:
    """Gives a variable a value in the block, for this thread."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


def poll(condition: Callable[[], T | None], timeout_s: float) -> T | None:
    """Returns the condition's first value that is not None (nor False), or None when `timeout_s` seconds are over."""
    deadline = time.monotonic() + timeout_s
    with waiting(timeout_s), _set(_polling, object()):
        while True:
            value = condition()
            if value is not None and value is not False:
                return value
            if time.monotonic() >= deadline:
                return None
            time.sleep(POLL_S)
