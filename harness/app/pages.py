"""The pages of the documentation that are generated from data."""

from __future__ import annotations

from harness import paths
from harness.app.assemble import envoy_test_entries, requirement_entries
from harness.app.catalogue import Catalogue
from harness.plan.complaints import CellIndex
from harness.plan.findings import load_findings
from harness.report.coverage import coverage_page
from harness.report.findings import findings_page, of_known_failure

COVERAGE_FILE = paths.PROJECT / "docs" / "coverage.md"
FINDINGS_FILE = paths.PROJECT / "docs" / "findings.md"


def coverage_text(catalogue: Catalogue) -> str:
    """What `docs/coverage.md` has to be."""
    return coverage_page(requirement_entries(catalogue), envoy_test_entries())


def findings_text(catalogue: Catalogue) -> str:
    """What `docs/findings.md` has to be.

    Raises:
        DataFileError: the data file has a mistake.
    """
    index = CellIndex(catalogue.promised)
    known = [of_known_failure(one, index, catalogue.cases, catalogue.requirements) for one in catalogue.known_failures]
    return findings_page(known, load_findings(paths.FINDINGS_DATA, {one.id for one in catalogue.known_failures}))
