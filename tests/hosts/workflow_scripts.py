"""Runs the scripts of workflows as they are, by bash, in a clone of the suite. Nothing stands for GitHub but its variables.

Expressions are not evaluated: the test gives the variables of a script their values. What GitHub does around the scripts, such
as conditions and artifacts, is checked by actionlint alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.checkout import ROOT
from tests.hosts.project import Done, Project
from tests.workflow_files import Node, read_yaml

STEP_S = 300.0
COMMITTED = (".gitignore", ".github", "dmconform", "requirements")
ENVIRONMENT = "{ cat requirements/run.txt && pwd -P; } | cksum >.venv-dmconform/made-from"
GIT = "git init -q && git add -A && git -c user.name=Somebody -c user.email=somebody@example.com commit -q -m Suite"
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
"""How GitHub runs a script with `shell: bash`."""


def clone(folder: Path) -> Path:
    """A clone of the suite, whose `./dmconform` finds its environment made: that of the tests."""
    Project.copy(folder)
    for name in COMMITTED:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy2)(ROOT / name, folder / name)
    python = folder / ".venv-dmconform" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    subprocess.run([*BASH, f"{ENVIRONMENT} && {GIT}"], cwd=folder, check=True, timeout=STEP_S)
    return folder


def script(file: Path, name: str) -> tuple[str, set[str]]:
    """The script with a name or id in a workflow or an action, and the variables that it is given."""
    content = read_yaml(file)
    jobs: dict[str, Node] = content.get("jobs") or {"": content["runs"]}
    steps = [step for job in jobs.values() for step in job.get("steps", ())]
    (step,) = [step for step in steps if "run" in step and name in (step.get("name"), step.get("id"))]
    assert step.get("shell", content.get("defaults", {}).get("run", {}).get("shell")) == "bash", step
    return step["run"], set(step.get("env", ()))


def run(file: Path, name: str, folder: Path, github: Mapping[str, str], **values: str) -> Done:
    """Runs a script of a workflow or an action.

    Args:
        file: the workflow or the action.
        name: name or id of the step.
        folder: where it runs.
        github: variables that every step has, and those of the machine.
        values: the step's own variables.
    """
    text, declared = script(file, name)
    assert declared == values.keys(), f"expected the variables that the step declares: {sorted(declared)}"
    done = subprocess.run(
        [*BASH, text],
        cwd=folder,
        env={**os.environ, **github, **values},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=STEP_S,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)
