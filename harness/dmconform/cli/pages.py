"""The pages of the documentation that are generated from data."""

from __future__ import annotations

from dmconform.core import paths
from dmconform.matrix.assemble import envoy_test_entries, requirement_entries
from dmconform.report.coverage import coverage_page
from dmconform.report.findings import findings_page, of_known_failure
from dmconform.spec.catalogue import Catalogue
from dmconform.spec.findings import load_findings
from dmconform.spec.inconsistencies import CellIndex


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
