"""Published reports are what they were when they were published."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from dmconform.cli.main import main
from dmconform.core.errors import UsageError
from dmconform.release.publish.history import history_text
from dmconform.release.publish.publish import FOLDER, PAGE, REPRODUCE, SUMS, how_to_reproduce, publish, sums_of
from dmconform.release.publish.verify import edited_since, problems, published
from dmconform.report.schema import Report, Shard, write_report

from tests.unit.report_samples import broken, cell, report

GOOD = report([cell(), cell(host="1.40.0")])
NAME = "2026-11-21-a-test"
LOG = "builds/rust-1.39/build.log"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A report's folder, with evidence in it."""
    folder = tmp_path / "source"
    (folder / "evidence" / "a").mkdir(parents=True)
    (folder / "evidence" / "a" / "envoy.log").write_text("large")
    (folder / "index.html").write_text("a page")
    (folder / "matrix.md").write_text("a matrix")
    (folder / LOG).parent.mkdir(parents=True)
    (folder / LOG).write_text("a log")
    (folder / "plan.json").write_text("{}")
    write_report(GOOD, folder / "report.json")
    return folder


@pytest.fixture
def folder(tmp_path: Path, source: Path) -> Path:
    """A folder of published reports with one in it."""
    publish(source, NAME, tmp_path / "published")
    return tmp_path / "published"


def test_what_travels_is_kept_as_it_was(folder: Path, source: Path) -> None:
    assert (folder / NAME / "report.json").read_bytes() == (source / "report.json").read_bytes()
    assert {path.name for path in (folder / NAME).iterdir()} == {
        "report.json",
        "index.html",
        "matrix.md",
        "builds",
        SUMS,
        REPRODUCE,
    }
    assert (folder / NAME / LOG).read_text() == "a log"
    assert list(problems(folder)) == []
    assert [path.name for path in folder.iterdir()] == [NAME]


def edited(folder: Path) -> None:
    text = (folder / "report.json").read_text(encoding="utf-8")
    (folder / "report.json").write_text(text.replace('"pass"', '"fail"', 1), encoding="utf-8")


def edited_with_its_sums(folder: Path) -> None:
    cells = GOOD.cells[:1]
    write_report(msgspec.structs.replace(GOOD, cells=cells), folder / "report.json")
    (folder / SUMS).write_text(sums_of(folder), encoding="utf-8")


def removed_with_its_sum(folder: Path) -> None:
    (folder / "matrix.md").unlink()
    (folder / SUMS).write_text(sums_of(folder), encoding="utf-8")


def as_link(folder: Path) -> None:
    """The same bytes, somewhere else: they can change without anybody changing this."""
    (folder / "report.json").rename(folder.parent.parent / "report.json")
    (folder / "report.json").symlink_to(folder.parent.parent / "report.json")


TAMPERED: list[tuple[Callable[[Path], object], str]] = [
    (edited, f"{NAME}: report.json was edited"),
    (lambda it: (it / "index.html").unlink(), f"{NAME}: index.html is missing"),
    (lambda it: (it / "new.md").write_text("new"), f"{NAME}: new.md was added"),
    (removed_with_its_sum, f"{NAME}: matrix.md was never there"),
    (as_link, f"{NAME}: report.json is a link, or no file"),
    (lambda it: (it / "elsewhere").symlink_to("/etc"), f"{NAME}: elsewhere is a link, or no file"),
    (lambda it: os.mkfifo(it / "pipe"), f"{NAME}: pipe is a link, or no file"),
    (lambda it: (it / "builds" / SUMS).write_text("hidden"), f"{NAME}: builds/{SUMS} was added"),
    (lambda it: (it / SUMS).write_bytes(b"\xff\xfe"), f"{NAME}: {SUMS} cannot be read"),
    (lambda it: (it.parent / "stray.md").write_text("new"), "stray.md: is no published report"),
    (lambda it: it.rename(it.parent / ".hidden"), ".hidden: is no published report"),
    (lambda it: (it / SUMS).unlink(), f"{NAME}: has no {SUMS}"),
    (lambda it: (it / SUMS).write_text(""), f"{NAME}: REPRODUCE.md was added"),
    (lambda it: (it / "report.json").write_text("{"), f"{NAME}: report.json was edited"),
    (edited_with_its_sums, "not fit to be published: cells that were planned are not there"),
]


@pytest.mark.parametrize(("tamper", "text"), TAMPERED)
def test_what_was_tampered_with_is_told(folder: Path, tamper: Callable[[Path], object], text: str) -> None:
    tamper(folder / NAME)
    assert any(text in problem for problem in problems(folder)), list(problems(folder))


UNFIT: list[tuple[dict[str, object], str]] = [
    ({"complete": False, "incomplete_reason": "interrupted"}, "did not end: interrupted"),
    ({"planned_cells": 99}, "are not there"),
    ({"shard": Shard(1, 2, "ab", 4)}, "dmconform merge"),
    ({"environment": msgspec.structs.replace(GOOD.environment, suite_commit="abc+changes")}, "run a clean clone"),
]


@pytest.mark.parametrize(("changes", "text"), UNFIT)
def test_an_unfit_report_is_not_published(source: Path, tmp_path: Path, changes: dict[str, object], text: str) -> None:
    write_report(msgspec.structs.replace(GOOD, **changes), source / "report.json")
    with pytest.raises(UsageError, match=text):
        publish(source, NAME, tmp_path / "published")
    assert not (tmp_path / "published").exists()


def gone(file: Path) -> None:
    file.unlink()


def linked(file: Path) -> None:
    file.unlink()
    file.symlink_to("/etc/hostname")


def piped(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize("name", ["index.html", "matrix.md", LOG])
@pytest.mark.parametrize("change", [gone, linked, piped])
def test_a_report_with_a_file_missing_or_linked_is_not_published(
    source: Path, tmp_path: Path, change: Callable[[Path], object], name: str
) -> None:
    change(source / name)
    with pytest.raises(UsageError, match=f"{name} is not there as a file, or is a link"):
        publish(source, NAME, tmp_path / "published")
    assert list((tmp_path / "published").iterdir()) == []


@pytest.mark.parametrize("name", ["today", "2026-11-21", "2026-11-21-Upper", "../2026-11-21-a", "2026-11-21-a/b", ""])
def test_a_name_that_is_none_is_refused(source: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="expected DATE-WHAT"):
        publish(source, name, tmp_path / "published")


def test_a_published_report_is_never_replaced(source: Path, folder: Path) -> None:
    with pytest.raises(UsageError, match="exists already"):
        publish(source, NAME, folder)


def test_how_to_reproduce_names_commit_selection_and_hosts() -> None:
    text = how_to_reproduce(GOOD)
    assert "git checkout 0123456789ab\n./toxw -e matrix -- --host 1.39.3\n" in text
    assert f"- Envoy 1.40.0: `sha256:{GOOD.hosts[1].sha256}`" in text


def test_the_page_shows_how_the_matrix_moved(folder: Path, source: Path) -> None:
    later: Report = msgspec.structs.replace(report([cell(), broken(host="1.40.0")]), started_at="2026-11-22T00:00:00Z")
    write_report(later, source / "report.json")
    publish(source, "2026-11-21-a-later-one", folder)
    text = history_text(folder)
    assert "| rust@1.39:reference | 1.40.0 | ✓ 1 | ✗ 1 fail, 0 |" in text
    assert f"| {NAME} | 2026-11-21-a-later-one | 1 | 0 |" in text
    assert text.index("[2026-11-21-a-later-one]") < text.index(f"[{NAME}]"), "the newest run comes first"


def test_the_repositorys_own_reports_are_as_they_were_published() -> None:
    assert published()
    assert list(problems()) == []
    assert (FOLDER / PAGE).read_text(encoding="utf-8") == history_text(), "dmconform published --write"
    assert edited_since() in ((), None)


class Clone:
    """A repository of git with published reports."""

    def __init__(self, folder: Path) -> None:
        self.project = folder
        self.published = folder / "reports" / "published"
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.invalid", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", str(self.project), *who, *words], check=True, capture_output=True)

    def commit(self, text: str) -> None:
        self.git("add", "-A")
        self.git("commit", "--quiet", "--allow-empty", "-m", text)

    def edit(self) -> None:
        """A better result, with the hash that belongs to it."""
        folder = self.published / NAME
        write_report(msgspec.structs.replace(GOOD, duration_s=1.0), folder / "report.json")
        (folder / SUMS).write_text(sums_of(folder), encoding="utf-8")

    @property
    def edited(self) -> tuple[str, ...] | None:
        assert list(problems(self.published)) == [], "by its hashes nothing was edited"
        return edited_since(self.published, self.project)


@pytest.fixture
def clone(tmp_path: Path, source: Path) -> Clone:
    """One with a report in its first commit, and another published after it."""
    (tmp_path / "clone").mkdir()
    made = Clone(tmp_path / "clone")
    publish(source, NAME, made.published)
    made.commit("published")
    publish(source, f"{NAME}-2", made.published)
    return made


CHANGED = [f"reports/published/{NAME}/{name}" for name in (SUMS, "report.json")]


def test_history_tells_what_hashes_do_not(clone: Clone) -> None:
    assert clone.edited == ()
    clone.commit("another one")
    assert clone.edited == ()
    clone.edit()
    assert clone.edited == tuple(CHANGED), "not committed yet"
    clone.commit("better")
    assert clone.edited == tuple(CHANGED)


def test_a_merge_that_edits_is_told(clone: Clone) -> None:
    clone.commit("another one")
    clone.git("checkout", "--quiet", "-b", "side", "HEAD~1")
    clone.commit("a side")
    clone.git("checkout", "--quiet", "main")
    clone.git("merge", "--quiet", "--no-commit", "--no-ff", "side")
    clone.edit()
    clone.commit("merged")
    assert clone.edited == tuple(CHANGED)


def test_a_report_that_was_removed_or_renamed_is_told(clone: Clone) -> None:
    (clone.published / NAME).rename(clone.published / "2026-11-21-another-name")
    clone.commit("renamed")
    assert CHANGED[1] in (clone.edited or ())


def test_a_shallow_clone_cannot_tell(clone: Clone, tmp_path: Path) -> None:
    clone.edit()
    clone.commit("better")
    subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{clone.project}", str(tmp_path / "shallow")], check=True)
    assert edited_since(tmp_path / "shallow" / "reports" / "published", tmp_path / "shallow") is None
    assert edited_since(tmp_path, tmp_path) is None, "no repository"


def test_the_page_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "published"
    shutil.copytree(FOLDER, copy)
    (copy / PAGE).unlink()
    monkeypatch.setattr("dmconform.release.publish.publish.FOLDER", copy)
    assert main(["published"]) == 1
    assert f"{PAGE}: not what the reports say" in capsys.readouterr().err


def test_the_command_ends_with_1_where_something_was_edited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["published"]) == 0
    copy = tmp_path / "published"
    shutil.copytree(FOLDER, copy)
    first = published(copy)[0]
    (first / "matrix.md").write_text("better", encoding="utf-8")
    monkeypatch.setattr("dmconform.release.publish.verify.FOLDER", copy)
    monkeypatch.setattr("dmconform.release.publish.verify.problems.__defaults__", (copy,))
    assert main(["published"]) == 1
    assert f"{first.name}: matrix.md was edited" in capsys.readouterr().err
