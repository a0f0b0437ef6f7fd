"""What the project's data says of the host of a cell."""

from __future__ import annotations

from dmconform.abi.required_hooks import load_required_hooks
from dmconform.core import paths
from dmconform.core.extension_point import ExtensionPoint
from dmconform.hosts.catalogue import KnownHost, load_hosts
from dmconform.matrix.cell import Cell


def known_host(cell: Cell) -> KnownHost | None:
    """Returns the record of the cell's host; None where it is not a known release."""
    return next((one for one in load_hosts(paths.HOSTS_FILE) if one.release == cell.planned_host.host.id), None)


def required_hooks(cell: Cell, point: ExtensionPoint, *, per_route: bool = False) -> frozenset[str]:
    """Returns the hooks that the cell's host, or the measured one most like it, requires of a module, without their prefix.

    Args:
        cell: ends as not applicable where no host like its own was measured.
        point: the extension point that the module is used at.
        per_route: whether the module also has a configuration per route.
    """
    measured = load_required_hooks()
    release = measured.nearest(str(cell.planned_host.host.release))
    cell.needs(release is not None, "which hooks this host requires was never measured (dmconform abi hooks)")
    return frozenset(measured.required(str(release), point, per_route=per_route))
