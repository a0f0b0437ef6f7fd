"""Signals that end a command: all do so as Ctrl-C does, and wait for the end of a short piece of work, such as a report."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

GRACE_S: Final = 10.0
"""How long after an interrupt another one is taken for impatience: what is about to clean up must not be interrupted itself."""
_AGAIN_S: Final = 0.01
_heard: list[float] = []  # when what ends this process came
# SIGHUP comes when a terminal is closed, SIGQUIT from Ctrl-\.
_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


@contextlib.contextmanager
def ended_like_interrupted() -> Iterator[None]:
    """Makes SIGTERM, SIGHUP and SIGQUIT end a command as Ctrl-C does, and all of them once only.

    Its children are ended, its folders are removed, and a run writes its report. A second SIGQUIT ends the process at once,
    without any of that. A signal that is ignored, as `nohup` has it, stays so.
    """
    _heard.clear()

    def interrupt(*_: object) -> None:
        if _heard and time.monotonic() - _heard[-1] < GRACE_S:
            return
        _heard.append(time.monotonic())
        _restore_quit()
        raise KeyboardInterrupt

    with _handled_by(interrupt):
        yield


def interrupt_again() -> None:
    """Has an interrupt that could end nothing, as it came in a destructor, come once more a little later."""
    _heard.clear()
    main_thread = threading.main_thread().ident or 0
    threading.Timer(_AGAIN_S, signal.pthread_kill, (main_thread, signal.SIGINT)).start()  # it also ends a wait


def _restore_quit() -> None:
    if signal.getsignal(signal.SIGQUIT) is not signal.SIG_IGN:
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)


@contextlib.contextmanager
def deferred_interrupts() -> Iterator[None]:
    """Puts off Ctrl-C and what ends a command like it to the end of the block. Only in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seen: list[int] = []
    with _handled_by(lambda number, _: seen.append(number)):
        yield
    if seen:
        raise KeyboardInterrupt


@contextlib.contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    heard = [one for one in _ENDING if signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, handler) for one in heard}
    try:
        yield
    finally:
        for one, previous in before.items():
            signal.signal(one, previous)
