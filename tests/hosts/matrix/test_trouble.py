"""Runs on a machine in trouble: what is full, or interrupted early, is never a broken promise, and blocks no later run."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from dmconform.core import paths
from dmconform.core.errors import ExitCode
from dmconform.core.values import Outcome
from dmconform.report.reading import read_report

from tests.checkout import ROOT
from tests.hosts.full_disk import small_disk
from tests.hosts.jumping_clock import JumpingClock
from tests.hosts.processes import eventually, of_session
from tests.hosts.project import Project, ended, report_in

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("everything")]

NOBODY = 65534
SELECTED = ("--host", "1.39.3", "--sdk", "cpp@1.39:reference", "--case", "window/*", "-n", "2")


@pytest.fixture(scope="module")
def project() -> Project:
    return Project(ROOT)


def forms(folder: Path) -> set[str]:
    return {name for name in ("junit.xml", "matrix.md", "report.json", "index.html") if (folder / name).is_file()}


@pytest.mark.parametrize(
    ("size_bytes", "there"),
    [
        (128 << 10, {"junit.xml", "matrix.md"}),
        (512 << 10, {"junit.xml", "matrix.md", "report.json"}),
        (4 << 20, {"junit.xml", "matrix.md", "report.json", "index.html"}),
    ],
    ids=["128k", "512k", "4m"],
)
def test_a_full_output_folder_is_no_broken_promise(size_bytes: int, there: set[str], project: Project, tmp_path: Path) -> None:
    """The smallest forms of the report come first; the cells that did not fit could not run."""
    with small_disk(tmp_path / "small", size_bytes) as disk:
        done = project.dmconform("run", *SELECTED, "--out", disk / "out")
        assert done.exit_code == ExitCode.ERROR, done
        assert "Traceback" not in done.errors + done.printed
        assert there <= forms(disk / "out")
        if "report.json" in there:
            outcomes = {cell.outcome.value for cell in report_in(disk / "out").cells}
            assert "error" in outcomes
            assert outcomes <= {"error", "pass"}


def test_a_full_cache_keeps_nothing_and_stops_nothing(project: Project, tmp_path: Path) -> None:
    cache = paths.cache_folder()
    with small_disk(tmp_path / "small", 64 << 10) as disk:
        for name in ("hosts", "modules"):
            (disk / name).symlink_to(cache / name)
        with (disk / "fill").open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space"):
            while True:
                filler.write(bytes(4096))
        environment = {"DMCONFORM_CACHE": str(disk)}
        done = project.dmconform("run", *SELECTED, "--out", tmp_path / "out", environment=environment)
    assert done.exit_code == ExitCode.OK, done


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_an_early_interrupt_leaves_no_folder_that_blocks_its_name(
    name: signal.Signals, project: Project, tmp_path: Path
) -> None:
    """Nor a folder of pytest, nor a traceback of a worker."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    out = tmp_path / "out"
    environment = {"TMPDIR": str(scratch)}
    process = project.start("run", *SELECTED, "--out", out, environment=environment)
    assert eventually(out.is_dir)
    os.killpg(process.pid, name)
    done = ended(process)
    assert done.exit_code == ExitCode.ERROR, done
    assert "Traceback" not in done.errors
    assert "KeyboardInterrupt" not in done.errors
    assert not out.exists() or forms(out) == {"junit.xml", "matrix.md", "report.json", "index.html"}
    if not out.exists():
        done = project.dmconform("run", *SELECTED, "--out", out, environment=environment)
        assert done.exit_code == ExitCode.OK, done
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("jump_s", [-1_500_000_000, 3_000_000_000])
def test_a_clock_that_jumps_gives_a_report_that_can_be_read(jump_s: int, project: Project, tmp_path: Path) -> None:
    """Back to the year 1979, and on to 2121, in the middle of a run."""
    clock = JumpingClock.made_in(tmp_path)
    out = tmp_path / "out"
    process = project.start("run", *SELECTED, "--out", out, environment=clock.environment)
    assert eventually((out / "results.jsonl").exists)
    clock.jump(jump_s)
    done = ended(process)
    assert done.exit_code == ExitCode.OK, done
    report = read_report(out / "report.json")
    assert 0 < report.duration_s < 120
    assert all(0 <= cell.duration_s < 120 for cell in report.cells)
    for words in (("diff", out, out), ("page", out, "--out", tmp_path / "page.html")):
        assert project.dmconform(*words, environment=clock.environment).exit_code == ExitCode.OK


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's processes are limited here, as root's are not: needs root")
def test_with_few_processes_no_promise_is_broken(project: Project, tmp_path: Path) -> None:
    """The limit becomes too low in the middle of a run: what fails from then on could not run, in reruns too."""
    tmp_path.chmod(0o777)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    rights = "--inh-caps=+dac_override,+dac_read_search", "--ambient-caps=+dac_override,+dac_read_search"
    prefix = ("setpriv", f"--reuid={NOBODY}", "--clear-groups", *rights, "prlimit", "--nproc=2000:2000")
    out = tmp_path / "out"
    environment = {"DMCONFORM_CACHE": str(paths.cache_folder()), "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    process = project.start("run", *SELECTED, "--out", out, environment=environment, prefix=prefix)
    assert eventually(lambda: (out / "results.jsonl").exists() and (out / "results.jsonl").stat().st_size > 0, 60)
    for one in of_session(process.pid):
        lower = ["setpriv", f"--reuid={NOBODY}", "--clear-groups", "prlimit", f"--pid={one}", "--nproc=12:2000"]
        subprocess.run(lower, check=False)  # some has ended
    done = ended(process)
    assert (out / "report.json").exists(), done
    outcomes = Counter(cell.outcome for cell in report_in(out).cells)
    assert done.exit_code == ExitCode.ERROR, done
    assert set(outcomes) <= {Outcome.PASS, Outcome.ERROR}, outcomes
    assert outcomes[Outcome.ERROR], "expected the limit to be felt"
