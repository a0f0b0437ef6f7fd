"""One way to wait: poll a condition until it holds, with a named time-out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from harness.timeouts import POLL_S

T = TypeVar("T")


def poll(condition: Callable[[], T | None], timeout_s: float) -> T | None:
    """The condition's first value that is not None (nor False), or None when `timeout_s` seconds are over."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value is not None and value is not False:
            return value
        if time.monotonic() >= deadline:
            return None
        time.sleep(POLL_S)
