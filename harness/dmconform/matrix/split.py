"""Splits a plan: the same on every machine, into parts of equal cost, each with as few SDK versions to build as possible."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

from dmconform.core.errors import UsageError
from dmconform.core.values import Relation
from dmconform.matrix.costs import Costs
from dmconform.report.schema import Shard
from dmconform.spec.cells import PlannedCell


def split(cells: Sequence[PlannedCell], count: int, costs: Costs) -> tuple[tuple[PlannedCell, ...], ...]:
    """Splits the cells into parts, in the order of shards; each part in the order of the plan.

    The cells are laid in a row, those of one SDK version side by side, and the row is cut into pieces of equal cost. So a part
    costs at most one cell more or less than its share.
    """
    row = sorted(cells, key=lambda one: (one.id.sdk, one.id.case, one.id.host))
    place = {str(one.id): number for number, one in enumerate(cells)}
    whole = sum(costs.of(one.id.case) for one in row)
    parts: list[list[PlannedCell]] = [[] for _ in range(count)]
    before = 0.0
    for one in row:
        cost = costs.of(one.id.case)
        parts[min(int((before + cost / 2) / whole * count), count - 1)].append(one)
        before += cost
    return tuple(tuple(sorted(part, key=lambda one: place[str(one.id)])) for part in parts)


def plan_hash(cells: Sequence[PlannedCell]) -> str:
    """Computes a hexadecimal SHA-256 of all cells and their relations, which differs between plans."""
    return hash_of((str(one.id), one.relation) for one in cells)


def hash_of(cells: Iterable[tuple[str, Relation]]) -> str:
    """Computes the same as `plan_hash`, of ids and relations."""
    lines = sorted(f"{cell} {relation.value}\n" for cell, relation in cells)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def shard_of(text: str, cells: Sequence[PlannedCell], costs: Costs) -> tuple[Shard, tuple[PlannedCell, ...]]:
    """Returns the shard that `2/4` names, and its cells.

    Raises:
        UsageError: it names none.
    """
    found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text)
    index, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= index <= count:
        raise UsageError(f"--shard {text}: expected INDEX/COUNT with INDEX from 1 to COUNT, such as 2/4")
    if count > len(cells):
        raise UsageError(f"--shard {text}: the selection has {len(cells)} cells only")
    return Shard(index, count, plan_hash(cells), len(cells)), split(cells, count, costs)[index - 1]
