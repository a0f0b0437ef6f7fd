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
    """An observer that is notified of what a case does."""

    @property
    def is_interactive(self) -> bool:
        """Whether a person may hold the cell, for as long as they like."""

    def look(self) -> None:
        """Is called when something is about to be done: files are as they are now."""

    def offer(self, port: int, path: str, replies: Sequence[tuple[int, str, bytes]]) -> None:
        """Is called when the server on this port gets its replies for a path: status, manner and body of each reply."""

    def let_go(self, port: int) -> None:
        """Is called when the server on this port sends what it holds."""

    def note_unreplayed(self, what: str) -> None:
        """Is called when the case does or looks at something that no archive replays or compares."""

    def pause(self, envoy: Envoy, moment: str) -> None:
        """Is called when the main thread is about to send something to an Envoy, or to end it; `moment` follows "where"."""


@dataclass(frozen=True, eq=False)
class Unobserved:
    """An observer that does nothing. Observers that want to know of some things only derive from it."""

    is_interactive = False

    def look(self) -> None:
        """Does nothing."""

    def offer(self, port: int, path: str, replies: Sequence[tuple[int, str, bytes]]) -> None:
        """Does nothing."""

    def let_go(self, port: int) -> None:
        """Does nothing."""

    def note_unreplayed(self, what: str) -> None:
        """Does nothing."""

    def pause(self, envoy: Envoy, moment: str) -> None:
        """Does nothing."""


UNOBSERVED: Final[Observer] = Unobserved()
"""The observer of those who are given none."""

CONNECTIONS: Final = "its own connections"
"""What is not replayed of a case that takes a port (`Envoy.take_port`)."""
