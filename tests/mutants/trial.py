"""One cell on a host that the interposer is preloaded into, and what of its result counts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
from dmconform.core.timeouts import CELL_S
from dmconform.core.values import CellId, Outcome, Relation
from dmconform.core.waiting import bounded
from dmconform.envoy.launch import Launch
from dmconform.envoy.outcomes import Blocked
from dmconform.matrix.cell import Cell
from dmconform.matrix.plan import Plan
from dmconform.matrix.run_cell import run_cell
from dmconform.spec.cases import CaseFunction
from dmconform.spec.cells import PlannedCell
from dmconform.spec.expectations import KnownFailure

_REACHED: Final = "reached"
_LONGEST: Final = 300  # characters of a detail
_VARIES: Final = "\0"  # the value of a fact that does not count


@dataclass(frozen=True)
class Seen:
    """What counts of a cell's result: a mutant is noticed where it differs."""

    outcome: str  # with the record of known failures that it fits
    detail: str
    verdict: str  # on the ABI string
    load: str  # of the probe
    facts: Mapping[str, str]
    is_reached: bool  # whether the mutant did something else than the host would
    is_verdict: bool
    is_expected: bool  # it passes, is not applicable, or fails as a record says

    def differs_from(self, control: Seen) -> str | None:
        """In what a mutant's cell differs from the control's, in words; None where it does not."""
        for name in ("outcome", "verdict", "load"):
            was, now = getattr(control, name), getattr(self, name)
            if was != now:
                what = {"verdict": "ABI verdict", "load": "probe"}.get(name, name)
                return f"{what} {now} instead of {was}" + (f": {self.detail}" if name == "outcome" else "")
        for name in sorted({*control.facts, *self.facts}):
            was, now = control.facts.get(name, "none"), self.facts.get(name, "none")
            if was not in (now, _VARIES):
                return f"fact {name!r} {now[:_LONGEST]!r} instead of {was[:_LONGEST]!r}"
        return None

    def or_again(self, other: Seen) -> Seen:
        """The same, where facts that another run of the same cell has otherwise do not count."""
        facts = {
            name: value if other.facts.get(name) == value else _VARIES for name, value in {**other.facts, **self.facts}.items()
        }
        return replace(self, facts=facts, is_expected=self.is_expected and self.outcome == other.outcome)


@contextlib.contextmanager
def preloaded(library: Path, mutant: str | None, reached: Path) -> Iterator[None]:
    """Starts all Envoys of the block with the interposer, and as this mutant if there is one."""
    plain = Launch.full_environment
    more = {"LD_PRELOAD": str(library)}
    if mutant is not None:
        more |= {"DMCONFORM_MUTANT": mutant, "DMCONFORM_MUTANT_REACHED": str(reached)}

    def full_environment(self: Launch, folder: Path) -> dict[str, str]:
        return {**plain(self, folder), **more}

    Launch.full_environment = full_environment  # type: ignore[method-assign]
    try:
        yield
    finally:
        Launch.full_environment = plain  # type: ignore[method-assign]


@dataclass(frozen=True)
class Bench:
    """Everything that cells need: a plan, a server behind the Envoys, the interposer and the known failures."""

    plan: Plan
    upstream_port: int
    library: Path
    known: tuple[KnownFailure, ...]

    def run(self, case: str, function: CaseFunction, sdk: str, host: str, *, mutant: str | None, folder: Path) -> Seen:
        """Runs a case in a cell.

        Args:
            case: its id.
            function: the case.
            sdk: the id of the SDK.
            host: the id of the host.
            mutant: what the interposer is given; None for the control.
            folder: an empty one, for the evidence.
        """
        plan = msgspec.structs.replace(self.plan, evidence_folder=str(folder), keep_evidence=True)
        overdue = Blocked(f"the cell is not done after {CELL_S:g} s, though no wait in it was that long")

        def in_time(cell: Cell) -> None:
            with bounded(CELL_S, overdue):
                function(cell)

        # As a supported cell: one that is not may take its result from another cell of a run.
        planned = PlannedCell(CellId(case, sdk, host), Relation.SUPPORTED, "for a mutant")
        with preloaded(self.library, mutant, folder / _REACHED):
            result = run_cell(plan, planned, self.upstream_port, in_time)
        record = next((one for one in self.known if one.covers(str(result.id))), None)
        fits = record is not None and record.fits(result.outcome, result.detail)
        here = str(folder / planned.id.folder)
        return Seen(
            f"{result.outcome.value}, as {record.id}" if fits and record is not None else result.outcome.value,
            result.detail[:_LONGEST],
            result.abi_verdict.value,
            str(result.probe_load.load),
            {name: value.replace(here, "…") for name, value in result.facts.items()},
            (folder / _REACHED).exists(),
            result.outcome.is_verdict,
            self._is_expected(planned.id, result.outcome, fits if record is not None else None),
        )

    def _is_expected(self, cell: CellId, outcome: Outcome, as_known: bool | None) -> bool:
        """Whether a cell may end so without a mutant; `as_known` where a known failure is recorded for it."""
        if as_known is not None or outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE):
            return as_known is not False
        relation = next((one.relation for one in self.plan.cells if one.id == cell), None)
        return outcome.is_verdict and relation not in (None, Relation.SUPPORTED)
