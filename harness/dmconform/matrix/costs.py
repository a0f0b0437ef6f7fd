"""What cells cost: `conformance/costs.json`, measured medians, written by `dmconform plan --measure REPORT`."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from pathlib import Path

import msgspec

from dmconform.core import paths
from dmconform.core.datafile import load_json
from dmconform.report.schema import Report

FILE = paths.CONFORMANCE / "costs.json"


class Costs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds by case: the median of its cells that ran. Only their ratios matter, so the machine does not."""

    measured: str  # when, and on what
    seconds: dict[str, float]

    def of(self, case: str) -> float:
        """Returns the cost of a cell of this case; of a case that was never measured, the median of all."""
        found = self.seconds.get(case)
        return found if found is not None else statistics.median(self.seconds.values())


def load_costs(path: Path = FILE) -> Costs:
    """Reads the file.

    Raises:
        DataFileError: it is not of its format.
    """
    return load_json(path, Costs)


def measure(report: Report) -> Costs:
    """Returns the costs that a report shows, to a millisecond."""
    found: dict[str, list[float]] = {}
    for cell in report.cells:
        if cell.outcome.is_verdict:
            found.setdefault(cell.case, []).append(cell.duration_s)
    where = f"{report.environment.cpus} processors, {report.started_at}, suite {report.environment.suite_commit[:12]}"
    return Costs(where, {case: max(round(statistics.median(seconds), 3), 0.001) for case, seconds in sorted(found.items())})


def write_costs(costs: Costs, path: Path = FILE) -> None:
    """Writes the file."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(costs), indent=1) + b"\n")


def total(cases: Iterable[str], costs: Costs) -> float:
    """Returns the cost of cells, given by their cases, in seconds of one worker."""
    return sum(costs.of(case) for case in cases)
