"""Progress for people, on standard error: a line when something begins that may take a while."""

from __future__ import annotations

import sys
import time

_STARTED = time.monotonic()


def say(text: str) -> None:
    """One line, with the time since the start."""
    elapsed_s = time.monotonic() - _STARTED
    print(f"[{elapsed_s:6.1f} s] {text}", file=sys.stderr, flush=True)
