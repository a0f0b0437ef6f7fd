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


def conclude(folder: Path, report: Report, previous: Report) -> ReportComparison:
    """Writes `changes.json`, `changes.md`, a page that marks what changed, and, only if something became worse, `issue.md`.

    Raises:
        HarnessError: the folder cannot be written to.
    """
    comparison = compare(previous, report)
    try:
        (folder / ISSUE).unlink(missing_ok=True)
        (folder / "changes.json").write_bytes(msgspec.json.format(msgspec.json.encode(comparison), indent=1) + b"\n")
        (folder / CHANGES).write_text(render_comparison(comparison), encoding="utf-8")
        (folder / "index.html").write_text(render_html(report, comparison), encoding="utf-8")
        if regressed(comparison):
            (folder / ISSUE).write_text(issue_text(comparison), encoding="utf-8")
    except OSError as error:
        raise HarnessError(f"{folder}: what changed cannot be written: {error.strerror}; free room there") from error
    return comparison
