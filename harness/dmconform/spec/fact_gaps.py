"""Which cells have no fact on record, and of which none is ever kept."""

from __future__ import annotations

from collections.abc import Iterator

from dmconform.core.values import Provider
from dmconform.spec.catalogue import Catalogue
from dmconform.spec.cells import PlannedCell, plan_cells
from dmconform.spec.facts import Facts, chance_of


def gaps(catalogue: Catalogue, facts: Facts) -> dict[str, tuple[str, ...]]:
    """Returns the cells of the default hosts and the reference SDKs without a fact, by case."""
    found: dict[str, list[str]] = {}
    for cell in _cells(catalogue):
        if facts.of(cell.id.case, cell.id.sdk, cell.id.host) is None and chance_of(str(cell.id)) is None:
            found.setdefault(cell.id.case, []).append(str(cell.id))
    return {case: tuple(cells) for case, cells in found.items()}


def never_compared(catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """Returns those of the same cells that are no gap, as their end is not the same in every run, by the reason."""
    found: dict[str, list[str]] = {}
    for cell in _cells(catalogue):
        reason = chance_of(str(cell.id))
        if reason is not None:
            found.setdefault(reason, []).append(str(cell.id))
    return {reason: tuple(cells) for reason, cells in found.items()}


def _cells(catalogue: Catalogue) -> Iterator[PlannedCell]:
    """Yields the cells of the default hosts and the reference SDKs."""
    sdks = [sdk for sdk in catalogue.sdks if sdk.id.provider is Provider.REFERENCE]
    hosts = [(host.release, host.version.minor) for host in catalogue.hosts if host.default]
    yield from plan_cells(catalogue.cases, sdks, hosts)
