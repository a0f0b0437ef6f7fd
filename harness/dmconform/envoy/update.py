"""What became of listeners that an Envoy was given, and what its log says of those that it did not take."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dmconform.envoy.config import Listener
from dmconform.envoy.launch import LISTENERS_FILE

# A configuration that makes no sense is rejected; one with parts that the Envoy does not know is a failure. A line that has no
# end yet is still being printed.
# Modules write to the same log, with another logger or without one.
_HEAD = r"(?m:^)\[[^\]]*\]\[\d+\]\[\w+\]\[(?!dynamic_modules)\w+\] \[[^\]]*\] "
_REJECTED = rf"(?:rejected: |failure: in .*?{LISTENERS_FILE}, )"
_REJECTION = re.compile(rf"{_HEAD}[^\n]*?Filesystem config update {_REJECTED}(?P<message>.*)\n")

# An unexpected exception ends the taking of a configuration: it counts neither as accepted nor as rejected.
_DROPPED = re.compile(rf"{_HEAD}[^\n]*?Filesystem watch callback for '{LISTENERS_FILE}' threw exception: (?P<message>.*)\n")


@dataclass(frozen=True)
class Update:
    """What became of a configuration: accepted, or rejected with the Envoy's message."""

    accepted: bool
    message: str = ""


@dataclass(frozen=True)
class Taken:
    """Listeners that an Envoy was given, and what became of them."""

    listeners: tuple[Listener, ...]
    update: Update


def rejection(log: str, number: int) -> str | None:
    """Returns the message of a rejection by its number, from 1 on; None where the log has none yet."""
    messages = [found["message"].removesuffix(": {") for found in _REJECTION.finditer(log)]
    return messages[number - 1] if len(messages) >= number else None


def assert_not_dropped(log: str) -> None:
    """Asserts that no listeners were dropped without being accepted or rejected, which would be waited for in vain."""
    dropped = _DROPPED.search(log)
    assert dropped is None, f"expected a configuration to be accepted or rejected, it was dropped: {dropped['message']}"
