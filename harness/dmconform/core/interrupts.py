"""Interrupts that wait for the end of a short piece of work, such as the writing of a report."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def deferred_interrupts() -> Iterator[None]:
    """Puts off SIGINT and SIGTERM to the end of the block, where they end as an interrupt does. Only in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seen: list[int] = []
    before = {one: signal.signal(one, lambda number, _: seen.append(number)) for one in _SIGNALS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    if seen:
        raise KeyboardInterrupt
