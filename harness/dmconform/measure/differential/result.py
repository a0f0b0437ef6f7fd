"""The result of a differential test as JSON."""

from __future__ import annotations

from typing import Final

import msgspec

from dmconform.measure.differential.compare_hosts import DifferentialTest
from dmconform.measure.differential.coverage import Cover

SCHEMA_VERSION: Final = 1


class DifferenceEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A callback (without its common prefix) that differs; `record` is the id of a record, null without one."""

    callback: str
    kind: str
    hooks: tuple[str, ...]
    changes: tuple[str, ...]
    record: str | None


class PairEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The module of a minor on a host."""

    abi: str
    host: str
    relation: str
    own: bool  # the host that the others are compared with
    sides: bool  # the upstream side of the host is compared with its downstream side
    callbacks: int
    results: int
    unstable_values: int
    differences: tuple[DifferenceEntry, ...]
    stale_records: tuple[str, ...]
    problems: tuple[str, ...]


class CallbackEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The user of a callback; `category` and `reason` explain why the differential test does not call it."""

    callback: str
    covered_by: str  # differential test, probes or nothing
    also_probes: bool
    upstream: bool
    category: str
    reason: str


class CoverageEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The callbacks of a minor."""

    abi: str
    total: int
    called: int
    probes: int  # and not the differential test
    nothing: int
    upstream: int  # that the differential test calls on the upstream side, too
    callbacks: tuple[CallbackEntry, ...]


class DifferentialResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The result of a differential test."""

    schema_version: int
    duration_s: float
    broken: bool
    incomplete: bool
    pairs: tuple[PairEntry, ...]
    coverage: tuple[CoverageEntry, ...]


def result_of(compared: DifferentialTest) -> DifferentialResult:
    """Returns the result as its JSON has it."""
    pairs = tuple(
        PairEntry(
            pair.abi,
            pair.host,
            pair.relation.value,
            pair.is_own,
            pair.sides,
            pair.callbacks,
            pair.calls,
            pair.unstable,
            tuple(
                DifferenceEntry(
                    one.difference.callback, one.difference.kind.value, one.difference.hooks, one.difference.changes, one.record
                )
                for one in pair.differences
            ),
            pair.stale,
            pair.problems,
        )
        for pair in compared.pairs
    )
    coverages = tuple(
        CoverageEntry(
            one.minor,
            len(one.callbacks),
            one.count(Cover.CALLED),
            one.count(Cover.PROBES),
            one.count(Cover.NOTHING),
            one.upstream,
            tuple(
                CallbackEntry(c.callback, c.by.value, c.also_probes, c.upstream, c.category, c.reason) for c in one.callbacks
            ),
        )
        for one in compared.coverages
    )
    duration_s = round(compared.duration_s, 1)
    return DifferentialResult(SCHEMA_VERSION, duration_s, compared.broken, compared.incomplete, pairs, coverages)


def as_json(compared: DifferentialTest) -> str:
    """Returns JSON text, indented."""
    return msgspec.json.format(msgspec.json.encode(result_of(compared)), indent=1).decode() + "\n"
