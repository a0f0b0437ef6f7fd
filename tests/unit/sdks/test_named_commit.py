"""`--sdk-source ADDRESS#COMMIT`: an SDK that no release has yet."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.cli.main import main
from dmconform.core.errors import ExitCode, UsageError
from dmconform.matrix.prepare import Selection, selected_sdks
from dmconform.sdks.named_commit import at_commit, split_commit
from dmconform.spec.catalogue import load_catalogue

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("repository", "address", "commit"),
    [
        (f"https://git.example/envoy#{COMMIT}", "https://git.example/envoy", COMMIT),
        (f"/a/clone#{COMMIT}", "/a/clone", COMMIT),
        ("https://git.example/envoy", "https://git.example/envoy", None),
        ("/a/folder#main", "/a/folder#main", None),
        (f"/a/folder#1/{COMMIT}", f"/a/folder#1/{COMMIT}", None),
    ],
)
def test_the_commit_stands_behind_the_address(repository: str, address: str, commit: str | None) -> None:
    assert split_commit(repository) == (address, commit)


def test_a_branch_is_refused_and_no_password_reported() -> None:
    with pytest.raises(UsageError, match="expected #COMMIT") as caught:
        split_commit("https://me:secret@git.example/envoy#main")
    assert "secret" not in str(caught.value)


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
    sdks, _ = selected_sdks(load_catalogue(), Selection(sdks=specs, sdk_source="/a/clone"))
    with pytest.raises(UsageError, match=printed):
        at_commit(sdks, COMMIT)


def test_it_is_refused_before_anything_is_built(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "--sdk-source", f"/a/clone#{COMMIT}", "--out", str(tmp_path / "out")]
    assert main(words) == ExitCode.USAGE
    assert "select one, such as --sdk rust@1.39:official" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
