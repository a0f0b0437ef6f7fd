"""The scripts of the workflows, seen working on real Envoys: two nights, the second of them worse; and a module's check."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from dmconform.check.result import Check, HostVerdict
from dmconform.core import paths
from dmconform.core.errors import ExitCode
from dmconform.core.values import Outcome
from dmconform.matrix.plan import Plan
from dmconform.sdks.store import StoredBuild

from tests.hosts.elf_patches import CRASH, changed_function
from tests.hosts.project import Done, report_in
from tests.hosts.workflow_scripts import clone, run
from tests.workflow_files import FOLDER

pytestmark = pytest.mark.host

CONFORMANCE = FOLDER / "workflows" / "conformance.yml"
NIGHTLY = FOLDER / "workflows" / "nightly.yml"
SDK = "cpp@1.39:reference"
HOST = "1.39.3"
SELECTION = {"SDK": SDK, "HOST": HOST, "CASE": "window/local_reply window/load*", "SDK_SOURCE": ""}
POLICY = """\
title = "A release of ours"
question = "Do two cases pass?"
subject = "sdk"
hosts = ["own"]
cases = ["window/local_reply", "window/loads"]
"""
FETCH = "Fetch the report of the newest earlier run"
GATE = f"--policy policy.toml\n--sdk {SDK}\n"
ON_REQUEST = "envoy_dynamic_module_on_http_filter_request_headers"
GH = """\
#!/bin/bash
echo "$*" >>"$FORGE/calls"
case "$1 $2" in
"api repos/me/suite") echo main ;;
"run list") jq -r "${!#}" "$FORGE/runs.json" ;;
"run download") cp -r "$FORGE/artifacts/$3-$7/." "${!#}" ;;
"issue create") cp "${!#}" "$FORGE/$6" ;;
*) exit 2 ;;
esac
"""
"""Stands for GitHub's command line: its options are logged, and its `--jq` is applied by jq."""


@dataclass(frozen=True)
class Machine:
    """A clone of the suite on a machine with a cache of its own, and the variables that GitHub sets."""

    suite: Path
    cache: Path
    forge: Path

    @property
    def github(self) -> dict[str, str]:
        """Variables for scripts."""
        return {
            "PATH": f"{self.forge}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.suite / "harness"),
            "DMCONFORM_CACHE": str(self.cache),
            "FORGE": str(self.forge),
            "GITHUB_OUTPUT": str(self.forge / "outputs"),
            "GITHUB_STEP_SUMMARY": str(self.forge / "summary.md"),
            "GITHUB_REPOSITORY": "me/suite",
            "GITHUB_RUN_ID": "7",
            "GITHUB_SERVER_URL": "https://forge.example",
            "GITHUB_WORKFLOW_REF": "me/suite/.github/workflows/nightly.yml@refs/heads/main",
            "RUNNER_TEMP": str(self.forge),
        }

    def conformance(self, name: str, **values: str) -> Done:
        """A script of conformance.yml, in the clone."""
        return run(CONFORMANCE, name, self.suite, self.github, **values)

    def output(self, name: str) -> str:
        """The newest output of a step with that name."""
        lines = [line.partition("=") for line in (self.forge / "outputs").read_text().splitlines()]
        return [value for key, _, value in lines if key == name][-1]

    def night(self) -> Done:
        """The scripts of a run, up to the comparison, of which the end is returned. Its report is in reports/local/whole."""
        shutil.rmtree(self.suite / "reports", ignore_errors=True)
        done = self.conformance("plan", SHARDS="2")
        assert done.exit_code == 0, done
        for shard in json.loads(self.output("shards"))["shard"]:
            done = self.conformance("Run the shard", SHARD=shard, **SELECTION)
            assert done.exit_code == 0, done
        for name, values in (("Join the shards", {}), (FETCH, {"GH_TOKEN": "a-token", "NAME": "nightly"})):
            done = self.conformance(name, **values)
            assert done.exit_code == 0, done
        return self.conformance("Compare and judge", NAME="nightly")


@pytest.fixture
def machine(everything: Plan, tmp_path: Path) -> Machine:
    """A machine whose cache is the real one, but that the modules of one SDK can be changed."""
    real, own, forge = paths.cache_folder(), tmp_path / "cache", tmp_path / "forge"
    (own / "modules").mkdir(parents=True)
    for one in real.iterdir():
        if one.name != "modules":
            (own / one.name).symlink_to(one)
    stored = module_of(everything).parent
    shutil.copytree(stored, own / "modules" / stored.name, copy_function=shutil.copyfile)
    forge.mkdir()
    (forge / "gh").write_text(GH)
    (forge / "gh").chmod(0o755)
    (forge / "runs.json").write_text("[]")
    return Machine(clone(tmp_path / "suite"), own, forge)


def module_of(plan: Plan) -> Path:
    """The probe in the machine's cache."""
    return next(Path(sdk.modules["probe"].path) for sdk in plan.sdks if sdk.id == SDK)


def crashes_from_now_on(plan: Plan, cache: Path) -> None:
    """The SDK's modules are built otherwise overnight: the first request ends the host."""
    probe = module_of(plan)
    target = cache / "modules" / probe.parent.name / probe.name
    changed_function(probe, target, ON_REQUEST, CRASH)
    record = target.with_name("build.json")
    stored = msgspec.json.decode(record.read_bytes(), type=StoredBuild)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    modules = tuple(msgspec.structs.replace(one, sha256=digest) if one.name == "probe" else one for one in stored.modules)
    record.write_bytes(msgspec.json.encode(msgspec.structs.replace(stored, modules=modules)))


def test_two_nights(everything: Plan, machine: Machine, tmp_path: Path) -> None:
    whole, forge = machine.suite / "reports" / "local" / "whole", machine.forge
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    gate = GATE.replace("policy.toml", str(policy))

    done = machine.night()
    assert (done.exit_code, machine.output("regressed")) == (ExitCode.OK, "false"), done
    assert "no earlier night" in done.printed
    first = report_in(whole)
    assert {cell.outcome for cell in first.cells} == {Outcome.PASS}
    assert {cell.case for cell in first.cells} == {"window/local_reply", "window/loads"}, (
        "expected each word of an input to count"
    )
    assert not first.environment.suite_commit.endswith("+changes"), "expected what the scripts write not to change the suite"
    assert not (whole / "changes.md").exists()
    done = machine.conformance("Gate", GATE=gate)
    assert done.exit_code == ExitCode.OK, done

    # The newest runs: one whose branch somebody's fork has called main, and one that ended before it had a report.
    shutil.copytree(whole, forge / "artifacts" / "1-nightly-report")
    (forge / "artifacts" / "3-nightly-report").mkdir()
    (forge / "artifacts" / "3-nightly-report" / "report.json").write_text("not a report")
    runs = [
        {"databaseId": 3, "event": "pull_request"},
        {"databaseId": 2, "event": "push"},
        {"databaseId": 1, "event": "schedule"},
    ]
    (forge / "runs.json").write_text(json.dumps(runs))

    crashes_from_now_on(everything, machine.cache)
    done = machine.night()
    assert (done.exit_code, machine.output("regressed")) == (ExitCode.FAIL, "true"), done
    assert "::error title=regression%3A window/local_reply::" in done.printed, done
    assert "run list --repo me/suite --workflow nightly.yml --branch main --status completed" in (forge / "calls").read_text()
    changes = (whole / "changes.md").read_text()
    assert first.started_at in changes, "expected it to be compared with the first night"
    assert f"dmconform reproduce window/local_reply/{SDK}/{HOST}" in changes
    assert changes in (forge / "summary.md").read_text()
    done = machine.conformance("Gate", GATE=gate)
    assert done.exit_code == ExitCode.FAIL, done

    (tmp_path / "issues").mkdir()
    shutil.copy2(whole.with_name("nightly.md"), tmp_path / "issues")
    done = file_issues(machine, tmp_path)
    assert done.exit_code == 0, done
    (issue,) = forge.glob("Conformance regressed on *: nightly")
    assert issue.read_text() == f"{changes}\nWhole report: https://forge.example/me/suite/actions/runs/7\n"


def file_issues(machine: Machine, folder: Path) -> Done:
    """The script that files issues about the texts in a folder's issues/."""
    return run(NIGHTLY, "Write an issue for each report that regressed", folder, machine.github, GH_TOKEN="a-token")


def test_a_shard_or_a_whole_that_cannot_be_made_ends_its_job(machine: Machine, tmp_path: Path) -> None:
    done = machine.conformance("Run the shard", SHARD="1/1", **{**SELECTION, "SDK": "cpp@1.39:nobody"})
    assert done.exit_code == ExitCode.USAGE, done
    assert machine.conformance("Join the shards").exit_code == ExitCode.USAGE
    assert file_issues(machine, tmp_path).exit_code == 0, "expected no issue to be filed where there is no text"
    assert not (machine.forge / "calls").exists()


def test_check_module(everything: Plan, machine: Machine, tmp_path: Path) -> None:
    """In a job of another repository, with the suite where GitHub puts the repositories of actions."""
    work = tmp_path / "work"
    work.mkdir()
    module = work / "libmy_filter.so"
    shutil.copy2(module_of(everything), module)
    (work / "settings.txt").write_text("text")
    action = machine.suite / ".github" / "actions" / "check-module"
    github = {**machine.github, "GITHUB_ACTION_PATH": str(action)}

    def check(arguments: str, built_with: str = "1.39") -> Done:
        values = {"MODULE": "libmy_filter.so", "ARGUMENTS": arguments, "BUILT_WITH": built_with}
        return run(action / "action.yml", "check", work, github, **values)

    words = "--filter-name transform --filter-config @settings.txt\n--host 1.39 --host 1.40\n"
    done = check(words)
    assert done.exit_code == ExitCode.OK, done
    found = msgspec.json.decode(Path(machine.output("result")).read_bytes(), type=Check)
    assert {host.id: host.verdict for host in found.hosts} == {"1.39.3": HostVerdict.WORKS, "1.40.0": HostVerdict.WORKS}

    done = check("--filter-name transform --filter-config @settings.txt --host 1.39", built_with="")
    assert done.exit_code == ExitCode.USAGE, done
    assert "which SDK it was built with is not certain" in done.errors, "expected an empty input to be none"

    done = check("--no-such-option")
    assert done.exit_code == ExitCode.USAGE, "expected what was found before not to be judged"
    assert "--no-such-option" in done.errors

    changed_function(module_of(everything), module, ON_REQUEST, CRASH)
    done = check(words)
    assert done.exit_code == ExitCode.ERROR, done
    assert "::warning title=dmconform gate" in done.printed, "it crashes everywhere, which breaks no promise of a host"
    summary = (machine.forge / "summary.md").read_text()
    assert "may be released" in summary
    assert "unknown" in summary
