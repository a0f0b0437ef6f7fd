"""Lints workflows, actions and scripts with actionlint and shellcheck, and checks of the workflows what these do not."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from dmconform.core import paths
from dmconform.core.process import run_program
from dmconform.spec.steps import load_steps

from tests.checkout import ROOT
from tests.workflow_files import ACTIONS, TIMEOUT_S, WORKFLOWS, own_program, read_yaml, run_go, scripts

SCRIPTS = {
    ROOT / "toxw": "sh",
    ROOT / "dmconform": "sh",
    ROOT / "requirements" / "environment.sh": "sh",
    ROOT / ".ci" / "run": "bash",
    ROOT / ".github" / "actions" / "check-module" / "allow-sandbox.sh": "bash",
}
"""What people and CI start first."""
BUILD_SCRIPTS = tuple(
    path
    for path in sorted((ROOT / "sdks").glob("*/*"))
    if path.is_file() and (path.suffix == ".sh" or path.read_bytes().startswith(b"#!/bin/sh"))
)
"""What runs in the container of builds: only its errors count, as it takes variables and files from there."""
# In GitHub's documents, and not in the newest actionlint: https://docs.github.com/en/actions/reference/workflows-and-actions/contexts
NOT_KNOWN_YET = r'property "workflow_(repository|sha)" is not defined in object type \{(\w+: number; )*container: '
_USES = re.compile(r"^\s*-?\s*uses:\s*(?P<what>\S+)", re.MULTILINE)
_PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


def actionlint(files: tuple[Path, ...]) -> str:
    """What actionlint has to say of workflows, and shellcheck of their scripts; empty where nothing."""
    options = ("-no-color", f"-shellcheck={own_program('shellcheck')}", "-pyflakes=", f"-ignore={NOT_KNOWN_YET}")
    done = run_go("tool", "actionlint", *options, *files)
    return done.output.strip() if done.exit_code else ""


def shellcheck(path: Path, text: str, shell: str, severity: str = "style") -> str:
    """What shellcheck has to say of a script; empty where nothing. Expressions of GitHub's count as words.

    Args:
        path: the file that the script is in.
        text: the script.
        shell: what it is written for: "sh" or "bash".
        severity: the least one that counts: "error", "warning", "info" or "style".
    """
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as script:
        script.write(re.sub(r"\$\{\{.*?\}\}", "expression", text))
        script.flush()
        options = ("--norc", "--format=gcc", f"--shell={shell}", f"--severity={severity}")
        done = run_program([own_program("shellcheck"), *options, script.name], timeout_s=TIMEOUT_S)
    return f"{path}: {done.output.strip()}" if done.exit_code else ""


def inconsistencies(path: Path, text: str) -> list[str]:
    """What is wrong with a workflow or an action that actionlint does not look for."""
    found = [
        f"{path}: {use['what']} is not pinned to a commit"
        for use in _USES.finditer(text)
        if not use["what"].startswith("./") and not _PINNED.fullmatch(use["what"])
    ]
    if "jobs:" in text:
        jobs = text.split("\njobs:", 1)[1]
        bounded, run_on = jobs.count("timeout-minutes:"), jobs.count("runs-on:")
        if bounded < run_on:
            found.append(f"{path}: {run_on} jobs run on machines, {bounded} of them have timeout-minutes")
        if "\npermissions:" not in text:
            found.append(f"{path}: has no permissions of its own, and so the repository's default ones")
    return found


def all_inconsistencies() -> list[str]:
    """All that is wrong with the workflows, the actions, and the scripts that they and people start first."""
    found = [line for path in (*WORKFLOWS, *ACTIONS) for line in inconsistencies(path, path.read_text(encoding="utf-8"))]
    found += [actionlint(WORKFLOWS)]
    found += [shellcheck(path, text, shell) for path in ACTIONS for shell, text in scripts(read_yaml(path))]
    found += [shellcheck(path, path.read_text(encoding="utf-8"), shell) for path, shell in SCRIPTS.items()]
    found += [shellcheck(path, path.read_text(encoding="utf-8"), "sh", "error") for path in BUILD_SCRIPTS]
    found += [shellcheck(paths.STEPS_FILE, one.script, "sh") for one in load_steps(paths.STEPS_FILE).values()]
    return [line for line in found if line]


def main() -> int:
    """Returns an exit code."""
    found = all_inconsistencies()
    files = f"{len(WORKFLOWS)} workflows, {len(ACTIONS)} actions, {len(SCRIPTS) + len(BUILD_SCRIPTS)} scripts"
    print("\n".join(found) if found else f"{files}: nothing to say")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
