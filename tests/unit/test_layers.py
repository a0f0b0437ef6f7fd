"""Rooms import downwards only: a contract in pyproject.toml says so, the guide prints it, and a wrong import fails it."""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
from pathlib import Path

from dmconform.core import paths
from dmconform.core.process import run_program

from tests.checkout import ROOT

LINT_S = 120.0


def test_a_wrong_import_fails_the_contract(tmp_path: Path) -> None:
    shutil.copytree(paths.PACKAGE, tmp_path / "dmconform", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {"PYTHONPATH": str(tmp_path)}
    sound = run_program(command, timeout_s=LINT_S, cwd=tmp_path, env=environment)
    assert sound.exit_code == 0, sound.output
    with (tmp_path / "dmconform" / "core" / "errors.py").open("a") as file:
        # Inside a function: such an import counts as well.
        file.write("\n\ndef wrong() -> None:\n    from dmconform.cli import main\n\n    print(main)\n")
    broken = run_program(command, timeout_s=LINT_S, cwd=tmp_path, env=environment)
    assert broken.exit_code == 1, broken.output
    assert "dmconform.core.errors -> dmconform.cli.main" in broken.output


def test_the_guide_prints_the_same_levels() -> None:
    (contract,) = (
        one
        for one in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
        if one["type"] == "layers"
    )
    levels = [{room.strip() for room in layer.split("|")} for layer in reversed(contract["layers"])]
    rows = re.findall(r"(?m)^\| (\d+) \| `([a-z_]+)/` \|", (ROOT / "docs" / "architecture.md").read_text())
    printed: dict[int, set[str]] = {}
    for number, room in rows:
        printed.setdefault(int(number), set()).add(room)
    assert [printed[number] for number in sorted(printed)] == levels
