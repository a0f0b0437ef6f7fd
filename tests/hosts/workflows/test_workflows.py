"""The scripts of the workflows, seen working on real Envoys: two nights, the second of them worse; and a module's check."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
import subprocess
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

from tests.corpus.making import Module, Workplace
from tests.hosts.elf_patches import CRASH, changed_function
from tests.hosts.project import Done, report_in
from tests.hosts.workflow_scripts import STEP_S, clone, run
from tests.unit.site_samples import fails, holds, keep, night
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
OF_1_37 = "4dae397a7c9ff0238d318d57ea656ce8b3fbff595787dcd7ee2ff5b79c9fe10f"
ON_REQUEST = "envoy_dynamic_module_on_http_filter_request_headers"
GH = """\
#!/bin/bash
echo "$*" >>"$FORGE/calls"
case "$1 $2" in
"api repos/me/suite") echo main ;;
"api repos/me/suite/pages") [ -e "$FORGE/pages" ] && cat "$FORGE/pages" ;;
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


def site_of_nights(machine: Machine) -> tuple[Done, Done]:
    """The two scripts that make the site."""
    nights = run(NIGHTLY, "nights", machine.suite, machine.github, GH_TOKEN="a-token")
    assert nights.exit_code == 0, nights
    address = machine.output("address") if (machine.forge / "pages").exists() else ""
    return nights, run(NIGHTLY, "Make the site", machine.suite, machine.github, ADDRESS=address)


def test_a_site_of_the_nights(machine: Machine) -> None:
    """Nights of other events are left out, and so is what a night that ended before its report has left."""
    artifacts, site = machine.forge / "artifacts", machine.suite / "reports" / "local" / "site"
    later = 400  # days: after the published runs
    keep(artifacts, later, night(holds()), name="1-nightly-report")
    keep(artifacts, later + 1, night(fails()), name="2-nightly-report")
    keep(artifacts, later + 2, night(fails()), name="4-nightly-report")
    runs = [
        {"databaseId": 4, "event": "pull_request", "createdAt": "2027-12-08T02:17:00Z"},
        {"databaseId": 3, "event": "schedule", "createdAt": "2027-12-08T02:17:00Z"},
        {"databaseId": 2, "event": "schedule", "createdAt": "2027-12-07T02:17:00Z"},
        {"databaseId": 1, "event": "workflow_dispatch", "createdAt": "2027-12-06T02:17:00Z"},
    ]
    (machine.forge / "runs.json").write_text(json.dumps(runs))
    keep(machine.suite / "reports" / "local" / "nights", later + 3, night(fails()), name="tonight")

    nights, done = site_of_nights(machine)
    assert done.exit_code == 0, done
    assert "The answer is that of tonight, 2027-12-09." in done.printed, done
    assert "run 3 has no report, or not any more" in nights.printed
    pages = {file.name: file.read_text() for file in site.glob("*.*")}
    assert "failing since 2027-12-07-2 of 2027-12-07; held last in 2027-12-06-1 of 2027-12-06" in pages["failures.html"]
    assert "the newest answer: tonight" in pages["index.html"]
    assert 'href="feed.xml"' in pages["feed.xml"]

    (machine.forge / "pages").write_text("https://me.example/suite/")
    shutil.rmtree(machine.suite / "reports" / "local" / "nights")
    _, done = site_of_nights(machine)
    assert done.exit_code == 0, done
    assert 'href="https://me.example/suite/feed.xml"' in (site / "feed.xml").read_text()


def file_issues(machine: Machine, folder: Path) -> Done:
    """The script that files issues about the texts in a folder's issues/."""
    return run(NIGHTLY, "Write an issue for each report that regressed", folder, machine.github, GH_TOKEN="a-token")


def test_a_shard_or_a_whole_that_cannot_be_made_ends_its_job(machine: Machine, tmp_path: Path) -> None:
    done = machine.conformance("Run the shard", SHARD="1/1", **{**SELECTION, "SDK": "cpp@1.39:nobody"})
    assert done.exit_code == ExitCode.USAGE, done
    assert machine.conformance("Join the shards").exit_code == ExitCode.USAGE
    assert file_issues(machine, tmp_path).exit_code == 0, "expected no issue to be filed where there is no text"
    assert not (machine.forge / "calls").exists()


@dataclass(frozen=True)
class Caller:
    """A job of another repository, with the suite where GitHub puts the repositories of actions. The module is in `work`."""

    machine: Machine
    work: Path
    module: str = "libmy_filter.so"

    def action(self, step: str, **values: str) -> Done:
        """A script of the action, in the folder of the other repository."""
        action = self.machine.suite / ".github" / "actions" / "check-module"
        github = {**self.machine.github, "GITHUB_ACTION_PATH": str(action)}
        return run(action / "action.yml", step, self.work, github, **values)

    def check(self, arguments: str, built_with: str = "1.39") -> Done:
        """The script that checks and judges, in a sandbox."""
        return self.action("check", MODULE=self.module, ARGUMENTS=arguments, BUILT_WITH=built_with, ISOLATE="yes")

    def found(self) -> Check:
        """The newest result."""
        return msgspec.json.decode(Path(self.machine.output("result")).read_bytes(), type=Check)


@pytest.fixture
def caller(machine: Machine, tmp_path: Path) -> Caller:
    """A job of another repository."""
    work = tmp_path / "work"
    work.mkdir()
    return Caller(machine, work)


def test_check_module(everything: Plan, caller: Caller) -> None:
    work, machine, check = caller.work, caller.machine, caller.check
    module = work / caller.module
    shutil.copy2(module_of(everything), module)
    (work / "settings.txt").write_text("text")

    words = "--filter-name transform --filter-config @settings.txt\n--host 1.39 --host 1.40\n"
    done = check(words)
    assert done.exit_code == ExitCode.OK, done
    assert {host.id: host.verdict for host in caller.found().hosts} == {
        "1.39.3": HostVerdict.WORKS,
        "1.40.0": HostVerdict.WORKS,
    }

    done = check("--filter-name transform --filter-config @settings.txt --host 1.39", built_with="")
    assert done.exit_code == ExitCode.ERROR, "the SDK can be of 1.38 or of 1.39, whose promises are about more hosts"
    assert "was not tried on any" in done.printed, done

    done = check("--no-such-option")
    assert done.exit_code == ExitCode.USAGE, "expected what was found before not to be judged"
    assert "--no-such-option" in done.errors

    changed_function(module_of(everything), module, ON_REQUEST, CRASH)
    done = check(words)
    assert done.exit_code == ExitCode.ERROR, done
    assert "::warning title=dmconform gate" in done.printed, "it crashes everywhere, which breaks no promise of a host"
    summary = (machine.forge / "summary.md").read_text()
    assert "may be released" in summary
    assert "cannot be told" in summary


def made(caller: Caller, module: Module, tmp_path: Path) -> None:
    """A module of the corpus, at the caller's."""
    file = caller.work / caller.module
    file.parent.mkdir(parents=True, exist_ok=True)
    module.make(Workplace(tmp_path / "corpus", dict), file)


def test_check_module_takes_arguments_with_quotes_and_blanks(machine: Machine, caller: Caller, tmp_path: Path) -> None:
    """The module refuses what does not begin with a brace."""
    caller = dataclasses.replace(caller, module="target/my release/libmy_filter.so")
    made(caller, Module("refuses_empty_configuration.c"), tmp_path)
    (caller.work / "my settings.json").write_text('{"endpoints": []}')

    for words in (
        """--filter-config '{"endpoints": []}' --host 1.39 --host 1.40""",
        """--filter-config "{\\"endpoints\\": []}"\n--host 1.39\n--host 1.40\n""",
        "--filter-config '@my settings.json' --host 1.39 --host 1.40",
        "--filter-config=@my\\ settings.json --host=1.39 --host=1.40",
        """--filter-config '{"a": "$HOME `exit 3` * %0A"}' --host 1.39 --host 1.40""",
    ):
        done = caller.check(words)
        assert done.exit_code == ExitCode.OK, done
        assert {host.id: host.verdict for host in caller.found().hosts} == {
            "1.39.3": HostVerdict.WORKS,
            "1.40.0": HostVerdict.WORKS,
        }, words

    done = caller.check("--filter-name '' --host 1.39")
    assert done.exit_code == ExitCode.ERROR, "expected the module to need a configuration, else this test shows nothing"

    before = (machine.forge / "outputs").read_text().count("result=")
    done = caller.check("--filter-config '{")
    assert done.exit_code == 1, done
    assert (
        "::error title=dmconform check::The input 'arguments' cannot be parted into words: No closing quotation" in done.errors
    )
    assert (machine.forge / "outputs").read_text().count("result=") == before + 1
    assert not Path(machine.output("result")).exists(), "expected nothing to be checked"


def test_check_module_isolates_unless_it_is_told_not_to(caller: Caller, tmp_path: Path) -> None:
    made(caller, Module(), tmp_path)
    done = caller.action("check", MODULE=caller.module, ARGUMENTS="--host 1.39", BUILT_WITH="", ISOLATE="")
    assert (caller.found().isolated_by, "with your rights" in done.errors) == (None, True), done
    done = caller.action("check", MODULE=caller.module, ARGUMENTS="--host 1.39", BUILT_WITH="", ISOLATE="yes")
    assert "with your rights" not in done.errors
    assert (caller.found().isolated_by or "").startswith("bubblewrap "), done


INSTALLS = ["apt-get update -qq", "apt-get install -qq -y --no-install-recommends bubblewrap"]
PROFILE = ["apparmor_parser --replace --skip-cache"]
SETS = ["sysctl -q -w kernel.apparmor_restrict_unprivileged_userns=0"]


@pytest.mark.parametrize(
    ("there", "helps", "called"),
    [
        (True, "", []),
        (False, "apt-get", INSTALLS),
        (True, "apparmor_parser", PROFILE),
        (False, "sysctl", [*INSTALLS, *PROFILE, *SETS]),
        (True, "nothing", [*PROFILE, *SETS]),
    ],
)
def test_check_module_lets_the_runner_make_sandboxes(there: bool, helps: str, called: list[str], tmp_path: Path) -> None:
    """What would change this machine is only logged. `bwrap` works once the program that helps was called."""
    programs, log = tmp_path / "programs", tmp_path / "log"
    programs.mkdir()
    log.touch()
    for tool in ("bash", "id", "readlink", "cat", "cp"):
        (programs / tool).symlink_to(shutil.which(tool) or tool)
    logged = 'echo "${0##*/} $*" >>"$FORGE/log"'
    texts = {
        "bwrap" if there else "spare": f'[[ -z "{helps}" || $(<"$FORGE/log") == *"{helps} "* ]]',
        "apt-get": f'{logged}; [ "$1" != install ] || cp "$FORGE/programs/spare" "$FORGE/programs/bwrap"',
        "apparmor_parser": f'{logged}; cat >"$FORGE/profile"',
        "sysctl": logged,
        "sudo": 'shift; exec "$@"',
    }
    for name, text in texts.items():
        (programs / name).write_text(f"#!{shutil.which('bash')}\n{text}\n")
        (programs / name).chmod(0o755)
    script = FOLDER / "actions" / "check-module" / "allow-sandbox.sh"
    done = subprocess.run(
        [programs / "bash", script],
        env={"PATH": str(programs), "FORGE": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=STEP_S,
        check=False,
    )
    assert (done.returncode, log.read_text().splitlines()) == (0, called), done
    assert ("::warning" in done.stdout) is (helps == "nothing"), done
    if PROFILE[0] in called:
        profile = (tmp_path / "profile").read_text()
        assert f"profile dmconform-bwrap {programs / 'bwrap'} flags=(unconfined) {{\n  userns,\n}}\n" in profile


def test_check_module_of_an_sdk_before_there_was_a_promise(caller: Caller, tmp_path: Path) -> None:
    made(caller, Module(abi_version=OF_1_37), tmp_path)
    done = caller.check("--host 1.37", built_with="")
    assert done.exit_code == ExitCode.OK, done
    assert [host.verdict for host in caller.found().hosts] == [HostVerdict.WORKS]


def test_check_module_of_a_module_in_c_needs_no_word_on_its_sdk(caller: Caller, tmp_path: Path) -> None:
    """Its ABI string is that of two minors: the hosts of both promises are tried, and the answer is the same for both."""
    made(caller, Module(), tmp_path)
    done = caller.check("", built_with="")
    assert done.exit_code == ExitCode.OK, done
    assert [host.release for host in caller.found().hosts] == ["1.37.0", "1.38.2", "1.38.3", "1.39.3", "1.40.0"]
    made(caller, Module("returns_another_abi_string.c"), tmp_path)
    done = caller.check("", built_with="")
    assert (done.exit_code, "::notice title=dmconform gate::" in done.printed) == (0, True), "no release has its ABI string"


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4])
def test_check_module_ends_as_the_gate_does_but_where_nothing_is_promised(caller: Caller, code: int) -> None:
    (caller.machine.suite / "dmconform").write_text(f'#!/bin/sh\n[ "$1" = check ] || exit {code}\n')
    done = caller.check("")
    assert done.exit_code == (0 if code == ExitCode.EMPTY else code), done
    assert ("::notice title=dmconform gate::" in done.printed) is (code == ExitCode.EMPTY)


def test_check_module_keeps_envoys_by_the_list_of_them(caller: Caller) -> None:
    """A new release brings a new entry; nothing of the caller's does."""
    keys = []
    for _ in range(2):
        assert caller.action("envoys").exit_code == 0
        keys.append(caller.machine.output("list"))
        (caller.work / "hosts.toml").write_text("another")
    with (caller.machine.suite / "conformance" / "hosts.toml").open("a") as file:
        file.write("# another release\n")
    assert caller.action("envoys").exit_code == 0
    keys.append(caller.machine.output("list"))
    assert keys[0] == keys[1] != keys[2]
    assert re.fullmatch(r"\d+-\d+", keys[0])
