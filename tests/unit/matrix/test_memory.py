"""A worker stays small, however many cells a plan has: a run has as many workers as the machine has processors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from dmconform.core import paths
from dmconform.core.values import CellId, Relation
from dmconform.matrix.cells import SMALL_HEAP
from dmconform.matrix.plan import Plan, write_plan
from dmconform.spec.catalogue import load_catalogue
from dmconform.spec.cells import PlannedCell

CELLS: Final = 7000  # of the default selection
LIMIT_BYTES: Final = 50 << 20  # it takes 40 MB; 72 as items of parametrized functions
COLLECTS: Final = """
import sys, pytest

class Look:
    def pytest_collection_finish(self, session):
        with open("/proc/self/smaps_rollup") as lines:
            private = [int(line.split()[1]) for line in lines if line.startswith("Private_")]
        print("collected", len(session.items), sum(private) << 10, "lief" in sys.modules)

sys.exit(pytest.main(sys.argv[1:], plugins=[Look()]))
"""


def plan_of(count: int, folder: Path) -> Path:
    cases = [case.id for case in load_catalogue().cases]
    ids = [CellId(case, f"cpp@1.{number}:reference", "1.39.3") for number in range(count // len(cases) + 1) for case in cases]
    cells = tuple(PlannedCell(one, Relation.UNSUPPORTED, f"{one.sdk} on {one.host}: outside") for one in ids[:count])
    return write_plan(Plan(str(folder), False, (), (), (), cells), folder)


def collected(plan: Path) -> tuple[int, int, bool]:
    """How many items a worker collects, the bytes that it has for itself then, and whether it has loaded LIEF."""
    words = [str(paths.CASES), f"--dm-plan={plan}", "-c", os.devnull, f"--rootdir={paths.DATA}", f"--confcutdir={paths.CASES}"]
    words += [
        "--import-mode=importlib",
        "-p",
        "dmconform.matrix.pytest_plugin",
        "-p",
        "no:cacheprovider",
        "--collect-only",
        "-q",
    ]
    environment = {**os.environ, **SMALL_HEAP, "PYTHONPATH": str(paths.IMPORT_ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", COLLECTS, *words], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    line = next((one for one in done.stdout.splitlines() if one.startswith("collected ")), None)
    assert line is not None, done.stdout[-2000:] + done.stderr[-2000:]
    _, count, private, with_lief = line.split()[:4]
    return int(count), int(private), with_lief == "True"


def test_a_worker_with_thousands_of_cells_is_small(tmp_path: Path) -> None:
    count, private, with_lief = collected(plan_of(CELLS, tmp_path))
    assert count == CELLS
    assert not with_lief, "expected what takes 60 MB to be used in a process of its own"
    assert private < LIMIT_BYTES, f"expected a worker to have less than {LIMIT_BYTES} bytes for itself, it has {private}"
