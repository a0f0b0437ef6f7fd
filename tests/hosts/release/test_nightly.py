"""Nights on one machine: `dmconform nightly`, as `./toxw -e nightly` runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.core.errors import ExitCode

from tests.hosts.project import Project, report_in

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("everything")]

ONE = ("--host", "1.39.3", "--sdk", "cpp@1.39:reference", "--case", "window/local_reply", "-n", "0")
EXPECTED = 'expected = (418, cell.language, "local reply")'


def test_nights_follow_each_other(tmp_path: Path) -> None:
    copy, keep = Project.copy(tmp_path / "project"), tmp_path / "nights"
    words = ("nightly", "--keep", keep, "--nights", "3", *ONE)

    def night(code: ExitCode) -> Path:
        before = set(keep.iterdir()) if keep.exists() else set()
        done = copy.dmconform(*words)
        assert done.exit_code == code, done
        (made,) = set(keep.iterdir()) - before
        assert report_in(made).complete
        return made

    first = night(ExitCode.OK)
    assert not (first / "changes.md").exists()

    copy.edit("conformance/cases/test_window.py", EXPECTED, "expected = (419,)")
    second = night(ExitCode.FAIL)
    assert "# 1 regression" in (second / "issue.md").read_text()
    assert "window/local_reply" in (second / "issue.md").read_text()

    third = night(ExitCode.FAIL)
    assert not (third / "issue.md").exists(), "what was broken the night before is no news"
    assert (third / "changes.md").read_text().startswith("# No regression")

    copy.edit("conformance/cases/test_window.py", "expected = (419,)", EXPECTED)
    fourth = night(ExitCode.OK)
    assert "repair: 1" in (fourth / "changes.md").read_text()
    assert set(keep.iterdir()) == {second, third, fourth}


def test_a_night_that_cannot_run_leaves_nothing(tmp_path: Path) -> None:
    done = Project.copy(tmp_path / "project").dmconform("nightly", "--keep", tmp_path / "nights", "--case", "nothing/*")
    assert done.exit_code == ExitCode.EMPTY, done
    assert not list((tmp_path / "nights").iterdir())
