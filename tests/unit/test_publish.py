"""Published reports are what they were when they were published."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from harness.cli import main
from harness.errors import UsageError
from harness.publish.history import PAGE, history_text
from harness.publish.publish import FOLDER, REPRODUCE, SUMS, how_to_reproduce, publish, sums_of
from harness.publish.verify import edited_since, problems, published
from harness.report.schema import Report, Shard, write_report
from tests.unit.report_samples import broken, cell, report

GOOD = report([cell(), cell(host="1.40.0")])
NAME = "2026-11-21-a-test"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A report's folder, with evidence in it."""
    folder = tmp_path / "source"
    (folder / "evidence" / "a").mkdir(parents=True)
    (folder / "evidence" / "a" / "envoy.log").write_text("large")
    (folder / "index.html").write_text("a page")
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
    assert {path.name for path in (folder / NAME).iterdir()} == {"report.json", "index.html", SUMS, REPRODUCE}
    assert list(problems(folder)) == []
    assert [path.name for path in folder.iterdir()] == [NAME]


def edited(folder: Path) -> None:
    text = (folder / "report.json").read_text(encoding="utf-8")
    (folder / "report.json").write_text(text.replace('"passed"', '"failed"', 1), encoding="utf-8")


def edited_with_its_sums(folder: Path) -> None:
    cells = GOOD.cells[:1]
    write_report(msgspec.structs.replace(GOOD, cells=cells), folder / "report.json")
    (folder / SUMS).write_text(sums_of(folder), encoding="utf-8")


TAMPERED: list[tuple[Callable[[Path], object], str]] = [
    (edited, f"{NAME}: report.json was edited"),
    (lambda it: (it / "index.html").unlink(), f"{NAME}: index.html is missing"),
    (lambda it: (it / "matrix.md").write_text("new"), f"{NAME}: matrix.md was added"),
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


def test_the_command_ends_with_1_where_something_was_edited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["published"]) == 0
    copy = tmp_path / "published"
    shutil.copytree(FOLDER, copy)
    first = published(copy)[0]
    (first / "matrix.md").write_text("better", encoding="utf-8")
    monkeypatch.setattr("harness.publish.verify.FOLDER", copy)
    monkeypatch.setattr("harness.publish.verify.problems.__defaults__", (copy,))
    assert main(["published"]) == 1
    assert f"{first.name}: matrix.md was edited" in capsys.readouterr().err
