"""What is notified while a case runs, to record the cell or to hold it.

It is given to a cell, and by the cell to each Envoy and each server, when they are made. `dmconform bundle` gives one that
records files (`dmconform.envoy.placed`), `dmconform reproduce --wait` one that lets a person look (`dmconform.matrix.pause`).
All others give none: then it is `UNOBSERVED`, which does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dmconform.envoy.envoy import Envoy


class Observer(Protocol):
    """What is notified."""

    @property
    def is_interactive(self) -> bool:
        """Whether a person may hold the cell, for as long as they like."""

    def look(self) -> None:
        """Something is about to be done: files are as they are now."""

    def offer(self, port: int, path: str, replies: Sequence[tuple[int, str, bytes]]) -> None:
        """The server on this port is to answer a path from now on: status, manner and body of each reply."""

    def let_go(self, port: int) -> None:
        """The server on this port sends what it holds."""

    def note_unreplayed(self, what: str) -> None:
        """The case does or looks at something that no archive replays or compares."""

    def pause(self, envoy: Envoy, moment: str) -> None:
        """The main thread is about to send something to an Envoy, or to end it; `moment` follows "where"."""


@dataclass(frozen=True, eq=False)
class Unobserved:
    """Does nothing. Observers that want to know of some things only derive from it."""

    is_interactive = False

    def look(self) -> None:
        """See `Observer`, here and below."""

    def offer(self, port: int, path: str, replies: Sequence[tuple[int, str, bytes]]) -> None:
        pass

    def let_go(self, port: int) -> None:
        pass

    def note_unreplayed(self, what: str) -> None:
        pass

    def pause(self, envoy: Envoy, moment: str) -> None:
        pass


UNOBSERVED: Final[Observer] = Unobserved()
"""The observer of those who are given none."""

CONNECTIONS: Final = "connections of its own"
"""What is not replayed of a case that takes a port (`Envoy.take_port`)."""
