"""The linter of workflows finds what it is for, and the workflows run what tox runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.paths import PROJECT
from tests.lint_workflows import actionlint, complaints

WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((PROJECT / ".github" / "actions").glob("*/action.yml"))
GOOD = (PROJECT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")

WRONG = [
    (r"@[0-9a-f]{40} # v4.2.2", "@v4", "is not pinned to a commit"),
    (r"    timeout-minutes: 90\n", "", "1 jobs run on machines, 0 of them have timeout-minutes"),
    (r"permissions:\n  contents: read\n", "", "has no permissions"),
]


@pytest.mark.parametrize(("pattern", "text", "said"), WRONG)
def test_what_actionlint_does_not_look_for(pattern: str, text: str, said: str) -> None:
    wrong = re.sub(pattern, text, GOOD, count=1)
    assert wrong != GOOD
    assert complaints(Path("w.yml"), GOOD) == []
    assert any(said in line for line in complaints(Path("w.yml"), wrong))


def test_actionlint_really_looks(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(GOOD.replace("runs-on: ubuntu-24.04", "runs-on: ${{ nothing.there }}"), encoding="utf-8")
    assert 'undefined variable "nothing"' in actionlint([wrong])


def test_the_workflows_are_clean() -> None:
    assert WORKFLOWS
    assert [line for path in (*WORKFLOWS, *ACTIONS) for line in complaints(path, path.read_text(encoding="utf-8"))] == []
    assert actionlint(WORKFLOWS) == ""


def test_every_command_of_the_suite_goes_through_tox() -> None:
    """So that each step can be run by hand, on any machine."""
    for path in (*WORKFLOWS, *ACTIONS):
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        lines = [line for line in lines if not line.startswith(("#", "description:"))]
        calls = [line for line in lines if re.search(r"\bdmconform\b (--|run|check|diff|gate|merge|page|plan)", line)]
        assert all("./toxw " in line and " -e dmconform -- " in line for line in calls), (path, calls)
