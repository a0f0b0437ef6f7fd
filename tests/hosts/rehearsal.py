"""Rehearses workflows of GitHub Actions on one machine: their own YAML, and their own scripts run by bash, job by job.

What stands for GitHub: a checkout is a clone, artifacts are folders, `gh` is a program that knows the runs there were, and tox
is `tox_stand_in.py`. Expressions are looked up in what a job may know; one that is not known here fails the rehearsal, so
that it cannot say more than it has seen. The machines of a matrix run side by side, jobs one after the other.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.checkout import ROOT
from tests.hosts.project import Project
from tests.workflow_files import Node, read_yaml

STEP_S = 300.0
REPOSITORY = "me/suite"
COMMITTED = (".gitignore", ".github", "tox.ini")
FORBIDDEN = set('":<>|*?\r\n')
"""What upload-artifact refuses in the name of a file."""
_NAME = re.compile(r"[\w-]+(\.[\w-]+)+")


@dataclass
class JobRun:
    """A job that ran: whether it succeeded, and its outputs."""

    result: str
    outputs: dict[str, str]


@dataclass
class Forge:
    """A repository on a machine that stands for GitHub; every run of a workflow in it leaves artifacts and issues."""

    folder: Path
    environment: Mapping[str, str]
    runs: list[dict[str, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Commits the suite, as it is here, with what stands for tox."""
        copy = Project.copy(self.folder / "origin")
        for name in COMMITTED:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, copy.folder / name)
        _program(copy.folder / "toxw", "tox_stand_in.py")
        (self.folder / "bin").mkdir()
        _program(self.folder / "bin" / "gh", "gh_stand_in.py")
        for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "The suite"]):
            identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
            subprocess.run(["git", "-C", str(copy.folder), *identity, *words], check=True, timeout=STEP_S)

    @property
    def commit(self) -> str:
        """The commit of the suite."""
        words = ["git", "-C", str(self.folder / "origin"), "rev-parse", "HEAD"]
        return subprocess.run(words, check=True, capture_output=True, text=True, timeout=STEP_S).stdout.strip()

    def begin(self, *, event: str = "schedule", branch: str = "main") -> Run:
        """A run that begins."""
        number = 1 + len(self.runs)
        (self.folder / "artifacts" / str(number)).mkdir(parents=True)
        self.runs.insert(0, {"databaseId": number, "event": event, "headBranch": branch, "status": "in_progress"})
        return Run(self, number)

    def end(self, number: int) -> None:
        """A run that is over."""
        next(run for run in self.runs if run["databaseId"] == number)["status"] = "completed"


@dataclass
class Run:
    """One run of a workflow."""

    forge: Forge
    number: int
    log: list[str] = field(default_factory=list)

    @property
    def artifacts(self) -> Path:
        """A folder for each artifact."""
        return self.forge.folder / "artifacts" / str(self.number)

    def call(self, workflow: Path, inputs: Mapping[str, object]) -> tuple[dict[str, JobRun], dict[str, str]]:
        """Calls a reusable workflow: its jobs, by name, and its outputs."""
        content = read_yaml(workflow)
        declared: dict[str, Node] = content["on"]["workflow_call"]["inputs"]
        assert not inputs.keys() - declared.keys(), f"{workflow.name} has no inputs {inputs.keys() - declared.keys()}"
        given = {f"inputs.{name}": _text(inputs.get(name, one.get("default", ""))) for name, one in declared.items()}
        jobs = self.jobs(content, given)
        known = {f"jobs.{name}.outputs.{key}": value for name, job in jobs.items() for key, value in job.outputs.items()}
        outputs: dict[str, Node] = content["on"]["workflow_call"].get("outputs", {})
        return jobs, {name: expand(one["value"], known) for name, one in outputs.items()}

    def jobs(self, content: Node, given: Mapping[str, str]) -> dict[str, JobRun]:
        """Runs the jobs of a workflow in their order, which must be one that `needs` allows."""
        done: dict[str, JobRun] = {}
        shell = content.get("defaults", {}).get("run", {}).get("shell")
        for name, job in content["jobs"].items():
            needs = job.get("needs", [])
            needs = [needs] if isinstance(needs, str) else needs
            known = dict(given)
            for one in needs:
                known |= {f"needs.{one}.result": done[one].result}
                known |= {f"needs.{one}.outputs.{key}": value for key, value in done[one].outputs.items()}
            well = all(done[one].result == "success" for one in needs)
            if not holds(job.get("if"), known, well):
                done[name] = JobRun("skipped", {})
                continue
            matrix = job.get("strategy", {}).get("matrix")
            rows = _rows(json.loads(expand(matrix, known, json_too=True))) if matrix else [{}]
            machines = [Job(self, f"{name}-{index}", known | _row(index, row), shell) for index, row in enumerate(rows)]
            with ThreadPoolExecutor(len(machines)) as pool:
                parts = list(pool.map(Job.run, machines, [job] * len(machines)))
            result = "success" if all(part.result == "success" for part in parts) else "failure"
            done[name] = JobRun(result, parts[-1].outputs)
        return done


@dataclass
class Job:
    """One job on a fresh machine: an empty workspace, and nothing but what the steps bring."""

    run_of: Run
    name: str
    known: dict[str, str]
    shell: str | None

    def __post_init__(self) -> None:
        """Makes its folders."""
        top = self.run_of.forge.folder / "machines" / f"{self.run_of.number}-{self.known.get('inputs.name', '')}-{self.name}"
        self.workspace, self.temporary = top / "workspace", top / "temporary"
        self.workspace.mkdir(parents=True)
        self.temporary.mkdir()
        self.known |= {
            "job.workflow_repository": REPOSITORY,
            "job.workflow_sha": self.run_of.forge.commit,
            "github.token": "a-token",
            "github.server_url": "https://forge.example",
            "github.repository": REPOSITORY,
            "github.run_id": str(self.run_of.number),
            "runner.arch": "X64",
        }

    def run(self, job: Node) -> JobRun:
        """Runs its steps."""
        well = True
        for step in job["steps"]:
            if holds(step.get("if"), self.known, well):
                well &= self.step(step, self.known)
        outputs = {name: expand(value, self.known) for name, value in job.get("outputs", {}).items()}
        return JobRun("success" if well else "failure", outputs)

    def step(self, step: Node, known: dict[str, str], action: Path | None = None) -> bool:
        """Runs a step of the job, or of an action that it uses; whether it succeeded."""
        if "run" in step:
            return self.script(step, known, action)
        values = {key: expand(value, known) for key, value in step.get("with", {}).items()}
        uses = step["uses"].partition("@")[0]
        if uses.startswith("./"):
            return self.action(self.workspace / uses, values)
        match uses:
            case "actions/checkout":
                assert (values["repository"], values["ref"]) == (REPOSITORY, self.run_of.forge.commit), values
                origin = self.run_of.forge.folder / "origin"
                words = ["git", "clone", "-q", "--depth", "1", origin.as_uri(), str(self.workspace)]
                subprocess.run(words, check=True, timeout=STEP_S)
            case "actions/cache":
                assert values["path"] == "~/.cache/dmconform", "the tests' own cache stands for it, as DMCONFORM_CACHE says"
            case "actions/upload-artifact":
                return self.upload(values)
            case "actions/download-artifact":
                self.download(values)
            case _:
                raise AssertionError(f"{uses}: the rehearsal does not know this action")
        return True

    def action(self, folder: Path, values: Mapping[str, str]) -> bool:
        """A composite action."""
        content = read_yaml(folder / "action.yml")
        inputs: dict[str, Node] = content["inputs"]
        for name, one in inputs.items():
            assert name in values or not one.get("required"), f"{folder}: the input {name} is required"
        given = {f"inputs.{name}": values.get(name, str(one.get("default", ""))) for name, one in inputs.items()}
        own = {key: value for key, value in self.known.items() if not key.startswith(("inputs.", "steps."))} | given
        well = all(self.step(step, own, folder) for step in content["runs"]["steps"])
        self.known |= {f"action.outputs.{name}": expand(one["value"], own) for name, one in content.get("outputs", {}).items()}
        return well

    def script(self, step: Node, known: dict[str, str], action: Path | None) -> bool:
        """A `run:`, with the shell that it would have and a file for its outputs."""
        shell = step.get("shell", self.shell)
        script, outputs = self.temporary / "script", self.temporary / "outputs"
        script.write_text(expand(step["run"], known))
        outputs.write_text("")
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail"] if shell == "bash" else [str(shell or "bash"), "-e"]
        environment = {
            **os.environ,
            **self.run_of.forge.environment,
            "PATH": f"{self.run_of.forge.folder / 'bin'}:{os.environ['PATH']}",
            "FORGE": str(self.run_of.forge.folder),
            "FORGE_RUNS": json.dumps(self.run_of.forge.runs),
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_STEP_SUMMARY": str(self.workspace.parent / "summary.md"),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": str(self.run_of.number),
            "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/.github/workflows/nightly.yml@refs/heads/main",
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temporary),
            **({"GITHUB_ACTION_PATH": str(action)} if action else {}),
            **{key: expand(_text(value), known) for key, value in step.get("env", {}).items()},
        }
        done = subprocess.run(
            [*command, str(script)],
            check=False,
            cwd=self.workspace,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=STEP_S,
        )
        self.run_of.log.append(f"--- {self.name}: {step.get('name', step.get('id'))}: {done.returncode}\n{done.stdout}")
        for line in outputs.read_text().splitlines():
            key, equals, value = line.partition("=")
            assert equals, f"{line!r} in GITHUB_OUTPUT: a value of more than one line breaks it"
            known[f"steps.{step['id']}.outputs.{key}"] = value
        return done.returncode == 0

    def upload(self, values: Mapping[str, str]) -> bool:
        """An artifact, in which a folder's content is at the top."""
        source, target = self.workspace / values["path"], self.run_of.artifacts / values["name"]
        assert not FORBIDDEN & set(values["name"]) and "/" not in values["name"], values["name"]
        if not source.exists():
            return values.get("if-no-files-found") != "error"
        assert not target.exists(), f"two artifacts of one run have the name {values['name']}"
        if source.is_file():
            target.mkdir()
            shutil.copy2(source, target)
        else:
            refused = [path for path in source.rglob("*") if FORBIDDEN & set(path.name)]
            assert not refused, f"upload-artifact refuses these names: {refused}"
            shutil.copytree(source, target)
        return True

    def download(self, values: Mapping[str, str]) -> None:
        """Artifacts of this run, unpacked over each other. Without that, later versions do it for one and not for two."""
        assert values["merge-multiple"] == "true", values
        for artifact in sorted(self.run_of.artifacts.iterdir()):
            if fnmatch.fnmatchcase(artifact.name, values["pattern"]):
                shutil.copytree(artifact, self.workspace / values["path"], dirs_exist_ok=True)


def expand(text: str, known: Mapping[str, str], *, json_too: bool = False) -> str:
    """A text with its expressions replaced.

    Raises:
        AssertionError: an expression that is not known.
    """

    def value(found: re.Match[str]) -> str:
        expression = found[1]
        if json_too and (inner := re.fullmatch(r"fromJSON\((.+)\)", expression)):
            expression = inner[1]
        if expression.startswith("hashFiles("):
            return "0123abcd"
        return look_up(expression, known)

    return re.sub(r"\$\{\{ (.+?) \}\}", value, _text(text))


def look_up(name: str, known: Mapping[str, str]) -> str:
    """The value of a name of a context. An output that no step has set is empty, as with GitHub."""
    if name in known or re.fullmatch(r"(steps|needs|jobs)\.[\w-]+\.outputs\.[\w-]+", name):
        return known.get(name, "")
    raise AssertionError(f"{name}: the rehearsal does not know this expression; there are {', '.join(sorted(known))}")


def holds(condition: str | None, known: Mapping[str, str], well: bool) -> bool:
    """Whether an `if` holds; without one, and without a function in it that says otherwise, all before must have succeeded."""
    if condition is None:
        return well
    text = condition.removeprefix("${{ ").removesuffix(" }}")
    terms = text.split(" && ")
    functions = {"always()", "!cancelled()"}
    if not functions & set(terms) and not well:
        return False
    for term in terms:
        if term in functions:
            continue
        found = re.fullmatch(r"(?P<name>\S+) (?P<how>==|!=) '(?P<value>[^']*)'", term)
        assert found, f"{term}: the rehearsal does not know this condition"
        if (look_up(found["name"], known) == found["value"]) is not (found["how"] == "=="):
            return False
    return True


def _row(index: int, row: Mapping[str, object]) -> dict[str, str]:
    return {f"matrix.{key}": str(value) for key, value in row.items()} | {"strategy.job-index": str(index)}


def _rows(matrix: dict[str, list[object]]) -> list[dict[str, object]]:
    ((key, values),) = matrix.items()
    return [{key: value} for value in values]


def _text(value: object) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _program(place: Path, script: str) -> None:
    """A program that is a script beside this file."""
    place.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name(script)} "$0" "$@"\n')
    place.chmod(0o755)
