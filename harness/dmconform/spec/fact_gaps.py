"""Which cells have no fact on record."""

from __future__ import annotations

from dmconform.core.values import Provider
from dmconform.spec.catalogue import Catalogue
from dmconform.spec.cells import plan_cells
from dmconform.spec.facts import Facts, ends_by_chance


def gaps(catalogue: Catalogue, facts: Facts) -> dict[str, tuple[str, ...]]:
    """Returns the cells of the default hosts and the reference SDKs without a fact, by case."""
    sdks = [sdk for sdk in catalogue.sdks if sdk.id.provider is Provider.REFERENCE]
    hosts = [(host.release, host.version.minor) for host in catalogue.hosts if host.default]
    found: dict[str, list[str]] = {}
    for cell in plan_cells(catalogue.cases, sdks, hosts):
        if facts.of(cell.id.case, cell.id.sdk, cell.id.host) is None and not ends_by_chance(str(cell.id)):
            found.setdefault(cell.id.case, []).append(str(cell.id))
    return {case: tuple(cells) for case, cells in found.items()}
