"""Starts an Envoy of a cell with modules at any extension point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.shapes import SHAPES, available
from dmconform.envoy.extension_points.use import ModuleUse
from dmconform.matrix.cell import Cell


def start_at_point(
    cell: Cell,
    *uses: ModuleUse,
    alter: Callable[[Draft], None] | None = None,
    clusters: Mapping[str, int] | None = None,
) -> Envoy:
    """Starts an Envoy that has modules at extension points, whether it accepts them or not.

    Args:
        cell: ends as not applicable where its host lacks one of the points.
        *uses: the modules, which are in the cell's folder of modules.
        alter: changes the configuration once the modules are in it.
        clusters: ports on loopback of further clusters, by name.
    """
    draft = Draft.plain(cell.folder, cell.upstream_port)
    for use in uses:
        shape = SHAPES[use.point]
        cell.needs(available(use.point, cell.host_minor), f"this host has no extension point {use.point.value}")
        assert shape.apply is not None, f"expected an extension point that a configuration reaches: {shape.reason}"
        shape.apply(draft, use)
    if alter is not None:
        alter(draft)

    def bootstrap(message: dict[str, Any]) -> None:
        """Keeps what is this Envoy's own: where its listeners come from, and its further clusters."""
        own, more = message["dynamic_resources"]["lds_config"], message["static_resources"]["clusters"][1:]
        message.clear()
        message.update(draft.bootstrap)
        message["dynamic_resources"]["lds_config"] = own
        message["static_resources"]["clusters"] += more

    return cell.start_anyhow(*draft.written(), search_path=cell.modules_folder, alter=bootstrap, clusters=clusters)
