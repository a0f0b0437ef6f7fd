"""The report as one HTML page that needs nothing else: no server, no network, readable from a disk or an artifact store."""

from __future__ import annotations

from dmconform.report.comparison.model import ReportComparison
from dmconform.report.page.document import cell_fragment, page
from dmconform.report.schema import Report

__all__ = ["cell_fragment", "render_html"]


def render_html(report: Report, comparison: ReportComparison | None = None) -> str:
    """Renders the page of `report`.

    With its comparison with an earlier one, cells that changed are marked and can be filtered.
    """
    return page(report, comparison)
