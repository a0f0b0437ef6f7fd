"""What a report cannot tell, as one of an older schema version, so that a reader does not take silence for an answer."""

from __future__ import annotations

from dmconform.report.schema import Report


def not_told(report: Report) -> str | None:
    """Returns a sentence about what is missing, or None. It goes by what is there, as a reader fills gaps with empty lists."""
    missing = []
    if report.cells and not report.static and not report.abi_pairs:
        missing.append("static verdicts and what became of each probe (which came with schema version 2)")
        missing.append("what breaks the promise in the ABI itself (version 2)")
    if report.requirements and not any(one.cases for one in report.requirements):
        missing.append("level, hosts and cases of requirements, and inconsistencies about records (version 3)")
    return f"This is an older report. It does not tell: {'; '.join(missing)}." if missing else None
