"""Archives of cells: they replay with nothing but a bare Python, to the same end, and leave nothing behind."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from dmconform.bundle.archive import SUMS_FILE, Content, unpack, write_archive
from dmconform.bundle.make import contents_of
from dmconform.bundle.steps import BundledCell
from dmconform.core import paths
from dmconform.core.errors import ExitCode
from dmconform.core.values import Outcome
from dmconform.envoy.placed import recording
from dmconform.envoy.transcript import TRANSCRIPT_FILE
from dmconform.matrix.cell import Cell
from dmconform.spec.cases import declaration_of, function_of
from dmconform.spec.catalogue import load_catalogue

from tests.checkout import ROOT
from tests.hosts.bench import Bench
from tests.hosts.processes import eventually, naming
from tests.hosts.project import Project

pytestmark = pytest.mark.host

CRASHES = "broken_files/cut_in_half"
PASSES = "window/proxied_traffic"
REPLAY_S = 60.0


@dataclass(frozen=True)
class Unpacked:
    """An archive in a folder of its own, and a Python that has no access to anything else."""

    folder: Path
    envoy: Path
    scratch: Path  # where temporary folders are made

    @classmethod
    def of(cls, archive: Path, folder: Path, envoy: Path) -> Unpacked:
        """Unpacks it into a folder that does not exist."""
        scratch = folder / "scratch"
        scratch.mkdir(parents=True)
        unpack(archive, folder)
        (program,) = folder.glob("*/run.py")
        return cls(program.parent, envoy, scratch)

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """`run.py` in a bare environment: no packages of this Python, no variable, elsewhere."""
        return subprocess.Popen(
            [sys.executable, "-I", "-S", self.folder / "run.py", *arguments],
            env={"TMPDIR": str(self.scratch)},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str | Path) -> tuple[int, str]:
        """Exit code and output; nothing may be left afterwards."""
        before = self.files()
        process = self.start(*(arguments or (self.envoy,)))
        printed, _ = process.communicate(timeout=REPLAY_S)
        assert self.files() == before, "expected run.py to leave nothing behind"
        assert not naming(self.scratch)
        return process.returncode, printed

    def files(self) -> list[Path]:
        """All there is."""
        return sorted(self.folder.parent.rglob("*"))

    def change(self, name: str, data: bytes) -> None:
        """Changes a file, and its hash with it."""
        sums = self.folder / SUMS_FILE
        old = hashlib.sha256((self.folder / name).read_bytes()).hexdigest()
        sums.write_text(sums.read_text().replace(f"{old}  {name}\n", f"{hashlib.sha256(data).hexdigest()}  {name}\n"))
        (self.folder / name).write_bytes(data)


@dataclass(frozen=True)
class Bundled:
    """A cell that ran, and its archive as files."""

    cell: BundledCell
    contents: dict[str, Content]
    again: dict[str, Content]
    unpacked: Unpacked


@pytest.fixture
def bundled(bench: Bench, tmp_path: Path) -> Callable[..., Bundled]:
    """Runs a real case and makes its archive."""

    def make(name: str, *, language: str = "cpp") -> Bundled:
        file, function = function_of(name)
        case: Callable[[Cell], None] = getattr(importlib.import_module(f"conformance.cases.{file}"), function)
        assert declaration_of(case) is not None
        keeping = bench.with_plan(keep_evidence=True)
        planned = keeping.planned(name, language)
        with recording(Path(keeping.plan.evidence_folder) / planned.id.folder) as files:
            result = keeping.run(case, name=name, language=language, observer=files)
        catalogue, evidence = load_catalogue(), keeping.evidence(result)
        cell, contents = contents_of(catalogue, keeping.plan, planned, result, evidence)
        _, again = contents_of(catalogue, keeping.plan, planned, result, evidence)
        archive = tmp_path / "cell.tar.gz"
        write_archive(archive, "cell", contents)
        binary = Path(keeping.plan.host(keeping.host).host.binary)
        return Bundled(cell, contents, again, Unpacked.of(archive, tmp_path / "elsewhere", binary))

    return make


# One of each area and more: files replaced and written into, routes by discovery, requests left open by both protocols, servers
# of a case's own, panics, crashes, an answer that was asked for until it came, what is mapped, several workers.
@pytest.mark.parametrize(
    ("name", "language", "outcome", "says"),
    [
        ("binding/lazy_called", "cpp", Outcome.PASS, "exit code 127, by itself"),
        (CRASHES, "cpp", Outcome.CRASH, "killed by SIGBUS, by itself"),
        ("broken_files/being_written", "cpp", Outcome.PASS, "modules/libbroken.so (file)"),
        ("broken_files/fifo", "cpp", Outcome.FAIL, "modules/libbroken.so (fifo)"),
        ("broken_files/overwritten_in_use", "cpp", Outcome.PASS, "killed by SIG"),
        ("chains/pairs", "rust", Outcome.PASS, "now:      status 200"),
        ("configuration/json", "cpp", Outcome.PASS, "x-dmconform-config"),
        ("connections/network_passes", "cpp", Outcome.PASS, "now:      status 200"),
        ("discovery/search_path_first", "cpp", Outcome.PASS, "mapped: "),
        ("error_handling/program_init_missing", "cpp", Outcome.PASS, "now:      rejected"),
        ("identity/replaced_while_used", "rust", Outcome.FAIL, "it lived when the case was over"),
        ("lifetime/request_keeps_its_route", "cpp", Outcome.PASS, "a client closes its connection"),
        ("lifetime/thread_local", "cpp", Outcome.PASS, "has 2 workers"),
        ("nonsense/statuses", "cpp", Outcome.PASS, "by HTTP/2: send"),
        ("panics/request_path_ends", "rust", Outcome.PASS, "by HTTP/2: complete"),
        ("panics_tcp/network_ends", "rust", Outcome.PASS, "now:      connection cut"),
        ("remote_cache/initialised_once", "cpp", Outcome.PASS, "server-1"),
        ("remote_source/fetched_while_warming", "cpp", Outcome.PASS, "server-1 sends what it holds"),
        ("rtld/unloaded_at_last_reference", "cpp", Outcome.PASS, "mapped: "),
        ("statistics/custom_metrics", "cpp", Outcome.PASS, "statistic"),
        ("updates/many_routes", "cpp", Outcome.PASS, "Mind: The case opened its own connections"),
        ("upstream_filter/early_answer", "cpp", Outcome.PASS, "status 403"),
        ("window/callout_cut", "cpp", Outcome.PASS, "The case's server-1 is to answer"),
        (PASSES, "go", Outcome.PASS, "exit code 0, when asked to stop"),
    ],
)
def test_a_cell_replays_to_the_same_end(
    bundled: Callable[..., Bundled], name: str, language: str, outcome: Outcome, says: str
) -> None:
    made = bundled(name, language=language)
    assert made.cell.outcome == outcome.value, made.cell.detail
    code, printed = made.unpacked.run()
    assert code == 0, printed
    assert "As recorded: all" in printed
    assert "the code of the recorded modules runs on this machine, with your rights" in printed
    assert says in printed


def test_an_archive_is_the_same_each_time_and_names_no_place_of_this_machine(
    bundled: Callable[..., Bundled], tmp_path: Path
) -> None:
    made = bundled(CRASHES)
    assert made.contents == made.again
    for name, content in made.contents.items():
        for place in (tmp_path, ROOT, paths.cache_folder(), made.unpacked.envoy):
            assert str(place).encode() not in content.data, f"{name} names {place}"
    assert {"README.txt", "run.py", "cell.json", "envoy-1/log.txt", "envoy-1/bootstrap.json"} <= set(made.contents)
    readme = made.contents["README.txt"].data.decode()
    assert made.cell.host.sha256 in readme and made.cell.host.build in readme and made.cell.modules[0].sha256 in readme


def test_another_envoy_is_refused_unless_it_is_wanted(bundled: Callable[..., Bundled], tmp_path: Path) -> None:
    made = bundled(PASSES)
    other = tmp_path / "other-envoy"
    other.write_text(f'#!/bin/sh\nexec {made.unpacked.envoy} "$@"\n')
    other.chmod(0o755)
    code, printed = made.unpacked.run(other)
    assert (code, "--any-envoy runs with this one all the same" in printed) == (2, True), printed
    code, printed = made.unpacked.run("--any-envoy", other)
    assert (code, "is another one than recorded" in printed) == (0, True), printed
    assert made.unpacked.run(tmp_path / "nothing")[0] == 2
    assert made.unpacked.run("--no-such-option")[0] == 2


def test_a_changed_module_is_refused_and_if_its_hash_is_changed_too_the_end_is_another(
    bundled: Callable[..., Bundled],
) -> None:
    made = bundled(PASSES)
    (module,) = made.unpacked.folder.glob("files/*")
    half = module.read_bytes()[: module.stat().st_size // 2]
    module.write_bytes(half + half)
    code, printed = made.unpacked.run()
    assert (code, f"files/{module.name}: expected SHA-256" in printed) == (2, True), printed
    module.write_bytes(made.contents[f"files/{module.name}"].data)
    made.unpacked.change(f"files/{module.name}", half)
    code, printed = made.unpacked.run()
    assert code == 1, printed
    assert "killed by SIGBUS, by itself   DIFFERENT" in printed
    assert "NOT as recorded" in printed and "The end of the log of Envoy 1" in printed


def test_a_launcher_that_does_not_start_the_envoy_is_no_difference(bundled: Callable[..., Bundled]) -> None:
    made = bundled(PASSES)
    cell = json.loads((made.unpacked.folder / "cell.json").read_text())
    start = next(step for step in cell["steps"] if step["do"] == "start")
    start["prefix"] = ["setpriv", "--no-such-option"]
    made.unpacked.change("cell.json", json.dumps(cell).encode())
    code, printed = made.unpacked.run()
    assert code == 2, printed
    assert "run.py: the recorded Envoy was started by 'setpriv', which cannot do so here; it says: setpriv: " in printed


def test_an_answer_that_differs_is_shown_beside_the_recorded_one(bundled: Callable[..., Bundled]) -> None:
    made = bundled(PASSES)
    text = (made.unpacked.folder / "cell.json").read_text()
    cell = json.loads(text)
    request = next(step for step in cell["steps"] if step["do"] == "request")
    request["answer"]["status"] = 299
    request["answer"]["headers"].append(["x-hostile", "\u001b[31mred"])
    made.unpacked.change("cell.json", json.dumps(cell).encode())
    code, printed = made.unpacked.run()
    assert code == 1, printed
    assert "expected status 299, saw status 200" in printed
    assert "\u001b" not in printed, "expected no control character in the terminal"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
def test_an_interrupted_replay_leaves_nothing(bundled: Callable[..., Bundled], how: signal.Signals) -> None:
    made = bundled(PASSES)
    before = made.unpacked.files()
    process = made.unpacked.start(made.unpacked.envoy)
    assert eventually(lambda: naming(made.unpacked.scratch)), "expected an Envoy to be started"
    os.kill(process.pid, how)
    printed, _ = process.communicate(timeout=REPLAY_S)
    assert process.returncode == 2 and printed.endswith("run.py: interrupted\n"), printed
    assert not naming(made.unpacked.scratch)
    assert made.unpacked.files() == before


def test_a_replay_without_a_reader_ends_without_a_verdict(bundled: Callable[..., Bundled]) -> None:
    made = bundled(PASSES)
    before = made.unpacked.files()
    process = made.unpacked.start(made.unpacked.envoy)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(REPLAY_S) == 2
    assert made.unpacked.files() == before


def test_evidence_of_a_failure_has_a_transcript_and_its_configurations(bench: Bench) -> None:
    def fails(cell: Cell) -> None:
        from dmconform.matrix.cell import listener

        with cell.start(listener("local_reply", "418")) as envoy:
            cell.reconfigure(envoy, listener("local_reply", "419"))
            envoy.request("/")
            raise AssertionError("expected this")

    folder = bench.evidence(bench.run(fails))
    steps = [json.loads(line)["step"] for line in (folder / TRANSCRIPT_FILE).read_text().splitlines()]
    assert steps == ["update", "start", "outcome", "update", "outcome", "exchange", "end"]
    assert ["418" in (folder / f"updates/{number}.json").read_text() for number in (1, 2)] == [True, False]
    assert not (folder / "recorded").exists(), "expected files to be recorded for archives only"


def test_the_command_makes_an_archive_that_it_has_replayed(everything: object, tmp_path: Path) -> None:
    project, out = Project(ROOT), tmp_path / "out.tar.gz"
    cell = f"{CRASHES}/cpp@1.39:reference/1.39.3"
    done = project.dmconform("bundle", cell, "--out", out)
    assert done.exit_code == ExitCode.OK, done
    assert re.search(r"replayed: here, as recorded: all \d+ that were compared", done.printed), done.printed
    assert "its replay" in done.errors
    with tarfile.open(out) as archive:
        assert "cell-broken_files-cut_in_half-cpp-1.39-reference-1.39.3/run.py" in archive.getnames()
    assert project.dmconform("bundle", cell, "--out", out).exit_code == ExitCode.USAGE, "expected not to overwrite a file"
    absent = project.dmconform("bundle", "window/local_repli/cpp@1.39:reference/1.39.3", "--out", tmp_path / "other.tar.gz")
    assert (absent.exit_code, "did you mean window/local_reply?" in absent.errors) == (ExitCode.USAGE, True), absent
    no_verdict = "lifetime/request_keeps_its_route/go@1.39:reference/1.39.3"
    nothing = project.dmconform("bundle", no_verdict, "--out", tmp_path / "other.tar.gz")
    assert (nothing.exit_code, "not applicable" in nothing.errors) == (ExitCode.ERROR, True), nothing
    assert [path.name for path in tmp_path.iterdir()] == ["out.tar.gz"]
