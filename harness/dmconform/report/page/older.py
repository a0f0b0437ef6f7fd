"""What a report of an older schema version lacks, so that a reader does not take a gap for a pass."""

from __future__ import annotations

from dmconform.report.schema import Report


def missing_parts(report: Report) -> str | None:
    """Returns a sentence about what is missing, or None, by what is there, as a reader fills gaps with empty lists."""
    missing = []
    if report.cells and not report.static and not report.abi_pairs:
        missing.append("static analysis and run-time observation of each probe (new in schema version 2)")
        missing.append("ABI changes that break modules already built (version 2)")
    if report.requirements and not any(one.cases for one in report.requirements):
        missing.append("level, hosts and cases of requirements, and inconsistencies of records (version 3)")
    return f"This report has an older schema version and lacks: {'; '.join(missing)}." if missing else None
