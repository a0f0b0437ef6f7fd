"""Findings: what real hosts and SDKs get wrong, or do unlike one would think, and that no supported cell shows.

Those that supported cells show are records of known failures; the page of findings (`docs/findings.md`) has both.
"""

from __future__ import annotations

import enum
from datetime import date
from pathlib import Path

import msgspec

from dmconform.core.datafile import load_toml
from dmconform.core.errors import DataFileError
from dmconform.spec.issues import check_issue


class Fault(enum.Enum):
    """The party at fault."""

    HOST = "host"
    SDK = "SDK"
    LANGUAGE = "language"
    DOCUMENTS = "documents"  # they say too little, or contradict one another
    NONE = "none"  # as it should be, but good to know


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One finding: see the top of `conformance/expectations/findings.toml`."""

    id: str
    title: str
    document: str
    seen: str
    hosts: tuple[str, ...]
    sdks: tuple[str, ...]
    fault: Fault
    fault_reason: str
    issue: str  # the address of a report; `issues.NOT_REPORTED` where none was found
    looked_for: date | None = None  # the day on which no report was found
    workaround: str | None = None
    reproduce: str | None = None  # one command
    by_hand: str | None = None  # how, where there is no such command
    requirements: tuple[str, ...] = ()  # ids of the sentences that `document` is about


class FindingsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file. `most_important` are ids of findings and of known failures, the most important one first."""

    most_important: tuple[str, ...]
    finding: tuple[Finding, ...]


def load_findings(path: Path, known_ids: set[str] | None = None) -> FindingsFile:
    """Reads the findings; `known_ids` are the ids of the known failures, None to skip the check of references to them.

    Raises:
        DataFileError: the file is not of its format, an id is duplicate or that of a known failure, or one is unknown.
    """
    findings = load_toml(path, FindingsFile)
    seen = set(known_ids or ())
    for one in findings.finding:
        if one.id in seen:
            raise DataFileError(path, f"duplicate id {one.id!r}, or that of a known failure")
        seen.add(one.id)
        if (one.reproduce is None) == (one.by_hand is None):
            raise DataFileError(path, f"{one.id}: expected either reproduce or by_hand")
        check_issue(path, one.id, one.issue, one.looked_for)
        texts = ("title", "document", "seen", "fault_reason", *(("workaround",) if one.workaround is not None else ()))
        empty = [name for name in texts if not getattr(one, name).strip()] + [
            n for n in ("hosts", "sdks") if not getattr(one, n)
        ]
        if empty:
            raise DataFileError(path, f"{one.id}: {empty[0]} is empty")
        if "\n" in (one.reproduce or ""):
            raise DataFileError(path, f"{one.id}: reproduce is more than one line; it must be one command")
    unknown = [name for name in findings.most_important if name not in seen]
    if unknown and known_ids is not None:
        raise DataFileError(path, f"most_important: {unknown[0]!r} is not an id of a finding or of a known failure")
    return findings
