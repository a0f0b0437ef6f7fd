"""Progress for people, on standard error: a line when something begins that may take a while."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from dmconform.core.text import one_line

T = TypeVar("T")

_EVERY_S: Final = 10.0  # between two lines about the same work
_STARTED = time.monotonic()


def started_s() -> float:
    """Returns when the clock of `say` began, by the monotonic clock of this machine."""
    return _STARTED


def count_from(moment_s: float) -> None:
    """Makes the clock of `say` that of the process that has started this one."""
    global _STARTED  # noqa: PLW0603 - one clock for one process
    _STARTED = moment_s


def say(text: str) -> None:
    """Prints one line to standard error, with the time since the start. Names of files in it do nothing to the terminal."""
    elapsed_s = time.monotonic() - _STARTED
    print(f"[{elapsed_s:6.1f} s] {one_line(text)}", file=sys.stderr, flush=True)


def counting(
    items: Iterable[T], total: int, what: str, progress: Callable[[str], None], every_s: float = _EVERY_S
) -> Iterator[T]:
    """Yields items as they come, with a line every few seconds about how many came.

    Args:
        items: results of work that takes a while.
        total: how many there will be.
        what: what a line begins with, such as `Envoy 1.39.3: modules with a fault`.
        progress: takes the lines.
        every_s: seconds between two lines.
    """
    printed_s = time.monotonic()
    for number, item in enumerate(items, start=1):
        if time.monotonic() - printed_s >= every_s:
            printed_s = time.monotonic()
            progress(f"{what}: {number} of {total}")
        yield item
