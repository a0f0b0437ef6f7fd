"""Published reports are what they were when they were published."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from dmconform.cli.main import main
from dmconform.core.compressed import compress, read_plain_or_compressed
from dmconform.core.errors import UsageError
from dmconform.release.publish.edits import edited_since
from dmconform.release.publish.history import history_text
from dmconform.release.publish.publish import FILES, FOLDER, PAGE, SUMMARY, SUMS, publish, sums_of
from dmconform.release.publish.summary import MOST_BYTES, summary_text
from dmconform.release.publish.verify import problems, published
from dmconform.report.schema import Report, Shard, write_report

from tests.checkout import ROOT
from tests.unit.report_samples import HOSTILE, broken, cell, hostile_report, known, matrix, report, sdk

GOOD = report([cell(), cell(host="1.40.0")])
NAME = "2026-11-21-a-test"
COMPRESSED = "report.json.xz"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A report's folder, with evidence in it."""
    folder = tmp_path / "source"
    (folder / "evidence" / "a").mkdir(parents=True)
    (folder / "evidence" / "a" / "envoy.log").write_text("large")
    (folder / "index.html").write_text("a page")
    (folder / "matrix.md").write_text("a matrix")
    (folder / "plan.json").write_text("{}")
    write_report(GOOD, folder / "report.json")
    return folder


@pytest.fixture
def folder(tmp_path: Path, source: Path) -> Path:
    """A folder of published reports with one in it."""
    publish(source, NAME, tmp_path / "published")
    return tmp_path / "published"


def test_the_report_is_kept_byte_for_byte_and_nothing_large(folder: Path, source: Path) -> None:
    assert read_plain_or_compressed(folder / NAME / COMPRESSED) == (source / "report.json").read_bytes()
    assert {path.name for path in (folder / NAME).iterdir()} == {*FILES} == {COMPRESSED, SUMMARY, SUMS}
    assert list(problems(folder)) == []
    assert [path.name for path in folder.iterdir()] == [NAME]


def test_it_is_the_same_each_time_and_from_a_compressed_report(folder: Path, source: Path, tmp_path: Path) -> None:
    again = publish(source, NAME, tmp_path / "again")
    from_published = publish(folder / NAME, NAME, tmp_path / "from published")
    for name in FILES:
        assert (folder / NAME / name).read_bytes() == (again / name).read_bytes() == (from_published / name).read_bytes()


def edited(folder: Path) -> None:
    text = read_plain_or_compressed(folder / COMPRESSED)
    (folder / COMPRESSED).write_bytes(compress(text.replace(b'"pass"', b'"fail"', 1)))


def replace_report(folder: Path, whole: Report) -> None:
    """Puts another report into a folder, with the hash that belongs to it."""
    write_report(whole, folder / "report.json")
    (folder / COMPRESSED).write_bytes(compress((folder / "report.json").read_bytes()))
    (folder / "report.json").unlink()
    (folder / SUMS).write_text(sums_of(folder), encoding="utf-8")


def edited_with_its_sums(folder: Path) -> None:
    replace_report(folder, msgspec.structs.replace(GOOD, cells=GOOD.cells[:1]))


def removed_with_its_sum(folder: Path) -> None:
    (folder / SUMMARY).unlink()
    (folder / SUMS).write_text(sums_of(folder), encoding="utf-8")


def added_with_its_sum(folder: Path) -> None:
    (folder / "index.html").write_text("a page")
    (folder / SUMS).write_text(sums_of(folder), encoding="utf-8")


def summary_too_long(folder: Path) -> None:
    (folder / SUMMARY).write_text("x" * (MOST_BYTES + 1))
    (folder / SUMS).write_text(sums_of(folder), encoding="utf-8")


def as_link(folder: Path) -> None:
    """The same bytes, somewhere else: they can change without anybody changing this."""
    (folder / COMPRESSED).rename(folder.parent.parent / COMPRESSED)
    (folder / COMPRESSED).symlink_to(folder.parent.parent / COMPRESSED)


def hidden_deeper(folder: Path) -> None:
    (folder / "builds").mkdir()
    (folder / "builds" / SUMS).write_text("hidden")


TAMPERED: list[tuple[Callable[[Path], object], str]] = [
    (edited, f"{NAME}: report.json.xz was edited"),
    (lambda it: (it / SUMMARY).unlink(), f"{NAME}: summary.md is missing"),
    (lambda it: (it / "new.md").write_text("new"), f"{NAME}: new.md was added"),
    (removed_with_its_sum, f"{NAME}: summary.md was never there"),
    (added_with_its_sum, f"{NAME}: index.html is nothing that a published report has"),
    (summary_too_long, f"{NAME}: summary.md is too large: expected at most 10000 bytes"),
    (as_link, f"{NAME}: report.json.xz is a link, or no file"),
    (lambda it: (it / "elsewhere").symlink_to("/etc"), f"{NAME}: elsewhere is a link, or no file"),
    (lambda it: os.mkfifo(it / "pipe"), f"{NAME}: pipe is a link, or no file"),
    (hidden_deeper, f"{NAME}: builds/{SUMS} was added"),
    (lambda it: (it / SUMS).write_bytes(b"\xff\xfe"), f"{NAME}: {SUMS} cannot be read"),
    (lambda it: (it.parent / "stray.md").write_text("new"), "stray.md: is not a published report"),
    (lambda it: it.rename(it.parent / ".hidden"), ".hidden: is not a published report"),
    (lambda it: (it / SUMS).unlink(), f"{NAME}: has no {SUMS}"),
    (lambda it: (it / SUMS).write_text(""), f"{NAME}: summary.md was added"),
    (lambda it: (it / COMPRESSED).write_text("{"), f"{NAME}: report.json.xz was edited"),
    (lambda it: (it / COMPRESSED).write_bytes(compress(b"{}") * 2), "more bytes follow it"),
    (edited_with_its_sums, "not fit to be published: cells that were planned are not there"),
]


@pytest.mark.parametrize(("tamper", "text"), TAMPERED)
def test_what_was_tampered_with_is_reported(folder: Path, tamper: Callable[[Path], object], text: str) -> None:
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


@pytest.mark.parametrize("name", ["today", "2026-11-21", "2026-11-21-Upper", "../2026-11-21-a", "2026-11-21-a/b", ""])
def test_a_name_that_is_none_is_refused(source: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="expected DATE-WHAT"):
        publish(source, name, tmp_path / "published")


def test_a_published_report_is_never_replaced(source: Path, folder: Path) -> None:
    with pytest.raises(UsageError, match="exists already"):
        publish(source, NAME, folder)


def test_the_summary_says_how_to_see_the_page_and_the_run_again() -> None:
    text = summary_text(GOOD, NAME, SUMS)
    assert text.startswith("# ○ Only the reference SDK was run, the control: this says nothing of the official SDKs\n")
    assert f"\ndmconform page reports/published/{NAME} --out page.html\n" in text
    assert "\ngit checkout 0123456789ab\n./toxw -e matrix -- --host 1.39.3\n" in text
    assert f"| 1.40.0 | {GOOD.hosts[1].build} | <code>{GOOD.hosts[1].sha256}</code> |" in text
    assert "| rust@1.39:reference | 2 |  |  |  |  |" in text
    assert "Failures" not in text
    assert "DMCONFORM_SDK_SOURCE" not in text
    official = report([cell(sdk="go@1.39:official")], sdks=[sdk("go@1.39:official")])
    assert "`DMCONFORM_SDK_SOURCE` (" in summary_text(official, NAME, SUMS)


def test_the_summary_has_the_worst_first_and_a_row_per_record() -> None:
    cells = [known("guard/one"), known("guard/two"), broken("load/new", detail="expected a, seen b"), cell(host="1.40.0")]
    text = summary_text(report(cells, exit_code=1), NAME, SUMS)
    rows = [line for line in text.splitlines() if re.match(r"\| \d+ \| (load|guard)/", line)]
    assert rows == [
        "| 1 | load/new | 1 answers wrongly | **new** | expected a, seen b |",
        "| 2 | guard/one and 1 more case | 2 ends Envoy | known-1 | SIGABRT: panic in a function that cannot unwind |",
    ]
    assert "| the reference SDK (control) | 4 | 4 | 1 | 1 (1 answers wrongly) | 2 (2 ends Envoy) | 0 | 0 | 0 |" in text
    assert "2 crashes of Envoy in 4 cells: 2 control." in text
    assert "| rust@1.39:reference | 1 | 1 | 2 |  |  |" in text


def many_failures() -> Report:
    return report(broken(f"area/case_{number}", detail=f"{number} é€😀{HOSTILE}" * 3) for number in range(500))


@pytest.mark.parametrize("make", [many_failures, hostile_report, lambda: matrix(cases=40)])
def test_the_summary_is_short_and_nothing_in_it_is_markup(make: Callable[[], Report]) -> None:
    whole = make()
    environment = msgspec.structs.replace(whole.environment, suite_commit=f"0123\n```\n# {HOSTILE}" * 50)
    whole = msgspec.structs.replace(whole, environment=environment, selection={"host": (f"\n```\n# {HOSTILE}",) * 50})
    text = summary_text(whole, NAME, SUMS)
    assert 1000 < len(text.encode()) <= MOST_BYTES == 10_000
    assert "<script" not in re.sub(r"(?s)```sh\n.*?\n```\n", "", text)
    assert len([line for line in text.splitlines() if line.startswith("```")]) == 4, "no text ends a block of commands"
    assert len([line for line in text.splitlines() if line.startswith("# ")]) <= 2, "a title, and a comment of the shell"


def test_the_page_shows_how_the_matrix_moved(folder: Path, source: Path) -> None:
    later: Report = msgspec.structs.replace(report([cell(), broken(host="1.40.0")]), started_at="2026-11-22T00:00:00Z")
    write_report(later, source / "report.json")
    publish(source, "2026-11-21-a-later-one", folder)
    text = history_text(folder)
    assert "| rust@1.39:reference | 1.40.0 | ✓ 1 pass | ✗ 1 answers wrongly |" in text
    assert f"| {NAME} | 2026-11-21-a-later-one | 0 | 1 | 0 |" in text
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
        replace_report(self.published / NAME, msgspec.structs.replace(GOOD, duration_s=1.0))

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


CHANGED = [f"reports/published/{NAME}/{name}" for name in (SUMS, COMPRESSED)]


def test_history_shows_what_hashes_do_not(clone: Clone) -> None:
    assert clone.edited == ()
    clone.commit("another one")
    assert clone.edited == ()
    clone.edit()
    assert clone.edited == tuple(CHANGED), "not committed yet"
    clone.commit("better")
    assert clone.edited == tuple(CHANGED)


def test_a_merge_that_edits_is_reported(clone: Clone) -> None:
    clone.commit("another one")
    clone.git("checkout", "--quiet", "-b", "side", "HEAD~1")
    clone.commit("a side")
    clone.git("checkout", "--quiet", "main")
    clone.git("merge", "--quiet", "--no-commit", "--no-ff", "side")
    clone.edit()
    clone.commit("merged")
    assert clone.edited == tuple(CHANGED)


def test_a_report_that_was_removed_or_renamed_is_reported(clone: Clone) -> None:
    (clone.published / NAME).rename(clone.published / "2026-11-21-another-name")
    clone.commit("renamed")
    assert CHANGED[1] in (clone.edited or ())


def publish_plainly(clone: Clone, source: Path) -> Path:
    """Commits a report as the first ones were published: plain, with its page. Returns its folder."""
    folder = clone.published / OLD
    (folder / "build-logs").mkdir(parents=True)
    (folder / "build-logs" / "a.log").write_text("a log")
    for name in ("report.json", "index.html", "matrix.md"):
        shutil.copy(source / name, folder / name)
    (folder / SUMS).write_text(sums_of(folder), encoding="utf-8")
    clone.commit("published plainly")
    return folder


def convert(folder: Path, tmp_path: Path) -> None:
    folder.rename(tmp_path / "plain")
    publish(tmp_path / "plain", folder.name, folder.parent)


OLD = "2026-11-20-of-old"


def of_old(*names: str) -> tuple[str, ...]:
    return tuple(sorted(f"reports/published/{OLD}/{name}" for name in names))


def test_a_plain_report_that_is_replaced_by_its_compressed_form_was_not_edited(
    clone: Clone, source: Path, tmp_path: Path
) -> None:
    folder = publish_plainly(clone, source)
    convert(folder, tmp_path)
    assert clone.edited == (), "not committed yet"
    clone.commit("converted")
    assert clone.edited == ()
    clone.commit("something else")
    assert clone.edited == ()


def test_later_edits_of_a_converted_report_are_reported(clone: Clone, source: Path, tmp_path: Path) -> None:
    folder = publish_plainly(clone, source)
    convert(folder, tmp_path)
    clone.commit("converted")
    (folder / SUMMARY).write_text("better")
    (folder / SUMS).write_text(sums_of(folder), encoding="utf-8")
    assert clone.edited == of_old(SUMS, SUMMARY)
    clone.commit("better")
    assert clone.edited == of_old(SUMS, SUMMARY)
    replace_report(folder, msgspec.structs.replace(GOOD, duration_s=1.0))
    clone.commit("another report")
    everything = of_old(SUMS, SUMMARY, COMPRESSED, "report.json", "index.html", "matrix.md", "build-logs/a.log")
    assert clone.edited == everything, "what is there now is not what was removed"


def test_a_summary_that_is_removed_as_if_by_a_conversion_is_reported(clone: Clone, source: Path) -> None:
    """The plain form comes back, and goes once more, and the summary with it: a way to put another in its place."""
    folder, summary = clone.published / NAME, (clone.published / NAME / SUMMARY).read_text()
    shutil.copy(source / "report.json", folder / "report.json")
    clone.commit("plain again")
    (folder / "report.json").unlink()
    (folder / SUMMARY).unlink()
    clone.commit("converted, as it seems")
    (folder / SUMMARY).write_text(summary)
    assert clone.edited == (f"reports/published/{NAME}/{SUMMARY}",)


def test_a_conversion_to_another_report_is_reported(clone: Clone, source: Path, tmp_path: Path) -> None:
    folder = publish_plainly(clone, source)
    write_report(msgspec.structs.replace(GOOD, duration_s=1.0), folder / "report.json")
    convert(folder, tmp_path)
    assert "report.json" in str(clone.edited)
    clone.commit("converted")
    assert clone.edited == of_old(SUMS, "report.json", "index.html", "matrix.md", "build-logs/a.log")


def test_an_edit_before_a_conversion_is_reported(clone: Clone, source: Path, tmp_path: Path) -> None:
    """The compressed form holds what was removed, but not what was published."""
    folder = publish_plainly(clone, source)
    write_report(msgspec.structs.replace(GOOD, duration_s=1.0), folder / "report.json")
    (folder / SUMS).write_text(sums_of(folder), encoding="utf-8")
    clone.commit("better")
    convert(folder, tmp_path)
    clone.commit("converted")
    assert clone.edited == of_old(SUMS, "report.json")


def test_a_report_that_was_removed_in_its_plain_form_is_reported(clone: Clone, source: Path) -> None:
    shutil.rmtree(publish_plainly(clone, source))
    clone.commit("removed")
    assert clone.edited == of_old(SUMS, "report.json", "index.html", "matrix.md", "build-logs/a.log")


def test_a_shallow_clone_cannot_tell(clone: Clone, tmp_path: Path) -> None:
    clone.edit()
    clone.commit("better")
    subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{clone.project}", str(tmp_path / "shallow")], check=True)
    assert edited_since(tmp_path / "shallow" / "reports" / "published", tmp_path / "shallow") is None
    assert edited_since(tmp_path, tmp_path) is None, "no repository"


def test_the_published_reports_are_small() -> None:
    files = [path for path in (ROOT / "reports").rglob("*") if path.is_file() and "local" not in path.parts]
    assert sum(path.stat().st_size for path in files) < 3_000_000
    assert {path.name for path in FOLDER.glob("*/*")} == {*FILES}


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
    (first / SUMMARY).write_text("better", encoding="utf-8")
    monkeypatch.setattr("dmconform.release.publish.verify.FOLDER", copy)
    monkeypatch.setattr("dmconform.release.publish.verify.problems.__defaults__", (copy,))
    assert main(["published"]) == 1
    assert f"{first.name}: summary.md was edited" in capsys.readouterr().err
