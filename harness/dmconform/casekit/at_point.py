"""Uses a module at any extension point of a cell's host, one Envoy after the other."""

from __future__ import annotations

from pathlib import Path

from dmconform.core.extension_point import ExtensionPoint
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.extension_points.attempt import attempt
from dmconform.envoy.extension_points.shapes import points_of, why_unreachable
from dmconform.envoy.extension_points.use import Attempt, AttemptEnd, ModuleUse
from dmconform.envoy.outcomes import Blocked, HostCrashed, HostHung
from dmconform.matrix.cell import Cell


def reachable_points(cell: Cell) -> tuple[ExtensionPoint, ...]:
    """Returns the extension points of the cell's host that a configuration reaches."""
    return tuple(point for point in points_of(cell.host_minor) if why_unreachable(point) is None)


def use_at(cell: Cell, point: ExtensionPoint, module: str, name: str, config: str = "", folder: str | None = None) -> Attempt:
    """Starts an Envoy that uses an installed module at an extension point, sends something through it, and stops it.

    Args:
        cell: the cell.
        point: where.
        module: its name on the search path.
        name: what the host hands to it to choose by.
        config: its configuration, as text.
        folder: below the cell's, for the Envoy's files; the point's name if None.

    Raises:
        HostCrashed: the Envoy ended by itself.
        HostHung: it did not start, answer or end in time.
        Blocked: it could not be started here.
    """
    cell.observer.note_unreplayed("an Envoy that is started outside the cell's own")
    use = ModuleUse(point, ModuleRef(module), name, config)
    tried = attempt(
        Path(cell.planned_host.host.binary),
        use,
        cell.folder / (folder or point.value),
        search_path=cell.modules_folder,
        upstream_port=cell.upstream_port,
    )
    match tried.ended:
        case AttemptEnd.CRASHED:
            raise HostCrashed(f"at extension point {point.value}: {tried.message}")
        case AttemptEnd.HUNG:
            raise HostHung(f"at extension point {point.value}: {tried.message}")
        case AttemptEnd.BLOCKED:
            raise Blocked(f"at extension point {point.value}: {tried.message}")
        case _:
            return tried
