"""What clients see."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dmconform.envoy.headers import Headers


class End(enum.Enum):
    """How an answer ended."""

    COMPLETE = "complete"
    RESET = "its stream was reset"  # HTTP/2 only: the connection goes on
    CUT = "its connection was cut"


@dataclass(frozen=True)
class Answer:
    """What the client saw: a response, or (status None) a stream or a connection that ended before one was complete."""

    status: int | None
    headers: Headers = field(default_factory=Headers)  # lower-case names
    body: str = ""
    problem: str = ""
    trailers: Headers = field(default_factory=Headers)
    reset: str | None = None  # the error code with which the stream was reset, such as INTERNAL_ERROR
    status_so_far: int | None = None  # of a response that began and did not end

    def record(self) -> dict[str, object]:
        """Returns the fields as JSON can hold them; headers and trailers are lists of pairs."""
        return {**vars(self), "headers": self.headers.pairs, "trailers": self.trailers.pairs}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Answer:
        """Returns the answer of which `record` was made."""
        return cls(**{**record, "headers": Headers(record["headers"]), "trailers": Headers(record["trailers"])})

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
    def summary(self) -> str:
        """The answer in a few words, without what it holds."""
        if self.status is not None:
            return f"status {self.status}"
        began = "" if self.status_so_far is None else f" after status {self.status_so_far}"
        return f"connection cut{began}" if self.reset is None else f"stream reset with {self.reset}{began}"


class NoAnswer(Exception):
    """Nothing came in time."""
