"""The script that proposes newer pins, by bash, with a repository on this machine in the place of GitHub's."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests.hosts.project import Done
from tests.hosts.workflow_scripts import run
from tests.local_git import git
from tests.workflow_files import FOLDER

RENEW = FOLDER / "workflows" / "renew.yml"
GH = """\
#!/bin/sh
echo "$*" >>"$FORGE/calls"
case "$1 $2" in
"pr list") cat "$FORGE/proposals" ;;
esac
"""
"""Stands for GitHub's command line: logs what it is asked for. `proposals` has the number of those that are open."""


@pytest.fixture
def forge(tmp_path: Path) -> Path:
    """A folder with a repository, and GitHub's command line."""
    folder = tmp_path / "forge"
    folder.mkdir()
    git(folder, "init", "--quiet", "--bare", "origin")
    (folder / "pushed-to").symlink_to("origin")
    (folder / "gh").write_text(GH)
    (folder / "gh").chmod(0o755)
    (folder / "proposals").write_text("0")
    work = tmp_path / "work"
    git(tmp_path, "clone", "--quiet", str(folder / "origin"), "work")
    (work / "pins.txt").write_text("msgspec==0.22.0\n")
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--message", "All")
    git(work, "push", "--quiet", "origin", "HEAD:main")
    return folder


def propose(forge: Path, pin: str) -> Done:
    """Runs the script in a clone of the main branch where the pins are as given."""
    with tempfile.TemporaryDirectory(dir=forge.parent) as scratch:
        work = Path(scratch, "work")
        git(forge, "clone", "--quiet", "--branch", "main", str(forge / "origin"), str(work))
        (work / "pins.txt").write_text(f"{pin}\n")
        git(work, "remote", "set-url", "origin", str(forge / "pushed-to"))
        github = {"PATH": f"{forge}:{os.environ['PATH']}", "FORGE": str(forge), "RUNNER_TEMP": str(forge)}
        return run(RENEW, "Propose what differs", work, github, GH_TOKEN="a-token", BASE="main")


def calls(forge: Path) -> list[str]:
    """What GitHub was asked for, in order; the first two words of each."""
    asked = forge / "calls"
    return [" ".join(line.split()[:2]) for line in asked.read_text().splitlines()] if asked.exists() else []


def proposed(forge: Path) -> str:
    """The pins of the branch that is proposed."""
    return git(forge / "origin", "show", "renew-pins:pins.txt")


def test_nothing_newer_proposes_nothing(forge: Path) -> None:
    done = propose(forge, "msgspec==0.22.0")
    assert done.exit_code == 0, done
    assert calls(forge) == []
    assert git(forge / "origin", "branch", "--list", "renew-pins") == ""


def test_newer_pins_are_one_pull_request_that_is_tested(forge: Path) -> None:
    done = propose(forge, "msgspec==0.23.0")
    assert done.exit_code == 0, done
    assert calls(forge) == ["auth setup-git", "workflow run", "pr list", "pr create"]
    assert proposed(forge) == "msgspec==0.23.0"

    (forge / "proposals").write_text("1")  # it is still open a week later
    done = propose(forge, "msgspec==0.24.0")
    assert done.exit_code == 0, done
    assert calls(forge)[4:] == ["auth setup-git", "workflow run", "pr list", "pr edit"]
    assert proposed(forge) == "msgspec==0.24.0"
    assert git(forge / "origin", "rev-list", "--count", "main..renew-pins") == "1", "expected it to begin at the main branch"


def test_a_push_that_fails_fails_the_job(forge: Path) -> None:
    (forge / "pushed-to").unlink()
    assert propose(forge, "msgspec==0.23.0").exit_code != 0
    assert "pr create" not in calls(forge)
