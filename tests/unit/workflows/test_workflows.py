"""The linter of workflows finds what it is for, and the workflows run what tox runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lint_workflows import BUILD_SCRIPTS, actionlint, all_inconsistencies, inconsistencies, shellcheck
from tests.workflow_files import ACTIONS, FOLDER, WORKFLOWS, read_yaml, scripts

GOOD = (FOLDER / "workflows" / "tests.yml").read_text(encoding="utf-8")

WRONG = [
    (r"@[0-9a-f]{40} # v[\d.]+", "@v4", "is not pinned to a commit"),
    (r"    timeout-minutes: 90\n", "", "1 jobs run on machines, 0 of them have timeout-minutes"),
    (r"permissions:\n  contents: read\n", "", "has no permissions"),
]


@pytest.mark.parametrize(("pattern", "text", "printed"), WRONG)
def test_what_actionlint_does_not_look_for(pattern: str, text: str, printed: str) -> None:
    wrong = re.sub(pattern, text, GOOD, count=1)
    assert wrong != GOOD
    assert inconsistencies(Path("w.yml"), GOOD) == []
    assert any(printed in line for line in inconsistencies(Path("w.yml"), wrong))


BROKEN = [
    ("runs-on: ubuntu-24.04", "runs-on: ${{ nothing.there }}", 'undefined variable "nothing"'),
    ("runs-on: ubuntu-24.04", "runs-on: ${{ job.workflow_nothing }}", "workflow_nothing"),
    ("run: ./toxw -e tests", "run: ./toxw -e $NAMES", "SC2086"),
    ("run: ./toxw -e tests", "run: echo ${{ github.event.head_commit.message }}", "potentially untrusted"),
    ("contents: read", "contents: reed", '"reed"'),
    ("jobs:", "jobs:\n  again: &\n", "could not parse"),
]


@pytest.mark.parametrize(("good", "bad", "printed"), BROKEN)
def test_actionlint_really_looks_and_shellcheck_with_it(tmp_path: Path, good: str, bad: str, printed: str) -> None:
    wrong = tmp_path / "wrong.yml"
    assert good in GOOD
    wrong.write_text(GOOD.replace(good, bad, 1), encoding="utf-8")
    assert printed in actionlint((wrong,))


def test_the_scripts_of_actions_are_looked_at_too() -> None:
    found = [(shell, text) for path in ACTIONS for shell, text in scripts(read_yaml(path))]
    assert ["dmconform" in text for _, text in found] == [False, False, True]
    assert "SC2086" in shellcheck(Path("a.yml"), "echo $one ${{ inputs.two }}", "bash")
    assert shellcheck(Path("a.yml"), 'echo "$HOME" ${{ inputs.two }}', "bash") == ""


def test_a_script_of_a_build_that_does_not_parse_is_found() -> None:
    assert {"build.sh", "flags.sh", "install", "warm-go"} <= {path.name for path in BUILD_SCRIPTS}
    text = BUILD_SCRIPTS[0].read_text(encoding="utf-8")
    assert shellcheck(Path("a.sh"), text, "sh", "error") == ""
    assert "SC1073" in shellcheck(Path("a.sh"), f"{text}if true; then\n", "sh", "error")


def test_the_workflows_are_clean() -> None:
    assert WORKFLOWS
    assert all_inconsistencies() == []


def test_a_script_is_a_command_of_the_tool() -> None:
    """So that each job can be run by hand, on any machine. Only what calls GitHub's own command line has logic of its own."""
    texts = [text for path in (*ACTIONS, *WORKFLOWS) for _, text in scripts(read_yaml(path))]
    command = re.compile(r'^(?:\./|"\$)(dmconform|toxw)"? ([^$]+?)(?= ["$]| --|$)', re.MULTILINE)
    called = [" ".join(found.groups()) for text in texts for found in command.finditer(text)]
    assert called == [
        *("dmconform check", "dmconform gate"),
        *("dmconform plan", "dmconform run", "dmconform merge reports/local/shards/*", "dmconform nightly"),
        "dmconform gate reports/local/whole",
        "toxw -e attack",
        "toxw -e foreign",
        "toxw -e fuzz",
        "toxw -e matrix",
        "toxw -e mutants",
        "toxw -e dmconform",
        "dmconform site reports/local/site reports/local/nights",
        "toxw -e dmconform",
        "toxw -e dmconform",
        "toxw -e renew",
        "toxw -e tests",
    ]
    logic = [text for text in texts if re.search(r"^\s*(if|for|while|case)\b", text, re.MULTILINE)]
    assert len(logic) == 4
    assert all(re.search(r"\bgh (run|issue|pr) ", text) for text in logic), logic


def test_no_expression_stands_in_a_script() -> None:
    """A value of somebody's would become code there; in `env` it stays a value."""
    assert [text for path in (*WORKFLOWS, *ACTIONS) for _, text in scripts(read_yaml(path)) if "${{" in text] == []


def test_calls_in_one_run_do_not_share_artifacts() -> None:
    """A name of an artifact can be taken once in a run, and the reusable workflow may be called twice."""
    jobs = read_yaml(FOLDER / "workflows" / "conformance.yml")["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    names = [step["with"].get("name", step["with"].get("pattern")) for step in steps if "-artifact@" in step.get("uses", "")]
    assert len(names) == 4
    assert all(name.startswith("${{ inputs.name }}-") for name in names), names
    calls = [job["with"]["name"] for job in read_yaml(FOLDER / "workflows" / "nightly.yml")["jobs"].values() if "uses" in job]
    assert len(set(calls)) == len(calls) == 2
