"""Several machines, on this one: a run in shards, joined and judged, is the run that was never split."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from dmconform.cli.main import main
from dmconform.report.reading import read_report
from dmconform.report.schema import CellEntry, Report

pytestmark = pytest.mark.host
SELECTION = ("--sdk", "cpp@1.39:reference", "--sdk", "go@1.39:reference", "--host", "1.39.3", "--case", "window/*", "-n", "1")
POLICY = """\
title = "A part of the matrix"
question = "Does the window hold?"
subject = "sdk"
hosts = ["own"]
cases = ["window/*"]
[[allow]]
outcome = "not applicable"
reason = "the case says why"
"""


def run(folder: Path, *options: str) -> Report:
    """A run of the selection."""
    assert main(["run", *SELECTION, *options, "--out", str(folder)]) == 0
    return read_report(folder / "report.json")


def without_time(report: Report) -> tuple[tuple[CellEntry, ...], Report]:
    """What does not depend on when and how fast it ran. Facts of cells may be times and ports."""
    cells = tuple(msgspec.structs.replace(cell, duration_s=0.0, facts={}, waits={}) for cell in report.cells)
    timeless = msgspec.structs.replace(report, started_at="", duration_s=0.0, command="", cells=())
    return cells, timeless


def test_shards_joined_are_the_run_that_was_never_split(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    shards = [tmp_path / f"shard-{index}" for index in (1, 2, 3)]
    parts = [run(folder, "--shard", f"{index}/3") for index, folder in enumerate(shards, 1)]
    assert sum(len(part.cells) for part in parts) == len(whole.cells)
    assert all(part.cells for part in parts)

    joined = tmp_path / "joined"
    assert main(["merge", *map(str, shards[::-1]), "--out", str(joined)]) == 0
    assert without_time(read_report(joined / "report.json")) == without_time(whole)

    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY, encoding="utf-8")
    gate = ["--policy", str(policy), "--sdk", "cpp@1.39:reference"]
    assert main(["gate", str(joined / "report.json"), *gate]) == 0
    assert main(["gate", str(shards[0] / "report.json"), *gate]) == 4, "a shard is no base for a release"
    assert main(["diff", "--fail-on", "regression", str(tmp_path / "whole/report.json"), str(joined / "report.json")]) == 0
