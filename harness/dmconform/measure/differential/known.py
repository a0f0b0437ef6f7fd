"""Recorded differences between hosts, each with a reason: `conformance/differential/known_differences.toml`.

As strict as the records of known failures: one that does not describe what is seen fails the differential test.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from dmconform.core.datafile import load_toml
from dmconform.core.errors import DataFileError
from dmconform.measure.differential.differences import CallbackDifference, DifferenceKind
from dmconform.measure.differential.rules import fits


class KnownDifference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One record: see the top of the file."""

    id: str
    abi: str
    hosts: str
    callbacks: tuple[str, ...]
    kind: DifferenceKind
    reason: str
    evidence: str
    changes: tuple[str, ...] = ()
    sides: bool = False

    def is_about(self, abi: str, host: str) -> bool:
        """Returns whether the record covers modules of a minor on a host."""
        return fits(abi, self.abi) and fits(host, self.hosts)

    def covers(self, difference: CallbackDifference) -> bool:
        """Returns whether a difference is the recorded one: all its changes must be."""
        if difference.kind is not self.kind or not fits(difference.callback, *self.callbacks):
            return False
        return not self.changes or all(any(re.search(one, change) for one in self.changes) for change in difference.changes)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    known: tuple[KnownDifference, ...] = ()


def load_known_differences(path: Path) -> tuple[KnownDifference, ...]:
    """Returns the records.

    Raises:
        DataFileError: the file is not of its format, an id is duplicate, or a record is incomplete.
    """
    records = load_toml(path, _File).known
    seen: set[str] = set()
    for record in records:
        if record.id in seen:
            raise DataFileError(path, f"duplicate id {record.id!r}")
        seen.add(record.id)
        if not record.reason.strip() or not record.evidence.strip() or not record.callbacks:
            raise DataFileError(path, f"{record.id}: needs callbacks, a reason and evidence")
        for expression in record.changes:
            try:
                re.compile(expression)
            except re.error as error:
                raise DataFileError(path, f"{record.id}: {expression!r} is not a regular expression: {error}") from None
    return records


def record_for(
    records: Iterable[KnownDifference], abi: str, host: str, difference: CallbackDifference
) -> KnownDifference | None:
    """Returns the record of a difference.

    Args:
        records: the records of known differences.
        abi: the minor of the module, such as `1.38`.
        host: the release of the host, such as `1.39.3`.
        difference: what was observed there.
    """
    return next((one for one in records if one.is_about(abi, host) and one.covers(difference)), None)


def stale(records: Iterable[KnownDifference], abi: str, host: str, found: Iterable[CallbackDifference]) -> tuple[str, ...]:
    """Returns records of a host that the differential test has not observed there, in sentences.

    Args:
        records: the records of known differences.
        abi: the minor of the module, such as `1.38`.
        host: the release of the host, such as `1.39.3`.
        found: all differences that were observed there.
    """
    differences = tuple(found)
    return tuple(
        f"{record.id}: {glob!r} on {host} does not differ as it is on record; correct or remove the record"
        for record in records
        if record.is_about(abi, host)
        for glob in record.callbacks
        if not any(fits(one.callback, glob) and record.covers(one) for one in differences)
    )
