"""The matrix of a selection, from nothing to a report."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmconform.core.clock import CommandStart
from dmconform.core.errors import UsageError
from dmconform.core.values import FactsLevel
from dmconform.matrix.execute import run_and_report
from dmconform.matrix.prepare import Selection, prepare
from dmconform.report.schema import Report
from dmconform.spec.catalogue import load_catalogue


def selection_of(arguments: argparse.Namespace) -> Selection:
    """Returns the selection that the options of `add_selectors` and `add_run_options` describe."""
    selected = tuple(arguments.host), tuple(arguments.sdk), tuple(arguments.case)
    level = FactsLevel(arguments.facts)
    return Selection(*selected, arguments.sdk_source, arguments.everywhere, facts=level)


def run_matrix(
    selection: Selection, folder: Path, workers: str, started: CommandStart, *, reruns: int, shard: str | None = None
) -> Report:
    """Builds what a run needs, runs its cells, and writes the report.

    Args:
        selection: what the command line asks for.
        folder: of the report, just made.
        workers: cells at once, or `auto`.
        started: when the command was.
        reruns: how often cells that count as a failure are run again, to see whether they end the same way.
        shard: `2/4`: only the second of four parts of equal cost.

    Raises:
        EmptySelection, UsageError: the selection is empty or makes no sense.
        HarnessError: something that every cell needs is not available.
    """
    catalogue = load_catalogue()
    if not workers.isdigit() and workers != "auto":
        raise UsageError(f"-n {workers}: expected a number, or auto")
    if reruns < 0:
        raise UsageError(f"--reruns {reruns}: expected 0 or more")
    prepared = prepare(catalogue, selection, folder, shard=shard)
    return run_and_report(catalogue, prepared, folder, workers, started, reruns)
