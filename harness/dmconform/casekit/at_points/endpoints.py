"""Other endpoints for the cluster of a running Envoy whose endpoints come by discovery."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

from dmconform.core.timeouts import CONFIG_UPDATE_S
from dmconform.core.waiting import poll
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.discovered_endpoints import Endpoint, write_endpoints
from dmconform.matrix.cell import Cell

CLUSTER = "cluster.upstream"
_UPDATES = f"{CLUSTER}.update_success"
_VERSIONS = itertools.count(2)


def endpoints_file(cell: Cell) -> Path:
    """Returns the file by which the endpoints of the cell's cluster come."""
    return cell.folder / "endpoints.json"


def bring_endpoints(cell: Cell, envoy: Envoy, *endpoints: Endpoint) -> None:
    """Replaces the endpoints of the cluster, and waits until the Envoy has taken them."""
    cell.observer.note_unreplayed("endpoints that come by discovery")
    before = envoy.statistic(_UPDATES)
    write_endpoints(endpoints_file(cell), "upstream", endpoints, next(_VERSIONS))
    taken = poll(lambda: envoy.statistic(_UPDATES) != before, CONFIG_UPDATE_S)
    envoy.check_alive("while it took endpoints")
    assert taken, f"expected other endpoints to be taken, {_UPDATES} is still {before}"


@contextlib.contextmanager
def endpoints_restored(cell: Cell, envoy: Envoy) -> Iterator[None]:
    """Lets a block bring other endpoints; afterwards there is the one that the cluster had at first."""
    yield
    bring_endpoints(cell, envoy, Endpoint(cell.upstream_port))
