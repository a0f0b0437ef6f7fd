"""Lints the workflows of GitHub Actions with actionlint, and checks what it does not: pinned actions, bounded jobs."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from harness import paths
from harness.process import find_program, run_program

FOLDER = paths.PROJECT / ".github"
TOOL = paths.PROJECT / "tests" / "workflows"  # go.mod and go.sum: actionlint's version, by hash
TIMEOUT_S = 900.0  # the first time it is downloaded and compiled
_USES = re.compile(r"^\s*-?\s*uses:\s*(?P<what>\S+)", re.MULTILINE)
_PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


def go() -> str:
    """The Go command: that of the tests' own requirements, else the machine's."""
    own = Path(sys.executable).with_name("go")
    found = str(own) if own.exists() else find_program("go")
    if found is None:
        sys.exit("lint_workflows: there is no Go; it comes with requirements/tests.txt: ./toxw -e lint")
    return found


def actionlint(files: list[Path]) -> str:
    """What actionlint has to say of workflows; empty where nothing."""
    cache = paths.cache_folder() / "go"
    environment = {
        "GOFLAGS": "-mod=readonly -modcacherw",
        "GOTOOLCHAIN": "local",
        "GOCACHE": str(cache / "build"),
        "GOMODCACHE": str(cache / "modules"),
        "HOME": os.environ.get("HOME", str(cache)),
    }
    command: list[str | Path] = [go(), "tool", "actionlint", "-no-color", "-shellcheck=", "-pyflakes=", *files]
    done = run_program(command, timeout_s=TIMEOUT_S, env=environment, cwd=TOOL)
    return done.output.strip() if done.exit_code else ""


def complaints(path: Path, text: str) -> list[str]:
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


def main() -> int:
    """Returns an exit code."""
    workflows = sorted((FOLDER / "workflows").glob("*.yml"))
    actions = sorted((FOLDER / "actions").glob("*/action.yml"))
    found = [line for path in (*workflows, *actions) for line in complaints(path, path.read_text(encoding="utf-8"))]
    said = actionlint(workflows)
    found += [said] if said else []
    print("\n".join(found) if found else f"{len(workflows)} workflows, {len(actions)} actions: nothing to say")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
