"""A commit that is no release: its version and ABI string are its own, and nothing is promised of it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from dmconform.core import paths
from dmconform.core.errors import UsageError
from dmconform.core.values import Outcome, Relation
from dmconform.core.versions import Minor
from dmconform.hosts.catalogue import load_hosts
from dmconform.matrix.announce import host_lines, sdk_lines
from dmconform.matrix.plan import PlannedHost
from dmconform.matrix.prepare import Selection, selected_sdks
from dmconform.report.html import render_html
from dmconform.report.markdown import render_markdown
from dmconform.sdks.builder import Builder, NotBuilt
from dmconform.sdks.catalogue import Sdk
from dmconform.sdks.named_commit import at_commit
from dmconform.sdks.sources import SourceRepository
from dmconform.spec.catalogue import load_catalogue
from dmconform.spec.cells import plan_cells

from tests.local_git import git
from tests.unit.report.test_console import printed
from tests.unit.report_samples import cell, host, report
from tests.unit.report_samples import sdk as sdk_entry

CATALOGUE = load_catalogue()
NEWEST = Minor(1, 40)
HEADER = """#define ENVOY_DYNAMIC_MODULES_ABI_VERSION "v0.1.9"\n"""
FOLDER = "source/extensions/dynamic_modules"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Branches: `dev` of 1.40, `old` of 1.39, `newer` of 1.41, `bare` without a VERSION.txt, `hashed` as in 1.37."""
    folder = tmp_path_factory.mktemp("clone")
    git(folder, "init", "--quiet", "--initial-branch=bare")
    (folder / FOLDER / "abi").mkdir(parents=True)
    _write(folder, f"{FOLDER}/abi/abi.h", HEADER)
    for branch, version in (("dev", "1.40.0-dev"), ("old", "1.39.4-dev"), ("newer", "1.41.0-dev")):
        git(folder, "checkout", "--quiet", "-b", branch, "bare")
        _write(folder, "VERSION.txt", f"{version}\n")
    git(folder, "checkout", "--quiet", "-b", "hashed", "dev")
    git(folder, "mv", f"{FOLDER}/abi/abi.h", f"{FOLDER}/abi.h")
    _write(folder, f"{FOLDER}/abi.h", "// no string\n")
    return folder


def _write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", name)


def official(spec: str = "rust@1.40:official") -> Sdk:
    (found,) = selected_sdks(CATALOGUE, Selection(sdks=(spec,)))[0]
    return found


def named(clone: Path, branch: str, cache: Path, spec: str = "rust@1.40:official") -> Sdk:
    """The SDK of a branch in the place of the recorded one."""
    selection = Selection(sdks=(spec,), sdk_source=f"{clone}#{branch}")
    repository = SourceRepository(selection.repository, cache, lambda _: None)
    assert selection.commit is not None
    (found,) = at_commit((official(spec),), selection.commit, repository, NEWEST)
    return found


def test_version_and_abi_string_are_those_of_the_commit(clone: Path, tmp_path: Path) -> None:
    found = named(clone, "dev", tmp_path)
    commit = git(clone, "rev-parse", "dev")
    assert found.development is not None and found.official is not None
    assert (found.release, found.commit, found.abi_version) == ("1.40.0-dev", commit, "v0.1.9")
    assert found.official.abi_version == "v0.1.9"
    assert found.development.label == f"1.40.0-dev ({commit[:10]})"
    assert official().abi_version == "v0.2.0", "the record is expected of the release's commit only"


def test_before_abi_strings_it_is_the_hash_of_the_header(clone: Path, tmp_path: Path) -> None:
    header = (clone / FOLDER / "abi.h").read_bytes()
    assert named(clone, "hashed", tmp_path).abi_version == hashlib.sha256(header).hexdigest()


def test_sources_without_a_version_are_no_release_either(clone: Path, tmp_path: Path) -> None:
    found = named(clone, "bare", tmp_path)
    assert found.development is not None and found.development.label.startswith("unreleased (")
    assert (found.release, found.abi_version) == ("unreleased", "v0.1.9")


def test_the_recorded_commit_is_the_release(clone: Path, tmp_path: Path) -> None:
    commit = git(clone, "rev-parse", "dev")
    recorded = official()
    assert recorded.official is not None
    recorded = replace(recorded, official=msgspec.structs.replace(recorded.official, commit=commit))
    repository = SourceRepository(str(clone), tmp_path, lambda _: None)
    assert at_commit((recorded,), commit, repository, NEWEST) == (recorded,)


@pytest.mark.parametrize(
    ("branch", "spec", "select"),
    [
        ("old", "rust@1.40:official", "rust@1.39:official"),
        ("dev", "cpp@1.39:official", "cpp@1.40:official"),
        ("newer", "cpp@1.39:official", "cpp@1.40:official"),
    ],
)
def test_a_commit_of_another_minor_is_refused(branch: str, spec: str, select: str, clone: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"-dev, and {spec} is selected; select --sdk {select}"):
        named(clone, branch, tmp_path, spec)


def test_a_commit_of_a_minor_that_has_no_sdk_yet_is_built_as_the_newest(clone: Path, tmp_path: Path) -> None:
    assert named(clone, "newer", tmp_path).release == "1.41.0-dev"


def test_a_commit_that_cannot_be_had_is_not_the_release(tmp_path: Path) -> None:
    absent = SourceRepository(str(tmp_path / "none"), tmp_path / "cache", lambda _: None)
    (found,) = at_commit((official(),), "1" * 40, absent, NEWEST)
    assert found.development is not None and found.development.version == ""


def test_nothing_is_promised_of_it(clone: Path, tmp_path: Path) -> None:
    hosts = [(one.release, one.version.minor) for one in load_hosts(paths.HOSTS_FILE) if one.release == "1.40.0"]
    cases = [case for case in CATALOGUE.cases if case.id.startswith("window/")]
    release = plan_cells(cases, (official(),), hosts)
    assert {cell.relation for cell in release} >= {Relation.SUPPORTED}
    commit = plan_cells(cases, (named(clone, "dev", tmp_path),), hosts)
    assert [cell.id for cell in commit] == [cell.id for cell in release], "the same cells run"
    assert {(cell.relation, cell.relation_reason, cell.promises) for cell in commit} == {
        (Relation.UNSUPPORTED, "an unreleased commit, of which nothing is promised", ())
    }


@pytest.mark.parametrize("language", ["cpp", "go", "rust"])
def test_1_40_is_not_tested_where_the_source_lacks_its_commit(language: str, clone: Path, tmp_path: Path) -> None:
    sdk = official(f"{language}@1.40:official")
    assert sdk.commit == next(host.commit for host in load_hosts(paths.HOSTS_FILE) if host.release == "1.40.0")

    def no_toolchain() -> None:
        raise AssertionError("expected nothing to be built")

    repository = SourceRepository(str(clone), tmp_path, lambda _: None)
    builder = Builder(tmp_path, paths.ABI, paths.TOOLCHAIN, repository, no_toolchain, lambda _: None)  # type: ignore[arg-type]
    (built,) = builder.build_all((sdk,))
    assert isinstance(built, NotBuilt) and built.outcome is Outcome.NOT_TESTED
    assert sdk.commit in built.problem


def test_sources_say_where_they_came_from_without_a_path(clone: Path, tmp_path: Path) -> None:
    found = named(clone, "dev", tmp_path)
    assert found.official is not None
    repository = SourceRepository(str(clone), tmp_path, lambda _: None)
    assert repository.origin(repository.tree(found.official)) == "a local clone"
    other = SourceRepository("https://me:secret@git.example/envoy", tmp_path, lambda _: None)
    assert other.origin(other.tree(found.official)) == "a local clone", "what the cache has did not come from there"


def test_every_form_of_a_report_names_the_commit_and_not_the_release() -> None:
    commit = "4c2aebeb922054030d9b96a3f453298c5cd2bf04"
    entry = msgspec.structs.replace(
        sdk_entry("rust@1.40:official"), development=True, version="1.40.0-dev", commit=commit, repository="a local clone"
    )
    whole = msgspec.structs.replace(
        report([cell(sdk="rust@1.40:official", host="1.40.0", relation=Relation.UNSUPPORTED)]), sdks=(entry,)
    )
    for text in (printed(whole), render_markdown(whole), render_html(whole)):
        assert "1.40.0-dev (4c2aebeb92)" in text.replace("\n", " ").replace("  ", " ")
    assert f"commit {commit} of a local clone, ABI string v0.1.0. Nothing is promised" in render_markdown(whole)
    plain = msgspec.structs.replace(entry, development=False)
    assert plain.label == "rust@1.40:official" and entry.label == "rust@1.40.0-dev (4c2aebeb92):official"


def test_a_run_begins_with_what_it_tests(clone: Path, tmp_path: Path) -> None:
    missing = PlannedHost(host("1.39.3"), None, None, "no network")
    modified = msgspec.structs.replace(host("1.38.3"), build="0ebf/1.38.3/Modified/RELEASE/BoringSSL", origin="PyPI")
    lines = list(host_lines((missing, PlannedHost(modified, None, None))))
    assert lines == ["host 1.38.3 (modified build): commit 0ebf, Modified RELEASE build; PyPI"]
    assert list(sdk_lines((NotBuilt(named(clone, "dev", tmp_path), Outcome.NOT_TESTED, "why"),), "/a/clone")) == []
