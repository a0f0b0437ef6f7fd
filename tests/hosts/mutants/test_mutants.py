"""The runner of mutants on a real Envoy: what is noticed, what survives, a control that is not green."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dmconform.core.errors import ExitCode
from dmconform.matrix.plan import Plan

from tests.built import HOST
from tests.mutants import main as runner
from tests.mutants.compiling import SOURCES, compiled

pytestmark = pytest.mark.host

MUTANT = """
[[mutant]]
id = "global-added"
breaks = "Every module is opened with RTLD_GLOBAL."
violates = "rtld.local_by_default"
operation = "flags"
arguments = { add = "GLOBAL" }
noticed_by = ["CASE"]
"""
NOTICES, DOES_NOT = "rtld/local_by_default", "window/local_reply"
TIMEOUT_S = 60.0


def run(tmp_path: Path, *cases: str, options: tuple[str, ...] = ()) -> int:
    """Runs the mutant, which these cases are expected to notice, on one host."""
    folder = tmp_path / "catalogue"
    folder.mkdir()
    (folder / "flags.toml").write_text(MUTANT.replace("CASE", '", "'.join(cases)), encoding="utf-8")
    return runner.main(["--catalogue", str(folder), "--host", HOST, "--keep", str(tmp_path / "kept"), *options])


@pytest.fixture(autouse=True)
def built(everything: Plan) -> Plan:
    """What the runner needs is in the cache."""
    return everything


def test_a_mutant_is_noticed_by_the_first_case_that_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = tmp_path / "answer.json"
    assert run(tmp_path, DOES_NOT, NOTICES, options=("--json", str(answer))) == ExitCode.OK
    (found,) = json.loads(answer.read_text(encoding="utf-8"))
    assert (found["fate"], found["case"], found["tried"]) == ("noticed", NOTICES, [DOES_NOT, NOTICES])
    assert "visible globally" in found["how"]
    printed = capsys.readouterr().out
    assert "control: 1 cells end as expected" in printed
    assert not list((tmp_path / "kept").glob("*")), "expected no evidence of what is noticed"


def test_a_survivor_fails_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, DOES_NOT) == ExitCode.FAIL
    printed = capsys.readouterr().out
    assert f"survived: global-added on {HOST}: Every module is opened with RTLD_GLOBAL." in printed
    assert f"expected to notice it: {DOES_NOT}" in printed
    assert "never did" not in printed, "expected the host to have done what the mutant changes"
    assert list((tmp_path / "kept" / "global-added" / HOST).rglob("run-again.sh")), "expected evidence to be kept"


def test_a_control_that_is_not_green_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With an interposer that always misbehaves nothing is tried."""
    sources = tmp_path / "sources"
    shutil.copytree(SOURCES, sources)
    core = sources / "core.c"
    named = 'const char *named = getenv("DMCONFORM_MUTANT");'
    text = core.read_text(encoding="utf-8")
    assert named in text
    core.write_text(text.replace(named, 'const char *named = "flags;add=GLOBAL";'), encoding="utf-8")
    monkeypatch.setattr(runner, "compiled", lambda folder: compiled(folder, sources))
    assert run(tmp_path, NOTICES) == ExitCode.ERROR
    problem = capsys.readouterr().err
    assert "expected these cells to pass without a mutant" in problem
    assert f"{NOTICES}/cpp@1.39:reference/{HOST}: fail" in problem


def test_a_program_that_is_no_envoy_is_left_alone(tmp_path: Path) -> None:
    library = compiled(tmp_path)
    reached = tmp_path / "reached"
    variables = {"LD_PRELOAD": str(library), "DMCONFORM_MUTANT": "end;code=77", "DMCONFORM_MUTANT_REACHED": str(reached)}
    command = [sys.executable, "-c", "print(1)"]
    done = subprocess.run(command, env={**os.environ, **variables}, timeout=TIMEOUT_S, check=False, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"1\n", b"")
    assert not reached.exists()
