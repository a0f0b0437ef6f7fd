"""The archives that are published, and `dmconform` installed from them: it works anywhere, and writes nothing beside itself."""

from __future__ import annotations

import email
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dmconform import __version__
from dmconform.casekit import unprivileged
from dmconform.core.errors import ExitCode
from dmconform.matrix.cell import PROBE
from dmconform.matrix.plan import Plan
from dmconform.report.schema import Report

from tests.checkout import ROOT
from tests.hosts.project import Done, Project, cells_in, ended, report_in

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("everything")]

BUILD_S = 120.0
WHEEL_LIMIT_BYTES = 3_000_000
IN_WHEEL = {
    "harness/dmconform": "dmconform",
    "conformance": "dmconform/data/conformance",
    "sdks": "dmconform/data/sdks",
    "reports/schema": "dmconform/data/reports/schema",
    "docs": "dmconform/data/docs",
}
"""The folders of the repository that are in the wheel; of `docs`, only the texts."""
SDK = "cpp@1.39:reference"
RUN = ("run", "--sdk", SDK, "--host", "1.39", "--host", "1.40", "--case", "rtld/*")
ONE_CELL = f"window/loads/{SDK}/1.39.3"
EXPLODES = 'raise SystemExit(f"imported from the current folder: {__file__}")\n'


@dataclass(frozen=True)
class Archives:
    """The two archives."""

    wheel: Path
    sdist: Path


@dataclass(frozen=True)
class Installation:
    """An environment with the wheel installed, inside of a project of somebody's that uses pytest as well."""

    project: Path

    @property
    def environment(self) -> Path:
        """The virtual environment."""
        return self.project / ".venv"

    @property
    def package(self) -> Path:
        """The installed package."""
        (found,) = self.environment.glob("lib/python*/site-packages/dmconform")
        return found

    def dmconform(self, folder: Path, *arguments: str | Path, prefix: tuple[str, ...] = (), **variables: str) -> Done:
        """The installed command, run in a folder to its end."""
        return self._run(folder, (*prefix, self.environment / "bin" / "dmconform", *arguments), variables)

    def python(self, folder: Path, *arguments: str | Path, **variables: str) -> Done:
        """The environment's Python, run in a folder to its end."""
        return self._run(folder, (self.environment / "bin" / "python", *arguments), variables)

    @staticmethod
    def _run(folder: Path, command: tuple[str | Path, ...], variables: dict[str, str]) -> Done:
        own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return ended(
            subprocess.Popen(
                [str(word) for word in command],
                cwd=folder,
                env=own | variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )

    def files(self) -> dict[Path, tuple[int, int]]:
        """Each installed file of data, cases included, with its size and when it was written."""
        there = (path for path in (self.package / "data").rglob("*") if path.is_file())
        return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in there}


def _done(*command: str | Path, cwd: Path = ROOT) -> None:
    finished = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=BUILD_S, check=False)
    assert finished.returncode == 0, f"{command}:\n{finished.stdout}\n{finished.stderr}"


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    """Both, built from the checkout."""
    folder = tmp_path_factory.mktemp("dist")
    _done(sys.executable, "-m", "hatchling", "build", "-d", folder)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Archives(wheel, sdist)


@pytest.fixture(scope="module")
def installation(archives: Archives, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel in a fresh environment, which has the libraries of the one that the tests run in.

    It is installed as uv does, without bytecode: what Python wrote beside the cases would show.
    """
    made = Installation(tmp_path_factory.mktemp("project"))
    venv.create(made.environment, with_pip=False, symlinks=True)
    pip = (sys.executable, "-m", "pip", "--python", made.environment / "bin" / "python", "--disable-pip-version-check")
    _done(*pip, "install", "--quiet", "--no-index", "--no-deps", "--no-compile", archives.wheel)
    (made.package.parent / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    return made


@pytest.fixture
def read_only(installation: Installation) -> Iterator[tuple[str, ...]]:
    """Takes the right to write away from the installation, and gives the words that take root's right to write all the same."""
    folders = [installation.environment, *(path for path in installation.environment.rglob("*") if path.is_dir())]
    files = [path for path in installation.environment.rglob("*") if path.is_file() and not path.is_symlink()]
    modes = {path: path.stat().st_mode for path in (*folders, *files)}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    yield unprivileged.unprivileged_prefix()
    for path, mode in modes.items():
        path.chmod(mode)


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """An empty folder to run commands in."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


@pytest.fixture
def probe(everything: Plan) -> Path:
    """A built module."""
    return Path(everything.sdk(SDK).modules[PROBE].path)


def outcomes(report: Report) -> dict[str, tuple[str, str]]:
    """How each cell ended."""
    return {cell.id: (cell.outcome.value, cell.judgement.value) for cell in report.cells}


# --- the archives ---


def test_twine_finds_nothing_wrong_with_them(archives: Archives) -> None:
    _done(sys.executable, "-m", "twine", "check", "--strict", archives.wheel, archives.sdist)


def test_the_wheel_has_the_files_that_git_has_and_no_others(archives: Archives) -> None:
    assert archives.wheel.stat().st_size < WHEEL_LIMIT_BYTES
    listed = subprocess.run(
        [
            "git",
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
            *(f"{folder}/*.md" if folder == "docs" else folder for folder in IN_WHEEL),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=BUILD_S,
        check=True,
    ).stdout.split("\0")
    expected = {"dmconform/data/LICENSE"}
    for name in filter(None, listed):
        (folder,) = (one for one in IN_WHEEL if name.startswith(f"{one}/"))
        expected.add(IN_WHEEL[folder] + name.removeprefix(folder))
    there = set(zipfile.ZipFile(archives.wheel).namelist())
    assert {name for name in there if ".dist-info/" not in name} == expected


def test_its_metadata_says_what_an_index_shows(archives: Archives) -> None:
    with zipfile.ZipFile(archives.wheel) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(wheel.read(name))
    assert metadata["Version"] == __version__
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "envoy" in metadata["Keywords"].split(",")
    assert "Programming Language :: Python :: 3.11" in metadata.get_all("Classifier", [])
    assert any(url.startswith("Documentation, https://") for url in metadata.get_all("Project-URL", []))


def test_the_sdist_makes_the_same_wheel(archives: Archives, tmp_path: Path) -> None:
    with tarfile.open(archives.sdist) as packed:
        packed.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    _done(
        *(sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"),
        *("--no-build-isolation", "--wheel-dir", tmp_path, source),
    )
    assert (tmp_path / archives.wheel.name).read_bytes() == archives.wheel.read_bytes()


# --- the installation ---


def test_it_says_its_version(installation: Installation, empty: Path) -> None:
    for done in (installation.dmconform(empty, "--version"), installation.python(empty, "-m", "dmconform", "--version")):
        assert (done.exit_code, done.printed) == (ExitCode.OK, f"dmconform {__version__}\n"), done


@pytest.mark.parametrize("what", ["hosts", "sdks", "cases", "cells"])
def test_it_lists_what_the_checkout_lists(installation: Installation, empty: Path, what: str) -> None:
    done = installation.dmconform(empty, "list", what)
    assert done.exit_code == ExitCode.OK, done
    assert done.printed == Project(ROOT).dmconform("list", what).printed


@pytest.mark.parametrize("command", ["coverage", "findings", "abi diff 1.38 1.39", "plan --shards 4"])
def test_what_it_prints_of_its_data_is_what_the_checkout_prints(installation: Installation, empty: Path, command: str) -> None:
    done = installation.dmconform(empty, *command.split())
    of_checkout = Project(ROOT).dmconform(*command.split())
    assert (done.exit_code, done.printed) == (of_checkout.exit_code, of_checkout.printed), done


def test_files_that_help_texts_name_are_installed(installation: Installation, empty: Path) -> None:
    named = {
        word.strip("().")
        for command in (("check",), ("gate",), ("abi", "extract"), ("abi", "diff"), ("list",))
        for word in "".join(installation.dmconform(empty, *command, "--help", COLUMNS="500").printed).split()
        if word.strip("(").startswith(str(installation.package))
    }
    data = installation.package / "data"
    files = {str(data / name) for name in ("docs/check.md", "conformance/policies/README.md", "conformance/abi/policy.toml")}
    assert files < named
    for name in named:
        assert Path(name).exists(), name


def test_it_reads_a_module_without_any_program(installation: Installation, empty: Path, probe: Path) -> None:
    """As on a machine that has neither Docker nor compilers."""
    done = installation.dmconform(
        *(empty, "check", probe, "--no-run", "--host", "1.38", "--host", "1.39", "--json", "-"), PATH="/nonexistent"
    )
    found = {host["release"]: host["verdict"] for host in json.loads(done.printed)["hosts"]}
    assert found == {"1.38.2": "works", "1.39.3": "works"}, done


def test_it_checks_a_module_without_docker(installation: Installation, empty: Path, probe: Path) -> None:
    done = installation.python(
        *(empty, "-X", "importtime", "-m", "dmconform", "check", probe, "--filter-name", "transform"),
        *("--host", "1.39", "--json", "check.json"),
        PATH="/nonexistent",
    )
    assert done.exit_code == ExitCode.OK, done
    assert [host["verdict"] for host in json.loads((empty / "check.json").read_text())["hosts"]] == ["works"]
    imported = {line.rpartition("|")[2].strip() for line in done.errors.splitlines() if line.startswith("import time:")}
    assert "dmconform.check.work" in imported
    assert not imported & {"docker", "requests", "pytest", "xdist", "clang"}


def test_a_run_ends_as_in_the_checkout_and_writes_into_the_current_folder_only(
    installation: Installation, empty: Path, tmp_path: Path
) -> None:
    before = installation.files()
    done = installation.dmconform(empty, *RUN, "-n", "2")
    assert done.exit_code == ExitCode.OK, done
    assert installation.files() == before
    (folder,) = (empty / "dmconform-reports").iterdir()
    assert [path.name for path in empty.iterdir()] == ["dmconform-reports"]
    of_checkout = Project(ROOT).dmconform(*RUN, "--out", tmp_path / "checkout")
    assert of_checkout.exit_code == ExitCode.OK, of_checkout
    report = report_in(folder)
    assert outcomes(report) == outcomes(report_in(tmp_path / "checkout"))
    assert len({cell.host for cell in report.cells}) == 2
    assert report.environment.suite_version == __version__
    assert report.environment.suite_commit == f"installed-{__version__}"


def test_it_need_not_be_writable(installation: Installation, read_only: tuple[str, ...], empty: Path, probe: Path) -> None:
    """Nor does anything fail where it is not."""

    def held(*arguments: str | Path) -> None:
        done = installation.dmconform(empty, *arguments, prefix=read_only)
        assert done.exit_code == ExitCode.OK, done

    probing = installation.package / "data" / "conformance" / "cases" / "written"
    touched = subprocess.run([*read_only, "touch", probing], capture_output=True, timeout=BUILD_S, check=False)
    assert touched.returncode != 0, "expected the installation to be read-only"
    one = ("--sdk", SDK, "--host", "1.39", "--case", "window/l*")
    held("list", "cells")
    held("check", probe, "--filter-name", "transform", "--host", "1.39")
    for number in ("1", "2"):
        held("run", *one, "--shard", f"{number}/2", "--out", f"shard-{number}", "-n", number)
    held("merge", "shard-1", "shard-2", "--out", "whole")
    held("diff", "whole", "whole")
    held("page", "whole", "--out", "page.html")
    held("reproduce", ONE_CELL)
    held("bundle", ONE_CELL, "--out", "bundle.tar.gz")
    held("nightly", "--sdk", SDK, "--host", "1.39", "--case", "window/loads")
    assert {path.name for path in (empty / "dmconform-reports").iterdir()} > {"nightly"}
    assert cells_in(empty / "whole")[ONE_CELL].outcome.value == "pass"


def test_nothing_of_the_current_folder_is_imported_or_read(
    installation: Installation, probe: Path, empty: Path, request: pytest.FixtureRequest
) -> None:
    """Though it is that of a project which uses pytest too, and whose environment dmconform is installed in."""
    project = installation.project
    hostile = [project / name for name in ("conftest.py", "msgspec.py", "queue.py", "pip.py", "xdist.py", "test_window.py")]
    settings = [project / "pytest.ini", project / "pyproject.toml"]
    for path in (*hostile, *settings):
        request.addfinalizer(path.unlink)
    for path in hostile:
        path.write_text(EXPLODES)
    settings[0].write_text("[pytest]\naddopts = --no-such-option\npython_files = nothing.py\n")
    settings[1].write_text('[tool.pytest.ini_options]\naddopts = "--no-such-option"\n')
    of_pytest = {"PYTEST_ADDOPTS": "--no-such-option", "PYTEST_PLUGINS": "no_such_plugin"}
    before = installation.files()
    for workers in ("0", "2"):
        arguments = ("run", "--sdk", SDK, "--host", "1.39", "--case", "window/l*", "-n", workers, "--out", empty / workers)
        done = installation.python(project, "-m", "dmconform", *arguments, **of_pytest)
        assert done.exit_code == ExitCode.OK, done
        assert report_in(empty / workers).complete
    done = installation.python(project, "-m", "dmconform", "check", probe, "--filter-name", "transform", "--host", "1.39")
    assert done.exit_code == ExitCode.OK, done
    assert installation.files() == before


@pytest.mark.parametrize(
    "command",
    [
        "expectations remove some-id",
        "publish there 2026-01-01-name",
        "published --write",
        "coverage --write",
        "findings --write",
        "plan --measure there",
        "abi hooks",
        "abi faults",
        "abi faults --page",
        "abi sdk-use --write",
    ],
)
def test_what_edits_the_data_of_the_repository_says_that_it_needs_a_checkout(
    installation: Installation, empty: Path, command: str
) -> None:
    before = installation.files()
    done = installation.dmconform(empty, *command.split())
    assert done.exit_code == ExitCode.USAGE, done
    assert "needs a checkout of the repository" in done.errors
    assert installation.files() == before
