"""The result of storms: by host, how each ended and what it had been through."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import Final

import msgspec

from dmconform.core.table import Column, lines, output_width

_BACKTRACE: Final = re.compile(r"\]\[critical\]\[[a-z]+\] \[[^\]]*\] (.*)")
_COUNTED: Final = re.compile(
    r"^storm (?P<module>\S+): (?P<streams>\d+) streams, (?P<ended>\d+) ended, (?P<committed>\d+) committed, "
    r"(?P<delivered>\d+) delivered, (?P<foreign>\d+) foreign$",
    re.MULTILINE,
)


class StormEnd(enum.Enum):
    """How an Envoy came through."""

    LIVES = "lives"
    SIGNAL = "ended"  # by itself
    HANGS = "hangs"
    NOT_TRIED = "not tried"


class Events(msgspec.Struct, frozen=True):
    """What the modules of one Envoy counted."""

    streams: int = 0  # that began
    ended: int = 0  # and were destroyed
    committed: int = 0  # events
    delivered: int = 0
    foreign: int = 0  # hooks on another thread than the stream's worker

    @classmethod
    def of_log(cls, log: str) -> Events:
        """Returns the sum of the last counts that each module has printed."""
        last = {one["module"]: one for one in _COUNTED.finditer(log)}
        return cls(*(sum(int(one[name]) for one in last.values()) for name in cls.__struct_fields__))

    def __add__(self, other: Events) -> Events:
        return Events(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))


class HostStorm(msgspec.Struct, frozen=True):
    """The storms that one host went through."""

    host: str
    ended: StormEnd
    seconds: float = 0.0  # until it ended, or in all
    rounds: int = 0  # Envoys
    message: str = ""
    backtrace: tuple[str, ...] = ()  # critical lines of its log
    requests: int = 0
    answered: int = 0
    resets: int = 0
    refused: int = 0
    updates: int = 0
    events: Events = msgspec.field(default_factory=Events)


@dataclass(frozen=True)
class Storms:
    """All hosts of one call, and what it was called with."""

    seed: int
    seconds: float
    hosts: tuple[HostStorm, ...] = field(default=())

    @property
    def lost(self) -> bool:
        """Whether a host ended or hangs."""
        return any(one.ended in (StormEnd.SIGNAL, StormEnd.HANGS) for one in self.hosts)

    @property
    def incomplete(self) -> bool:
        """Whether a host was not tried."""
        return any(one.ended is StormEnd.NOT_TRIED for one in self.hosts)


def critical_lines(log: str) -> tuple[str, ...]:
    """Returns the critical lines of a log, without their times: what a host says when it ends by a signal."""
    return tuple(_BACKTRACE.findall(log))


def as_json(storms: Storms) -> str:
    """Returns the result as JSON text."""
    return msgspec.json.format(msgspec.json.encode(storms), indent=1).decode() + "\n"


def print_storms(storms: Storms) -> None:
    """Prints a line for each host, and the backtrace of each that ended."""
    head = ("host", "it", "seconds", "requests", "resets", "updates", "events", "delivered", "foreign")
    rows = [
        (
            one.host,
            one.ended.value,
            f"{one.seconds:.1f}",
            *map(str, (one.requests, one.resets, one.updates, one.events.committed, one.events.delivered, one.events.foreign)),
        )
        for one in storms.hosts
    ]
    for line in lines([Column(one) for one in head], rows, output_width()):
        print(line)
    for one in storms.hosts:
        if one.message:
            print(f"{one.host}: {one.message}")
        for line in one.backtrace:
            print(f"  {line}")
