"""What became of the mutants: who noticed which, the score of each area, and the survivors."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from dmconform.spec.mutation_score import AreaScore

from tests.mutants.catalogue import Mutant


class Fate(enum.Enum):
    """What became of a mutant on a host."""

    NOTICED = "noticed"
    SURVIVED = "survived"
    UNTRIED = "untried"  # none of its cases is applicable on the host
    ERROR = "error"  # its cells could not be run


@dataclass
class Tried:
    """A mutant on one host."""

    mutant: Mutant
    host: str
    fate: Fate = Fate.UNTRIED
    case: str = ""  # that noticed it, or the last one tried
    how: str = ""
    tried: list[str] = field(default_factory=list)
    is_reached: bool = False
    others: dict[str, str] = field(default_factory=dict)  # further cases that notice a survivor, and how

    def as_data(self) -> dict[str, Any]:
        """What `--json` prints of it."""
        return {
            "id": self.mutant.id,
            "area": self.mutant.area,
            "host": self.host,
            "fate": self.fate.value,
            "case": self.case,
            "how": self.how,
            "tried": self.tried,
            "reached": self.is_reached,
            "others": self.others,
        }


def scores(mutants: Sequence[Mutant], tried: Sequence[Tried]) -> tuple[AreaScore, ...]:
    """The score of each area, in order.

    Args:
        mutants: the selected ones, equivalent ones included.
        tried: each mutant that counts, on each host.
    """
    bad = {one.mutant.id for one in tried if one.fate in (Fate.SURVIVED, Fate.ERROR)}
    good = {one.mutant.id for one in tried if one.fate is Fate.NOTICED} - bad
    found = []
    for area in sorted({one.area for one in mutants}):
        counting = [one for one in mutants if one.area == area and one.equivalent is None]
        equivalent = sum(one.area == area and one.equivalent is not None for one in mutants)
        found.append(AreaScore(area, sum(one.id in good for one in counting), len(counting), equivalent))
    return tuple(found)


def table(found: Sequence[AreaScore]) -> Iterator[str]:
    """The lines of the table of scores."""
    width = max(len(one.area) for one in found)
    yield f"{'area':<{width}}  noticed   of  equivalent"
    for one in found:
        yield f"{one.area:<{width}}  {one.noticed:7}  {one.total:3}  {one.equivalent:10}"
    total = [sum(getattr(one, name) for one in found) for name in ("noticed", "total", "equivalent")]
    yield f"{'all':<{width}}  {total[0]:7}  {total[1]:3}  {total[2]:10}"


def untried(tried: Sequence[Tried]) -> list[Mutant]:
    """The mutants that no host of the selection tries, though one concerns them."""
    names = {one.mutant.id for one in tried if one.fate is not Fate.UNTRIED}
    return list({one.mutant.id: one.mutant for one in tried if one.mutant.id not in names}.values())
