"""`--sdk-source ADDRESS#COMMIT`: an SDK that no release has yet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from dmconform.cli.main import main
from dmconform.core.errors import ExitCode, HarnessError, UsageError
from dmconform.core.versions import Minor
from dmconform.matrix.prepare import Selection, selected_sdks
from dmconform.sdks import named_commit
from dmconform.sdks.named_commit import at_commit, split_commit
from dmconform.sdks.sources import SourceRepository
from dmconform.spec.catalogue import load_catalogue

from tests.local_git import git

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A branch `main` of two commits, an annotated tag `v1` of the first, and a branch and a tag `v2`."""
    folder = tmp_path_factory.mktemp("clone")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "first")
    git(folder, "tag", "-a", "v1", "-m", "the first")
    git(folder, "tag", "v2")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "second")
    git(folder, "branch", "v2")
    return folder


@pytest.mark.parametrize(
    ("repository", "address", "commit"),
    [
        (f"https://git.example/envoy#{COMMIT}", "https://git.example/envoy", COMMIT),
        (f"https://git.example/envoy#{COMMIT.upper()}", "https://git.example/envoy", COMMIT),
        (f"/a/clone#{COMMIT}", "/a/clone", COMMIT),
        ("https://git.example/envoy", "https://git.example/envoy", None),
    ],
)
def test_the_commit_stands_behind_the_address(repository: str, address: str, commit: str | None) -> None:
    assert split_commit(repository) == (address, commit)


def test_a_folder_may_have_such_a_name(tmp_path: Path) -> None:
    (tmp_path / "folder#main").mkdir()
    assert split_commit(f"{tmp_path}/folder#main") == (f"{tmp_path}/folder#main", None)


@pytest.mark.parametrize("scheme", ["", "file://"])
@pytest.mark.parametrize(
    ("reference", "revision"), [("main", "main"), ("v1", "main~1"), ("refs/tags/v2", "main~1"), ("HEAD", "main")]
)
def test_a_name_is_looked_up(
    reference: str, revision: str, scheme: str, clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit = git(clone, "rev-parse", revision)
    named_commit._looked_up.cache_clear()
    for _ in range(2):
        assert split_commit(f"{scheme}{clone}#{reference}") == (f"{scheme}{clone}", commit)
    assert capsys.readouterr().err.count(f"SDK source {scheme}{clone}: {reference} is commit {commit}") == 1, "once"


@pytest.mark.parametrize("change", [str.upper, str.lower])
def test_the_beginning_of_a_commit_is_looked_up_in_a_clone(change: Callable[[str], str], clone: Path) -> None:
    commit = git(clone, "rev-parse", "main~1")
    assert split_commit(f"{clone}#{change(commit[:9])}") == (str(clone), commit)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("nosuch", "nothing has that name there"),
        ("v2", "it names [0-9a-f]{40}, [0-9a-f]{40} there"),
        ("", "expected a branch, a tag or a commit behind the #"),
        ("--upload-pack=x", "expected a branch, a tag or a commit behind the #"),
        ("deadbeef", "nothing has that name there"),
    ],
)
def test_a_name_of_nothing_or_of_several_is_refused(reference: str, message: str, clone: Path) -> None:
    with pytest.raises(UsageError, match=message):
        split_commit(f"{clone}#{reference}")


def test_a_repository_that_does_not_answer_is_no_mistake_of_usage(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match=r"SDK source .*: git says: ") as caught:
        split_commit(f"file://me:secret@{tmp_path}/none#main")
    assert not isinstance(caught.value, UsageError) and "secret" not in str(caught.value)


def test_a_run_does_not_take_the_recorded_sdk_for_a_branch(
    clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the cache has of the recorded commit would be used in silence."""
    words = ["run", "--sdk", "rust@1.39:official", "--sdk-source", f"{clone}#nosuch", "--out", str(tmp_path / "out")]
    assert main(words) == ExitCode.USAGE
    assert f"--sdk-source {clone}#nosuch: expected a branch, a tag or a commit" in capsys.readouterr().err


def test_the_commit_takes_the_place_of_the_recorded_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DMCONFORM_SDK_SOURCE", f"/a/clone#{COMMIT}")
    sdks, named = selected_sdks(load_catalogue(), Selection(sdks=("rust@1.39",)))
    assert {str(sdk.id): sdk.official and sdk.official.commit for sdk in sdks} == {
        "rust@1.39:reference": None,
        "rust@1.39:official": COMMIT,
    }
    assert named == frozenset()
    sdks, _ = selected_sdks(load_catalogue(), Selection(sdks=("rust@1.39:reference",)))
    assert [sdk.official for sdk in sdks] == [None], "the variable is for all runs, and this one has no use for it"


@pytest.mark.parametrize(
    ("specs", "printed"),
    [
        (("rust@*",), "the official SDK's of 1.37, 1.38, 1.39, 1.40 are selected"),
        (("*@*:reference",), "the official SDK's of none are selected"),
        (("go@1.38",), "go@1.38:official comes from the Go module proxy"),
    ],
)
def test_what_does_not_fit_is_refused(specs: tuple[str, ...], printed: str) -> None:
    sdks, _ = selected_sdks(load_catalogue(), Selection(sdks=specs))
    with pytest.raises(UsageError, match=printed):
        at_commit(sdks, COMMIT, SourceRepository("/a/clone", Path("/nonexistent"), print), Minor(1, 40))


def test_it_is_refused_before_anything_is_built(clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "--sdk-source", f"{clone}#{COMMIT}", "--out", str(tmp_path / "out")]
    assert main(words) == ExitCode.USAGE
    assert "select one, such as --sdk rust@1.39:official" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
