"""An Envoy that another takes over from, by Envoy's hot restart."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from dmconform.envoy.config import Listener
from dmconform.envoy.envoy import Envoy, accepted
from dmconform.matrix.cell import Cell

_SHUTDOWN: Final = ("--parent-shutdown-time-s", "120")  # longer than any cell; the case ends the first by itself
_DRAIN_S: Final = 60  # so long may connections of the first go on
_NEVER, _OFTEN = "200s", "0.02s"
_SHARED_MEMORY: Final = "/dev/shm/envoy_shared_memory_{}0"  # Envoy makes the base id ten times as large, and leaves the file


def _flushing(interval: str, more: Callable[[dict[str, Any]], None] | None) -> Callable[[dict[str, Any]], None]:
    """Lets an Envoy flush its metrics so often: it takes over from the other what that has not flushed."""

    def alter(bootstrap: dict[str, Any]) -> None:
        del bootstrap["stats_flush_on_admin"]
        bootstrap["stats_flush_interval"] = interval
        if more is not None:
            more(bootstrap)

    return alter


class HotRestart:
    """A chain of Envoys with one base id. One that ends ends the one that it has taken over from."""

    def __init__(self, cell: Cell, name: str) -> None:
        """Starts nothing yet; `name` is that of the chain, among those of the cell."""
        self._cell = cell
        self._file = cell.folder / f"base-id {name}"
        self._envoys: list[Envoy] = []

    def start(
        self,
        *listeners: Listener,
        search_path: Path | None = None,
        alter: Callable[[dict[str, Any]], None] | None = None,
    ) -> Envoy:
        """Starts the first Envoy, or the one that takes over from it, which must accept the listeners.

        Args:
            *listeners: its first configuration.
            search_path: where it looks for modules; the cell's folder of modules if None.
            alter: changes its bootstrap configuration.

        Raises:
            ModuleRejected: it does not accept them.
        """
        options: tuple[str, ...] = ("--use-dynamic-base-id", "--base-id-path", str(self._file))
        if self._envoys:
            options = ("--base-id", self._base_id(), "--restart-epoch", str(len(self._envoys)))
        path = self._cell.modules_folder if search_path is None else search_path
        envoy = self._cell.start_anyhow(
            *listeners,
            search_path=path,
            hot_restart=(*options, *_SHUTDOWN),
            alter=_flushing(_OFTEN if self._envoys else _NEVER, alter),
            drain_s=_DRAIN_S,
        )
        self._envoys.append(envoy)
        return accepted(envoy.__enter__())

    def stop(self) -> None:
        """Ends the last one, which ends those before it."""
        self._envoys[-1].stop()
        for envoy in self._envoys[:-1]:
            envoy.await_end()

    def clear(self) -> None:
        """Ends what is left, and removes what Envoys leave behind."""
        for envoy in self._envoys:
            envoy.reap()
        if self._file.exists():
            Path(_SHARED_MEMORY.format(self._base_id())).unlink(missing_ok=True)

    def _base_id(self) -> str:
        return self._file.read_text(encoding="ascii").strip()


@contextlib.contextmanager
def hot_restart(cell: Cell, name: str = "first") -> Iterator[HotRestart]:
    """Yields what starts two Envoys of which the second takes over from the first; both end with the block.

    Args:
        cell: whose Envoys they are.
        name: of the two, if the cell has several.
    """
    chain = HotRestart(cell, name)
    try:
        yield chain
        chain.stop()
    finally:
        chain.clear()
