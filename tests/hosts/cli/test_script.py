"""`./dmconform` in a copy of the checkout: it makes its environment once, and adds nothing to what the tool does.

The environment takes half a minute or more, most of it pip's; so it is made once for all tests of this file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from dmconform import __version__
from dmconform.core.errors import ExitCode

from tests.checkout import ROOT
from tests.hosts.project import Done

pytestmark = pytest.mark.host

LEFT_OUT = (".git", ".tox", ".venv*", ".*_cache", "__pycache__", "published", "local", "target", "tests")
MAKE_S = 600.0
RUN_S = 120.0
MADE = "dmconform: making .venv-dmconform, once\n"


def call(script: Path, folder: Path, *words: str, timeout_s: float = RUN_S, **more: str) -> Done:
    """Runs the script in a folder, as a shell does, with `more` in its environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [script, *words], cwd=folder, env=environment | more, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script in a copy whose environment is made, in a folder with a blank in its name."""
    clone = tmp_path_factory.mktemp("clone") / "a clone"
    shutil.copytree(ROOT, clone, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    file = clone / "dmconform"
    done = call(file, clone, "--version", timeout_s=MAKE_S)
    assert (done.exit_code, done.printed, done.errors) == (ExitCode.OK, f"dmconform {__version__}\n", MADE), done
    return file


def test_it_prints_what_the_tool_prints_and_nothing_else(script: Path, tmp_path: Path) -> None:
    done = call(script, tmp_path, "list", "hosts", "--host", "1.39.3")
    assert (done.exit_code, done.errors) == (ExitCode.OK, ""), done
    assert done.printed.splitlines()[0].startswith("HOST ")
    assert done.printed.splitlines()[-1] == "1 host"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("abi", "diff", "1.40", "1.40"), ExitCode.OK),
        (("abi", "diff", "1.38", "1.39"), ExitCode.FAIL),
        (("list", "host"), ExitCode.USAGE),
        (("list", "cases", "--case", "nowhere/*"), ExitCode.EMPTY),
    ],
)
def test_the_exit_code_is_the_tools(script: Path, tmp_path: Path, words: tuple[str, ...], code: ExitCode) -> None:
    done = call(script, tmp_path, *words)
    assert done.exit_code == code, done
    assert "tox" not in done.printed + done.errors


def test_paths_are_those_of_the_caller_and_words_stay_as_they_are(script: Path, tmp_path: Path) -> None:
    (tmp_path / "a *").mkdir()
    (tmp_path / "msgspec.py").write_text("raise SystemExit('a module of the folder of the caller')\n")
    (tmp_path / "abi.h").write_text("void envoy_dynamic_module_on_one(void);\n")
    done = call(script, tmp_path, "abi", "extract", "abi.h", "-o", "a */here.json", "--describe", "$(exit 7) 'a  b'")
    absent = call(script, tmp_path, "check", "no such module.so", "--no-run")
    assert absent.exit_code == ExitCode.USAGE, absent
    assert "no such module.so" in absent.errors
    assert str(script.parent) not in absent.errors
    assert (done.exit_code, done.printed) == (ExitCode.OK, ""), done
    assert "$(exit 7) 'a  b'" in (tmp_path / "a *" / "here.json").read_text()
    assert "a module of the folder" not in done.errors
    report = call(script, tmp_path, "page", "report.json", "--out", "a */page.html")
    assert "report.json: there is no such file" in report.errors, report


def test_it_can_be_called_through_a_link(script: Path, tmp_path: Path) -> None:
    (tmp_path / "dm").symlink_to(script)
    done = call(tmp_path / "dm", tmp_path, "--version")
    assert (done.exit_code, done.printed, done.errors) == (ExitCode.OK, f"dmconform {__version__}\n", "")


def test_the_code_that_runs_is_that_of_the_clone(script: Path, tmp_path: Path) -> None:
    file = script.parent / "harness" / "dmconform" / "__init__.py"
    before = file.read_text()
    try:
        file.write_text(before.replace(__version__, "77.7.7"))
        assert call(script, tmp_path, "--version").printed == "dmconform 77.7.7\n"
    finally:
        file.write_text(before)


def test_a_python_path_of_the_caller_does_not_count(script: Path, tmp_path: Path) -> None:
    (tmp_path / "dmconform.py").write_text("raise SystemExit('a module of the caller')\n")
    done = call(script, tmp_path, "--version", PYTHONPATH=str(tmp_path))
    assert (done.exit_code, done.printed, done.errors) == (ExitCode.OK, f"dmconform {__version__}\n", "")


def test_without_a_new_enough_python_it_says_so_with_4(script: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(script.parent / "requirements", clone / "requirements")
    shutil.copy2(script, clone)
    old = tmp_path / "python-of-yore"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.1 && exit\nexit 1\n')
    old.chmod(0o755)
    done = subprocess.run(
        [clone / "dmconform", "--version"],
        env={**os.environ, "PYTHON": str(old)},
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (ExitCode.ERROR, "")
    assert done.stderr == "dmconform: Python 3.9.1 is too old; expected Python 3.11 or newer: name one in PYTHON\n"
