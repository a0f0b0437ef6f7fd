"""The host's own alarm: what its log says where Envoy, or the sanitizer that it was built with, finds a mistake in itself."""

from __future__ import annotations

import re
from typing import Final

from dmconform.envoy.log_lines import host_lines

_OWN_WORDS: Final = re.compile(r"\b(?:envoy bug failure|assert failure)\b", re.IGNORECASE)
"""How Envoy begins what ENVOY_BUG and ASSERT report; both are lines of its logger."""
_SANITIZER: Final = re.compile(
    r"={2,}\d+={2,} ?(?:ERROR|WARNING): (?:Address|HWAddress|Leak|Memory|Thread)Sanitizer: .*"
    r"|WARNING: ThreadSanitizer: .*"
    r"|\S+:\d+(?::\d+)?: runtime error: .*"
)
"""How the report of a sanitizer begins, which it prints by itself: a line as a whole."""
_QUICK: Final = ("envoy bug", "assert failure", "Sanitizer: ", ": runtime error: ")
"""What is in each of these, in lower case but for the sanitizers': most logs have none."""


def alarm(log: str) -> str | None:
    """Returns the first alarm in what a host has printed; None where there is none.

    A line of Envoy's logger that a module has logged is none, nor are these words amid what a module prints.
    """
    lower = log.lower()
    if not any(words in lower or words in log for words in _QUICK):
        return None
    own = next((text for text in host_lines(log) if _OWN_WORDS.search(text)), None)
    return own or next((line for line in log.splitlines() if _SANITIZER.fullmatch(line)), None)
