"""The workflows of GitHub Actions, seen working: two nights of two selections, the second of them worse; and a module's check.

`rehearsal.py` says what stands for GitHub. The scripts, their order, environment and conditions are those of the files.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import msgspec
import pytest
from dmconform.check.result import Check, HostVerdict
from dmconform.core import paths
from dmconform.core.values import Outcome
from dmconform.matrix.plan import Plan
from dmconform.sdks.store import StoredBuild

from tests.hosts.elf_patches import CRASH, changed_function
from tests.hosts.project import report_in
from tests.hosts.rehearsal import Forge, Job, Run
from tests.workflow_files import FOLDER, read_yaml

pytestmark = pytest.mark.host

CONFORMANCE = FOLDER / "workflows" / "conformance.yml"
NIGHTLY = FOLDER / "workflows" / "nightly.yml"
CHECK_MODULE = FOLDER / "actions" / "check-module"
SDK = "cpp@1.39:reference"
ON_REQUEST = "envoy_dynamic_module_on_http_filter_request_headers"
SMALL = {"sdk": SDK, "case": "window/local_reply window/loads"}
ENVOY = """\
#!/bin/sh
case "$*" in *--version*) exec {known} --version ;; esac
exec "$(cat {really})" "$@"
"""


@pytest.fixture
def cache(everything: Plan, tmp_path: Path) -> Path:
    """A cache of this test's own: all that the machine's has, but the modules of one SDK can be changed."""
    machine, own = paths.cache_folder(), tmp_path / "cache"
    (own / "modules").mkdir(parents=True)
    for one in machine.iterdir():
        if one.name != "modules":
            (own / one.name).symlink_to(one)
    stored = module_of(everything).parent
    (own / "modules" / stored.name).mkdir()
    for one in stored.iterdir():
        (own / "modules" / stored.name / one.name).write_bytes(one.read_bytes())
    return own


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


def night(run: Run, newest: Path) -> tuple[dict[str, str], dict[str, str]]:
    """A night of nightly.yml on small selections: the outputs of its two calls."""
    jobs = read_yaml(NIGHTLY)["jobs"]
    assert [name for name, job in jobs.items() if "uses" in job] == ["matrix", "newest"]
    assert {job["uses"] for job in jobs.values() if "uses" in job} == {"./.github/workflows/conformance.yml"}
    assert jobs["newest"]["with"]["name"] == "newest-host"
    matrix, outputs = run.call(CONFORMANCE, {**SMALL, "host": "1.39.3", "shards": 2, "name": "nightly"})
    other, others = run.call(CONFORMANCE, {**SMALL, "host": f"path:{newest}", "shards": 1, "name": "newest-host"})
    for done in (matrix, other):
        assert [done[name].result for name in ("plan", "run")] == ["success", "success"], "\n".join(run.log)
    issue = Job(run, "issue", {}, None).run(jobs["issue"])
    assert issue.result == "success", "\n".join(run.log)
    run.forge.end(run.number)
    outputs["result"], others["result"] = matrix["whole"].result, other["whole"].result
    return outputs, others


def test_two_nights(everything: Plan, cache: Path, tmp_path: Path) -> None:
    known = Path(everything.hosts[0].host.binary)
    newest, really = tmp_path / "envoy", tmp_path / "really"
    newest.write_text(ENVOY.format(known=known, really=really))
    newest.chmod(0o755)
    really.write_text(str(known))
    forge = Forge(tmp_path / "forge", {"DMCONFORM_CACHE": str(cache)})

    first = forge.begin()
    good = {"regressed": "false", "result": "success"}
    assert night(first, newest) == (good, good), "\n".join(first.log)
    assert not (forge.folder / "issues").exists()
    report = report_in(first.artifacts / "nightly-report")
    assert report.environment.suite_commit == forge.commit, (
        "expected what the steps write not to count as a change of the suite"
    )
    assert {cell.outcome for cell in report.cells} == {Outcome.PASS}
    assert not (first.artifacts / "nightly-report" / "changes.md").exists()

    # A night that ended before it had a report, and a run that somebody's fork has called main.
    forge.end(forge.begin().number)
    foreign = forge.begin(event="pull_request")
    (foreign.artifacts / "nightly-report").mkdir()
    (foreign.artifacts / "nightly-report" / "report.json").write_text("not a report")
    forge.end(foreign.number)

    crashes_from_now_on(everything, cache)
    really.write_text("/bin/false")
    second = forge.begin()
    bad = {"regressed": "true", "result": "failure"}
    assert night(second, newest) == (bad, bad), "\n".join(second.log)
    changes = (second.artifacts / "nightly-report" / "changes.md").read_text()
    assert changes.startswith("# 1 regression\n"), changes
    assert "with the same hosts, other modules" in changes
    assert f"dmconform reproduce window/local_reply/{SDK}/1.39.3" in changes
    assert report.started_at in changes, "expected it to be compared with the first night"
    assert report.started_at in (second.artifacts / "nightly-report" / "index.html").read_text()
    issues = {path.name.rpartition(": ")[2]: path.read_text() for path in (forge.folder / "issues").iterdir()}
    assert issues.keys() == {"nightly", "newest-host"}
    assert issues["nightly"] == f"{changes}\nWhole reports: https://forge.example/me/suite/actions/runs/{second.number}\n"
    assert issues["newest-host"].startswith("# 2 regressions\n"), issues["newest-host"]
    assert "# 1 regression" in summary_of(second, "nightly")


@pytest.fixture
def job(cache: Path, tmp_path: Path) -> Job:
    """A job of another repository, with the suite where GitHub puts the repositories of actions."""
    forge = Forge(tmp_path / "forge", {"DMCONFORM_CACHE": str(cache)})
    shutil.copytree(forge.folder / "origin", forge.folder / "actions" / "suite")
    return Job(forge.begin(), "job", {}, None)


def test_check_module(everything: Plan, job: Job) -> None:
    action = job.run_of.forge.folder / "actions" / "suite" / ".github" / "actions" / "check-module"
    (job.workspace / "target").mkdir()
    module = job.workspace / "target" / "libmy_filter.so"
    shutil.copy2(module_of(everything), module)
    (job.workspace / "settings.txt").write_text("text")
    words = "--filter-name transform --filter-config @settings.txt\n--host 1.39 --host 1.40\n"
    values = {"module": "target/libmy_filter.so", "built-with": "1.39", "arguments": words}

    assert job.action(action, values), job.run_of.log
    found = msgspec.json.decode(Path(job.known["action.outputs.result"]).read_bytes(), type=Check)
    assert {host.id: host.verdict for host in found.hosts} == {"1.39.3": HostVerdict.WORKS, "1.40.0": HostVerdict.WORKS}

    assert not job.action(action, values | {"arguments": "--no-such-option"}), "what was found before is no answer"
    assert "--no-such-option" in job.run_of.log[-1]

    changed_function(module_of(everything), module, ON_REQUEST, CRASH)
    assert not job.action(action, values), job.run_of.log
    assert "::warning title=dmconform gate" in job.run_of.log[-1], "it crashes everywhere, which breaks no promise of a host"
    summary = (job.workspace.parent / "summary.md").read_text()
    assert "may be released" in summary
    assert "cannot be told" in summary


def summary_of(run: Run, name: str) -> str:
    """What the page of a run shows of a job."""
    return (run.forge.folder / "machines" / f"{run.number}-{name}-whole-0" / "summary.md").read_text()
