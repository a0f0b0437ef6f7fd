"""Renews the programs of npm that check the page's script, and the linter of workflows, which is a Go program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from dmconform.core.errors import HarnessError
from dmconform.core.process import find_program, run_ok, tail

from tests.renew.pins import PAGE, WORKFLOW_TOOLS
from tests.workflow_files import run_go

TIMEOUT_S: Final = 300.0
ACTIONLINT: Final = "github.com/rhysd/actionlint/cmd/actionlint@latest"


def renew_npm(root: Path) -> None:
    """Renews tests/page/package.json and its lock file in a checkout.

    Raises:
        HarnessError: there is no npm, or it fails.
    """
    npm = find_program("npm")
    if npm is None:
        raise HarnessError("there is no npm on PATH: ./toxw -e lint installs it")
    names = json.loads((root / PAGE / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    # The lock file alone: nothing is installed, and no package's own script is run.
    options = ("--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund", "--save-dev", "--save-exact")
    run_ok([npm, "install", *options, *(f"{name}@latest" for name in names)], TIMEOUT_S, "renew the page's tools", root / PAGE)


def renew_go(root: Path) -> None:
    """Renews tests/workflows/go.mod and go.sum in a checkout: actionlint, and what it asks for, at the versions that it names.

    Newer ones of these need not fit: actionlint 1.7.12 does not compile with the YAML reader after the one that it names.

    Raises:
        HarnessError: Go fails.
    """
    for words in (["get", "-tool", ACTIONLINT], ["mod", "tidy"]):
        done = run_go(*words, folder=root / WORKFLOW_TOOLS)
        if done.exit_code != 0:
            raise HarnessError(f"go {' '.join(words)}: exit code {done.exit_code}. {tail(done.output)}")
