"""Who is told what a case does while an archive of it is made (`dmconform.envoy.placed.recording`); nobody at other times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    class Recorder(Protocol):
        """What it is told."""

        def look(self) -> None:
            """Something is about to be done: files are as they are now."""

        def offer(self, port: int, path: str, replies: Sequence[tuple[int, str, bytes]]) -> None:
            """A server on this port is told how to answer a path: status, manner and body of each reply."""

        def let_go(self, port: int) -> None:
            """It is told to send what it holds."""

        def beyond(self, what: str) -> None:
            """The case does or looks at something that no archive replays or compares."""


_ACTIVE: Final[list[Recorder]] = []


def start(recorder: Recorder) -> None:
    """From now on it is told."""
    _ACTIVE.append(recorder)


def stop(recorder: Recorder) -> None:
    """From now on it is not."""
    _ACTIVE.remove(recorder)


def active() -> Recorder | None:
    """The one that is told; None while nothing is recorded."""
    return _ACTIVE[-1] if _ACTIVE else None


def beyond(what: str) -> None:
    """Tells it of something that is not replayed or compared."""
    recorder = active()
    if recorder is not None:
        recorder.beyond(what)
