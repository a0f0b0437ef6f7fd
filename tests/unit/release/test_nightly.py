"""A night is compared with the right one before it, and says what became worse, and only that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from dmconform.cli.main import main
from dmconform.core.errors import ExitCode
from dmconform.core.values import Relation
from dmconform.release.nightly.conclude import conclude
from dmconform.release.nightly.issue import LONGEST_ISSUE, issue_text, regressed
from dmconform.release.nightly.nights import name_of, newest_report, remove_old
from dmconform.report.comparison.compare import compare
from dmconform.report.schema import CellEntry, Report, write_report

from tests.unit.report_samples import HOSTILE, broken, cell, known, report, unreachable

HELD, FAILED, NONE = cell(), broken(), unreachable(sdk="rust@1.39:reference")
FIRST = datetime(2026, 11, 1, 2, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "worse"),
    [
        (HELD, FAILED, True),
        (HELD, known(), True),
        (NONE, FAILED, True),
        (NONE, known(), False),
        (FAILED, FAILED, False),
        (FAILED, HELD, False),
        (HELD, NONE, False),
        (cell(relation=Relation.UNSUPPORTED), broken(relation=Relation.UNSUPPORTED), False),
    ],
)
def test_what_is_worse(tmp_path: Path, old: CellEntry, new: CellEntry, worse: bool) -> None:
    before, now = msgspec.structs.replace(report([old]), started_at="the night before"), report([new])
    (tmp_path / "issue.md").write_text("of another time")
    comparison = conclude(tmp_path, now, before)
    assert bool(regressed(comparison)) is worse
    assert (tmp_path / "issue.md").exists() is worse
    assert (tmp_path / "changes.md").read_text().startswith("# ")
    assert before.started_at in (tmp_path / "index.html").read_text()


def test_a_long_text_of_an_issue_loses_its_end_and_hostile_text_stays_text() -> None:
    many = [(f"area/case_{number}", f"{number} {HOSTILE}") for number in range(2000)]
    comparison = compare(report(cell(name) for name, _ in many), report(broken(name, detail=text) for name, text in many))
    text = issue_text(comparison, "https://x.example/7")
    assert LONGEST_ISSUE - 2000 < len(text) <= LONGEST_ISSUE
    assert text.startswith("# 2000 regressions\n")
    assert text.endswith("\n\nCut: the whole is in changes.md.\n\nWhole report: https://x.example/7\n")
    assert "<script" not in text
    assert "@everyone" not in text
    assert "\x1b" not in text


def keep_night(keep: Path, number: int, *, complete: bool = True) -> Report:
    """A night that was kept."""
    folder = keep / name_of(FIRST + timedelta(days=number))
    folder.mkdir(parents=True)
    made = msgspec.structs.replace(report([HELD]), started_at=f"night {number}", complete=complete)
    write_report(made, folder / "report.json")
    return made


def test_the_newest_whole_night_is_the_one_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert newest_report(tmp_path / "none") is None
    keep_night(tmp_path, 1)
    wanted = keep_night(tmp_path, 2)
    keep_night(tmp_path, 3, complete=False)
    (tmp_path / name_of(FIRST + timedelta(days=4))).mkdir()  # of a run that was killed
    keep_night(tmp_path, 5)
    (tmp_path / name_of(FIRST + timedelta(days=5)) / "report.json").write_text('{"schema_version": 4')
    (tmp_path / "zzz").mkdir()
    write_report(report([FAILED]), tmp_path / "zzz" / "report.json")
    assert newest_report(tmp_path) == wanted
    assert capsys.readouterr().err.count("passed over: ") == 2


def test_old_nights_go_and_nothing_else(tmp_path: Path) -> None:
    for number in range(5):
        keep_night(tmp_path, number)
    (tmp_path / "20200101").mkdir()
    (tmp_path / "precious").touch()
    remove_old(tmp_path, 2)
    left = {name_of(FIRST + timedelta(days=number)) for number in (3, 4)}
    assert {path.name for path in tmp_path.iterdir()} == left | {"20200101", "precious"}


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (("--nights", "1"), "--nights 1: expected 2 or more"),
        (("--report", "somewhere", "--host", "1.39"), "--host together with --report"),
        (("--report", "somewhere", "--keep", "nights"), "--keep together with --report"),
        (("--previous", "absent"), "absent: there is no such file"),
        (("--previous", "absent/report.json"), "absent/report.json: there is no such file"),
        (("--report", "absent"), "absent/report.json: there is no such file"),
    ],
)
def test_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], output: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["nightly", *words]) == ExitCode.USAGE
    assert output in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (None, HELD, ExitCode.OK),
        (HELD, HELD, ExitCode.OK),
        (HELD, FAILED, ExitCode.FAIL),
        (HELD, known(), ExitCode.FAIL),
        (FAILED, FAILED, ExitCode.FAIL),
        (FAILED, HELD, ExitCode.OK),
        (cell("other/case"), HELD, ExitCode.ERROR),
        (cell("other/case"), FAILED, ExitCode.FAIL),
    ],
)
def test_a_report_that_is_there_is_compared_and_nothing_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: CellEntry | None, new: CellEntry, code: ExitCode
) -> None:
    (tmp_path / "whole").mkdir()
    red = int(new == FAILED)
    write_report(msgspec.structs.replace(report([new]), exit_code=red), tmp_path / "whole" / "report.json")
    words = ["nightly", "--report", str(tmp_path / "whole")]
    if old is not None:
        write_report(report([old]), tmp_path / "old.json")
        words += ["--previous", str(tmp_path / "old.json")]
    assert main(words) == code
    printed = capsys.readouterr().out
    assert ("no earlier night" in printed) is (old is None)
    assert ("Text of an issue" in printed) is (old == HELD and new != HELD)
    assert ("No cell is in both" in printed) is (old == cell("other/case"))


@pytest.mark.parametrize(("old", "regressed"), [(None, "false"), (FAILED, "false"), (HELD, "true")])
def test_what_a_job_of_github_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: CellEntry | None, regressed: str
) -> None:
    """An earlier folder that is empty is none; the text of an issue goes to a file of its own."""
    outputs, issue, previous = tmp_path / "outputs", tmp_path / "nightly.md", tmp_path / "previous"
    monkeypatch.setenv("GITHUB_OUTPUT", str(outputs))
    for folder in (previous, tmp_path / "whole"):
        folder.mkdir()
    write_report(msgspec.structs.replace(report([FAILED]), exit_code=1), tmp_path / "whole" / "report.json")
    if old is not None:
        write_report(report([old]), previous / "report.json")
    words = [
        "--report",
        str(tmp_path / "whole"),
        "--previous",
        str(previous),
        "--issue",
        str(issue),
        "--link",
        "https://x.example/7",
    ]
    assert main(["nightly", *words, "--format", "github"]) == ExitCode.FAIL
    assert outputs.read_text() == f"regressed={regressed}\n"
    assert issue.exists() is (regressed == "true")
    if issue.exists():
        assert issue.read_text().startswith("# 1 regression\n")
        assert issue.read_text().endswith("\n\nWhole report: https://x.example/7\n")
    assert not (tmp_path / "whole" / "issue.md").exists()
