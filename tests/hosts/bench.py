"""Runs functions as cases, each in a cell of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from dmconform.core.values import CellId, Relation
from dmconform.envoy.observer import UNOBSERVED, Observer
from dmconform.matrix.cell import Cell
from dmconform.matrix.plan import Plan
from dmconform.matrix.run_cell import CellResult, run_cell
from dmconform.spec.cells import PlannedCell


@dataclass(frozen=True)
class Bench:
    """A plan whose evidence is in a folder of the test's own."""

    plan: Plan
    upstream_port: int
    host: str
    relation: Relation = Relation.SUPPORTED
    sdk_minor: str = "1.39"

    def run(
        self,
        case: Callable[[Cell], None],
        *,
        name: str = "self/test",
        language: str = "cpp",
        observer: Observer = UNOBSERVED,
    ) -> CellResult:
        """What comes of a function as a case.

        Args:
            case: the function.
            name: of the case.
            language: of the probe.
            observer: is notified of what the case does.
        """
        return run_cell(self.plan, self.planned(name, language), self.upstream_port, case, observer)

    def planned(self, name: str = "self/test", language: str = "cpp") -> PlannedCell:
        """A cell of the host with the reference SDK of a language."""
        return PlannedCell(CellId(name, f"{language}@{self.sdk_minor}:reference", self.host), self.relation, "for a test")

    def with_plan(self, **changes: object) -> Bench:
        """The same with some fields of its plan changed."""
        return replace(self, plan=msgspec.structs.replace(self.plan, **changes))

    def evidence(self, result: CellResult) -> Path:
        """The folder with the evidence of a cell."""
        assert result.evidence is not None, f"expected evidence to be kept: {result}"
        return Path(self.plan.evidence_folder) / result.evidence
