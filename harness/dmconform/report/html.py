"""The report as one HTML page that needs nothing else: no server, no network, readable from a disk or an artifact store."""

from __future__ import annotations

from pathlib import Path

from dmconform.report.comparison.model import ReportComparison
from dmconform.report.page.document import page
from dmconform.report.page.links import cell_fragment
from dmconform.report.schema import Report

__all__ = ["cell_fragment", "render_html"]


def render_html(report: Report, comparison: ReportComparison | None = None, beside: Path | None = None) -> str:
    """Renders the page of `report`.

    With its comparison with an earlier one, cells that changed are marked and can be filtered.

    `beside` is the folder that the page will be in: it links to no file that is not there. None: all are taken to be there.
    """
    return page(report, comparison, beside)
