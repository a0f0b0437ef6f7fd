"""Known failures: supported cells that are on record not to hold, with reason and evidence.

A record turns a failure into a known one. It must go on being true: what is wrong with one is an inconsistency
(`harness/dmconform/spec/inconsistencies.py`), and fails the run.
"""

from __future__ import annotations

import fnmatch
import re
from datetime import date
from pathlib import Path

import msgspec

from dmconform.core.datafile import load_toml
from dmconform.core.errors import DataFileError
from dmconform.core.values import Outcome
from dmconform.core.versions import Minor
from dmconform.spec.findings import Fault
from dmconform.spec.issues import check_issue

FAULT = re.compile(r"The (?P<who>host|SDK|language|document)s? (?:is|are) at fault\b")
_FAULTS = {"host": Fault.HOST, "SDK": Fault.SDK, "language": Fault.LANGUAGE, "document": Fault.DOCUMENTS}
FAULT_BEGINNINGS = (*(f'"The {who} is at fault: …"' for who in ("host", "SDK", "language")), '"The documents are at fault: …"')
"""How the reason of a record can begin."""


def fault_of(reason: str) -> Fault | None:
    """Returns who is at fault by the reason of a record; None where it begins in another way."""
    found = FAULT.match(" ".join(reason.split()))
    return _FAULTS[found["who"]] if found else None


class KnownFailure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One record: see the top of `conformance/expectations/known_failures.toml`."""

    id: str
    cells: tuple[str, ...]
    outcome: Outcome
    detail: str  # a regular expression that the cell's detail must match
    reason: str
    evidence: str
    until: str | None = None  # the minor with which it has to be looked at again
    title: str | None = None  # of its section in the page of findings; the first sentence of the reason otherwise
    issue: str = ""  # the address of a report; `issues.NOT_REPORTED` where none was found. The loader refuses an empty one
    looked_for: date | None = None  # the day on which no report was found
    workaround: str | None = None

    @property
    def fault(self) -> Fault | None:
        """The party at fault by the reason; None where the reason does not begin in the usual way."""
        return fault_of(self.reason)

    def covers(self, cell: str) -> bool:
        """Returns whether the record is about this cell."""
        return any(fnmatch.fnmatchcase(cell, glob) for glob in self.cells)

    def fits(self, outcome: Outcome, detail: str) -> bool:
        """Returns whether the cell fails as the record describes."""
        return outcome is self.outcome and re.search(self.detail, detail) is not None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    known: tuple[KnownFailure, ...] = ()


def load_known_failures(path: Path) -> tuple[KnownFailure, ...]:
    """Loads the records.

    Raises:
        DataFileError: the file is not of its format, an id is duplicate, or a record could cover what it must not.
    """
    records = load_toml(path, _File).known
    seen: set[str] = set()
    for record in records:
        if record.id in seen:
            raise DataFileError(path, f"duplicate id {record.id!r}")
        seen.add(record.id)
        if not record.outcome.is_verdict or record.outcome is Outcome.PASS:
            failures = ", ".join(one.value for one in Outcome if one.is_verdict and one is not Outcome.PASS)
            raise DataFileError(
                path, f"{record.id}: outcome {record.outcome.value!r} is not a failure; expected one of {failures}"
            )
        if not record.reason.strip() or not record.evidence.strip() or not record.cells:
            raise DataFileError(path, f"{record.id}: needs cells, a reason and evidence")
        if record.fault is None:
            raise DataFileError(
                path, f"{record.id}: the reason must begin with whose fault it is, as one of {', '.join(FAULT_BEGINNINGS)}"
            )
        check_issue(path, record.id, record.issue, record.looked_for)
        if record.workaround is not None and not record.workaround.strip():
            raise DataFileError(path, f"{record.id}: workaround is empty")
        try:
            re.compile(record.detail)
        except re.error as error:
            raise DataFileError(path, f"{record.id}: detail is not a regular expression: {error}") from None
        try:
            Minor.parse(record.until or "1.0")
        except ValueError as error:
            raise DataFileError(path, f"{record.id}: until: {error}") from None
    return records
