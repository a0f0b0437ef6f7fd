"""What a night leaves besides its report: what changed since the night before, and the text of an issue."""

from __future__ import annotations

from pathlib import Path

import msgspec

from dmconform.core.errors import HarnessError
from dmconform.release.nightly.issue import issue_text, regressed
from dmconform.report.comparison.compare import compare
from dmconform.report.comparison.markdown import render_comparison
from dmconform.report.comparison.model import ReportComparison
from dmconform.report.html import render_html
from dmconform.report.schema import Report

CHANGES = "changes.md"
ISSUE = "issue.md"


def conclude(
    folder: Path, report: Report, previous: Report, issue: Path | None = None, link: str | None = None
) -> ReportComparison:
    """Writes `changes.json`, `changes.md`, a page that marks what changed, and, only if something became worse, an issue.

    Args:
        folder: of the report.
        report: tonight's.
        previous: the report to compare it with.
        issue: file for the text of an issue; None for `issue.md` in the folder.
        link: an address of the whole report, for the text of the issue.

    Raises:
        HarnessError: the folder, or that of the issue, cannot be written to.
    """
    comparison = compare(previous, report)
    issue = issue or folder / ISSUE
    try:
        issue.unlink(missing_ok=True)
        (folder / "changes.json").write_bytes(msgspec.json.format(msgspec.json.encode(comparison), indent=1) + b"\n")
        (folder / CHANGES).write_text(render_comparison(comparison), encoding="utf-8")
        (folder / "index.html").write_text(render_html(report, comparison), encoding="utf-8")
        if regressed(comparison):
            issue.write_text(issue_text(comparison, link), encoding="utf-8")
    except OSError as error:
        raise HarnessError(f"{folder}: what changed cannot be written: {error.strerror}; free room there") from error
    return comparison
