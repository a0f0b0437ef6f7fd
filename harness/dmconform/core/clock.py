"""When something began: the wall clock says which day it is, the monotonic clock how long it took."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class CommandStart:
    """A moment, by both clocks: the wall clock may jump, back too."""

    at: datetime
    monotonic_s: float

    @classmethod
    def now(cls) -> CommandStart:
        """Returns this moment."""
        return cls(datetime.now(UTC), time.monotonic())

    @property
    def elapsed_s(self) -> float:
        """The seconds since then."""
        return time.monotonic() - self.monotonic_s
