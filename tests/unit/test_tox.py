"""The environments of tox.ini: what is given behind `--` replaces what is run without it, and every one is described."""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
import sys

import pytest

from tests.checkout import ROOT

TIMEOUT_S = 300.0
POSARGS = "{posargs}"
TESTPATHS = "testpaths="


def _tox() -> configparser.ConfigParser:
    ini = configparser.ConfigParser(interpolation=None)
    ini.read(ROOT / "tox.ini")
    return ini


TOX = _tox()
ENVIRONMENTS = [name for name in TOX.sections() if name.startswith("testenv:")]


def pytest_command(name: str) -> list[str]:
    """The command of an environment that takes arguments of pytest."""
    lines = [line for line in TOX[f"testenv:{name}"]["commands"].splitlines() if POSARGS in line]
    (command,) = lines
    return shlex.split(command)


OF_PYTEST = [
    name.removeprefix("testenv:")
    for name in ENVIRONMENTS
    if re.search(r"^pytest .*\{posargs\}", TOX[name]["commands"], re.MULTILINE)
]


def paths_without_arguments(name: str) -> list[str]:
    return [word.removeprefix(TESTPATHS) for word in pytest_command(name) if word.startswith(TESTPATHS)]


def collected(name: str, *words: str) -> set[str]:
    """The files in which an environment's pytest finds tests, given words in the place of {posargs}."""
    program, *rest = pytest_command(name)
    assert (program, rest[-1]) == ("pytest", POSARGS)
    command = [sys.executable, "-m", "pytest", *rest[:-1], *words, "--collect-only", "-q", "-q", "-n", "0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {match[1] for match in re.finditer(r"^(\S+\.py): \d+$", done.stdout, re.MULTILINE)}
    assert found, done.stdout
    return found


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_environment_is_described_with_its_duration(name: str) -> None:
    if name != "testenv:dmconform":
        assert re.search(r"; .*(\d (s|min)|some min|half a minute|as matrix|as long as)", TOX[name]["description"])


def test_the_environments_of_pytest_are_known() -> None:
    assert OF_PYTEST == ["cases", "unit", "engine", "hosts", "mutations", "browser"]


@pytest.mark.parametrize("name", OF_PYTEST)
def test_no_path_stands_before_the_arguments(name: str) -> None:
    """Pytest would run it besides those that are given, and so everything."""
    words = pytest_command(name)
    assert [word for word in words if (ROOT / word).exists()] == []
    (path,) = paths_without_arguments(name)
    assert (ROOT / path).exists()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("unit", "tests/unit/core/test_table.py"),
        ("engine", "tests/containers/test_sandbox.py"),
        ("hosts", "tests/hosts/cli/test_cli.py"),
        ("mutations", "tests/hosts/hosts/test_obtain.py"),
        ("browser", "tests/browser/test_filters.py"),
    ],
)
def test_a_file_that_is_given_is_all_that_runs(name: str, file: str) -> None:
    assert collected(name, file) == {file}


def test_options_alone_choose_among_what_the_environment_runs() -> None:
    assert collected("mutations", "-k", "rtld") == {"tests/hosts/matrix/test_cases.py"}


def test_without_arguments_the_environment_runs_its_own() -> None:
    assert collected("mutations") == {"tests/hosts/matrix/test_cases.py"}
