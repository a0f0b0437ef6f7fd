"""The first use of struct types by many threads at once: run by test_threads.py, in a fresh process for each time.

Input: JSON, a list of `[module, name, text]`, the text being JSON that the type takes. The argument is a `Way`. Prints how many
descriptions of types msgspec has made in the threads, and how many threads have decoded everything.
"""

from __future__ import annotations

import enum
import importlib
import json
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

import msgspec
from dmconform.core.threads import thread_pool

THREADS: Final = 16
SWITCH_S: Final = 1e-6
DESCRIBES: Final = "get_class_annotations"
"""The function of msgspec that each description of a struct type begins with."""


class Way(enum.Enum):
    """How the threads come about."""

    BARE = "bare"  # nothing is prepared for them
    POOL = "pool"  # as the harness makes them


def main(way: Way) -> None:
    """Decodes each value in all threads at the same time."""
    wanted = [(getattr(importlib.import_module(module), name), text) for module, name, text in json.load(sys.stdin)]
    described: list[str] = []
    over: list[bool] = []

    def watch(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_name == DESCRIBES:
            described.append(frame.f_code.co_name)

    barrier = threading.Barrier(THREADS)

    def decode_all() -> None:
        for shape, text in wanted:
            barrier.wait()
            assert isinstance(msgspec.json.decode(text, type=shape), shape)
        over.append(True)

    threading.setprofile(watch)
    sys.setswitchinterval(SWITCH_S)
    {Way.BARE: _in_threads, Way.POOL: _in_pool}[way](decode_all)
    print(len(described), len(over))


def _in_threads(work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _in_pool(work: Callable[[], None]) -> None:
    with thread_pool(THREADS, "first") as pool:
        for done in [pool.submit(work) for _ in range(THREADS)]:
            done.result()


if __name__ == "__main__":
    main(Way(sys.argv[1]))
