"""What clients see."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class End(enum.Enum):
    """How an answer ended."""

    COMPLETE = "complete"
    RESET = "its stream was reset"  # HTTP/2 only: the connection goes on
    CUT = "its connection was cut"


@dataclass(frozen=True)
class Answer:
    """What the client saw: a response, or (status None) a stream or a connection that ended before one was complete."""

    status: int | None
    headers: dict[str, str] = field(default_factory=dict)  # lower-case names; the last of several wins
    body: str = ""
    problem: str = ""
    trailers: dict[str, str] = field(default_factory=dict)
    reset: str | None = None  # the error code with which the stream was reset, such as INTERNAL_ERROR
    status_so_far: int | None = None  # of a response that began and did not end

    @property
    def end(self) -> End:
        """How it ended."""
        if self.status is not None:
            return End.COMPLETE
        return End.CUT if self.reset is None else End.RESET

    @property
    def was_cut(self) -> bool:
        """Whether the connection ended before a complete response."""
        return self.end is End.CUT

    @property
    def was_reset(self) -> bool:
        """Whether the stream was reset before a complete response."""
        return self.end is End.RESET

    @property
    def summary(self) -> str:
        """The answer in a few words, without what it holds."""
        if self.status is not None:
            return f"status {self.status}"
        began = "" if self.status_so_far is None else f" after status {self.status_so_far}"
        return f"connection cut{began}" if self.reset is None else f"stream reset with {self.reset}{began}"


class NoAnswer(Exception):
    """Nothing came in time."""
