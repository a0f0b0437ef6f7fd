"""What pairs give: how each ended, and what was seen besides."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dmconform.measure.pairs.lines import Nested, Seen
from dmconform.measure.pairs.plan import Pair
from dmconform.measure.pairs.threads import ThreadCounts


class PairEnd(enum.Enum):
    """How a pair ended."""

    RETURNED = "returned"
    ENDS = "ends Envoy"
    SOMETIMES = "ends Envoy sometimes"
    HANGS = "hangs Envoy"
    REFUSED = "the host refuses the module"
    NOT_REACHED = "its hook was not reached"
    WITHOUT = "nothing gave a handle that it needs"
    MISSING = "the host does not export it"
    BLOCKED = "could not run"


@dataclass(frozen=True)
class PairResult:
    """The result of a pair: how it ended, with details; what the client saw; what the host said."""

    end: PairEnd
    detail: str = ""
    client: str = ""
    alarms: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()  # hooks that got a destroyed object, because of this pair
    values: tuple[str, ...] = ()  # what the last call gave
    changed: tuple[str, ...] = ()  # getters whose views the pair has changed
    alarms_sometimes: tuple[str, ...] = ()  # those of one run of two


@dataclass(frozen=True, order=True)
class PairWay:
    """A hook (short name) and a way to reach it: the name of a further scene, or empty for the usual one."""

    hook: str
    scene: str = ""

    @classmethod
    def of(cls, pair: Pair) -> PairWay:
        """Returns the way that a pair takes."""
        return cls(pair.hook, pair.scene)

    def __str__(self) -> str:
        return f"{self.hook} ({self.scene})" if self.scene else self.hook


@dataclass(frozen=True)
class Expected:
    """What is on record of a host, as far as it saves Envoys: a pair that ends as it is on record need not run twice.

    Pairs in `alone` showed something that others may hide, or be hidden by. `nests` are calls in which a hook ran.
    """

    ends: Mapping[Pair, PairEnd] = field(default_factory=dict)
    alone: frozenset[Pair] = frozenset()
    alarmed: Mapping[Pair, bool] = field(default_factory=dict)  # True: each time
    nests: frozenset[tuple[str, str]] = frozenset()  # hook and callback
    unreached: frozenset[PairWay] = frozenset()


NOTHING_EXPECTED: Final = Expected()


@dataclass
class HostPairs:
    """All that was seen on a host."""

    results: dict[Pair, PairResult] = field(default_factory=dict)
    nested: set[Nested] = field(default_factory=set)
    threads: ThreadCounts = field(default_factory=ThreadCounts)
    problems: list[str] = field(default_factory=list)
    """Updates that came to nothing."""
    envoys: int = 0

    def add(self, seen: Seen) -> None:
        """Takes what does not belong to one pair."""
        self.envoys += 1
        self.nested |= seen.nested
        self.threads.note(seen.threads)
