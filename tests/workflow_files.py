"""Workflows and actions of GitHub's as data. What reads them is a Go program beside actionlint, whose YAML reader it shares."""

from __future__ import annotations

import functools
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from dmconform.core import paths
from dmconform.core.process import Finished, find_program, run_program

from tests.checkout import ROOT

FOLDER = ROOT / ".github"
WORKFLOWS = tuple(sorted((FOLDER / "workflows").glob("*.yml")))
ACTIONS = tuple(sorted((FOLDER / "actions").glob("*/action.yml")))
TOOLS = ROOT / "tests" / "workflows"  # go.mod and go.sum: versions by hash
TIMEOUT_S = 900.0  # the first time they are downloaded and compiled

Node = dict[str, Any]
"""A mapping of a file, as JSON has it."""


def own_program(name: str) -> str:
    """A program of the tests' own requirements, else of the machine."""
    own = Path(sys.executable).with_name(name)
    found = str(own) if own.exists() else find_program(name)
    if found is None:
        sys.exit(f"there is no {name}; it comes with requirements/tests.txt: ./toxw -e lint")
    return found


def run_go(*words: str | Path, folder: Path = TOOLS) -> Finished:
    """The Go command with these arguments, in the folder of the tools or a copy of it."""
    cache = paths.cache_folder() / "go"
    environment = {
        "GOFLAGS": "-mod=readonly -modcacherw",
        "GOTOOLCHAIN": "local",
        "GOCACHE": str(cache / "build"),
        "GOMODCACHE": str(cache / "modules"),
        "HOME": os.environ.get("HOME", str(cache)),
    }
    return run_program([own_program("go"), *words], timeout_s=TIMEOUT_S, env=environment, cwd=folder)


def read_yaml(path: Path) -> Node:
    """The content of a file."""
    return _parsed(path.read_text(encoding="utf-8"))


@functools.cache
def _parsed(text: str) -> Node:
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(text)
        file.flush()
        done = run_go("run", "./tojson", file.name)
    assert done.exit_code == 0, done.output
    content: Node = json.loads(done.output.splitlines()[-1])  # before it, Go may tell what it downloads
    return content


def scripts(content: Node) -> list[tuple[str, str]]:
    """Every script of a workflow or an action: the shell that it is for, and its text."""
    jobs: dict[str, Node] = content.get("jobs") or {"": content.get("runs", {})}
    default = content.get("defaults", {}).get("run", {}).get("shell", "bash")
    steps: list[Node] = [step for job in jobs.values() for step in job.get("steps", [])]
    return [(step.get("shell", default), step["run"]) for step in steps if "run" in step]
