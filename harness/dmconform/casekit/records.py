"""What the project's data says of the host of a cell."""

from __future__ import annotations

from pathlib import Path

import msgspec

from dmconform.abi.required_hooks import load_required_hooks
from dmconform.core import paths
from dmconform.core.extension_point import ExtensionPoint
from dmconform.hosts.catalogue import KnownHost, load_hosts
from dmconform.matrix.cell import Cell


def known_host(cell: Cell) -> KnownHost | None:
    """Returns the record of the cell's host, or of the known release that its binary calls itself; None where there is none.

    What the host's own file shows takes the place of what is on record of the release.
    """
    planned = cell.planned_host
    record = next((one for one in load_hosts(paths.HOSTS_FILE) if one.release == planned.known_as), None)
    if record is None or planned.abi_version is None or planned.abi_check is None:
        return record
    return msgspec.structs.replace(
        record, abi_version=planned.abi_version, abi_check=planned.abi_check, static_modules=planned.static_modules
    )


def host_program(cell: Cell) -> Path:
    """Returns the file of the program that the cell's host is: another than its own where that is a script."""
    return Path(cell.planned_host.program or cell.planned_host.host.binary)


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
