"""The cells of a selection: every case with every SDK version on every host, and what the documents say of each."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from dmconform.core.errors import EmptySelection
from dmconform.core.values import CellId, Relation
from dmconform.core.versions import Minor
from dmconform.envoy.extension_points.shapes import available
from dmconform.sdks.catalogue import Sdk
from dmconform.spec.cases import Case
from dmconform.spec.promise import pair_relation


class PlannedCell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cell and the documents' promise for it."""

    id: CellId
    relation: Relation
    relation_reason: str
    promises: tuple[str, ...] = ()  # ids of those that cover it


def plan_cells(
    cases: Iterable[Case], sdks: Iterable[Sdk], hosts: Iterable[tuple[str, Minor]], *, everywhere: bool = False
) -> tuple[PlannedCell, ...]:
    """Returns every cell of the selection, ordered by case, SDK and host.

    Args:
        cases: the selected ones.
        sdks: the selected ones.
        hosts: each by its id and its minor.
        everywhere: all cases on all pairs of SDK and host; otherwise most only on those that the documents say something of.

    Raises:
        EmptySelection: there is none.
    """
    hosts = list(hosts)
    sdks = list(sdks)
    cells = []
    for case in cases:
        for sdk in sdks:
            for host_id, minor in hosts:
                if not case.declaration.runs_with(sdk.id, minor):
                    continue
                if not (case.declaration.says_where_not or is_there(case, sdk, minor)):
                    continue
                unsupported = pair_relation(sdk.id.minor, minor) is Relation.UNSUPPORTED
                if unsupported and not (everywhere or case.declaration.everywhere):
                    continue
                its = case.relation(sdk, minor)
                cells.append(PlannedCell(CellId(case.id, str(sdk.id), host_id), its.relation, its.reason, its.promises))
    if not cells:
        raise EmptySelection(
            "the selection has no cell: its cases do not run with its SDKs, or only with --everywhere on its hosts, "
            "of which the documents say nothing for these SDKs (dmconform list cells --everywhere)"
        )
    return tuple(cells)


def is_there(case: Case, sdk: Sdk, host: Minor) -> bool:
    """Returns whether the SDK and hosts of a minor have the extension point of a case; without one it is everywhere."""
    if case.point is None:
        return True
    since = sdk.points.get(case.point)
    return since is not None and since <= sdk.id.minor and available(case.point, host)
