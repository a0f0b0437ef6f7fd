"""What `dmconform diff` finds: the shape of its JSON output."""

from __future__ import annotations

import enum

import msgspec

from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.report.stability import Stability

SCHEMA_VERSION = 4


class ChangeKind(enum.Enum):
    """The change of a cell between two reports, by its answer: it holds, it fails, or it gives no answer."""

    CHANGED = "changed fact"  # not as on record of its release any more, whatever is promised
    REGRESSION = "regression"  # supported, passed, fails now
    FAILURE = "failure"  # supported, gave no answer, fails now
    REPAIR = "repair"  # failed, holds now
    LOST = "no answer any more"  # held or failed, did not run now, or does not apply
    ANSWERED = "answered now"  # gave no answer, holds now
    FACT = "fact changed"  # not supported, fails now and did not before
    REASON = "changed reason"  # fails as before, in another way
    NEW = "new"  # only in the new report
    GONE = "gone"  # only in the old one
    PROMISE = "promise changed"  # answers as before, but is supported in one of the two only


class CellSide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cell in one of the reports."""

    outcome: Outcome
    relation: Relation
    judgement: Judgement
    known_failure: str | None
    detail: str
    stability: Stability = Stability.UNKNOWN


class CellChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A changed cell. `old` or `new` is null where the cell is not in that report."""

    cell: str
    kind: ChangeKind
    old: CellSide | None
    new: CellSide | None
    same_module: bool | None  # whether both ran the same bytes; null: not known
    same_host: bool | None  # whether on the same binary
    reproduce: str


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the two reports."""

    started_at: str
    suite_version: str
    suite_commit: str
    complete: bool
    cells: int


class HostPair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two builds that are compared with one another, although their ids differ. Changes have the new id."""

    old: str
    new: str
    origin: str  # where the new one came from


class ReportComparison(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two reports, cell by cell."""

    schema_version: int
    old: Run
    new: Run
    unchanged: int
    changes: tuple[CellChange, ...]
    warnings: tuple[str, ...] = ()  # why the comparison says less than it seems to
    paired: tuple[HostPair, ...] = ()
    compared: int = 0  # cells that are in both

    def of(self, kind: ChangeKind) -> tuple[CellChange, ...]:
        """Returns the changes of one kind."""
        return tuple(one for one in self.changes if one.kind is kind)
