"""Static analysis and run-time observation of the cells, to read: what probes' files say, mismatches, what breaks the ABI."""

from __future__ import annotations

from dataclasses import dataclass

from dmconform.core.text import counted
from dmconform.report.marks import NO_STATIC, STATIC_WORDS
from dmconform.report.schema import AbiFindingEntry, AbiPairEntry, Report, StaticEntry


@dataclass(frozen=True)
class MismatchGroup:
    """Cells of one SDK version on one host with the same static/run-time mismatch."""

    sdk: str
    host: str
    text: str
    counts: bool  # whether it fails the run
    cells: tuple[str, ...]

    @property
    def count(self) -> int:
        """The number of cells."""
        return len(self.cells)


@dataclass(frozen=True)
class StaticRow:
    """One SDK version on all hosts with the same static analysis."""

    entry: StaticEntry
    hosts: tuple[str, ...]


def mismatch_groups(report: Report) -> tuple[MismatchGroup, ...]:
    """Returns cells with a static/run-time mismatch, grouped by SDK, host and text; what fails the run first."""
    groups: dict[tuple[bool, str, str, str], list[str]] = {}
    for cell in report.cells:
        if cell.mismatch is not None:
            key = (cell.judgement.is_red, cell.sdk, cell.host, cell.mismatch)
            groups.setdefault(key, []).append(cell.id)
    found = [MismatchGroup(sdk, host, text, counts, tuple(cells)) for (counts, sdk, host, text), cells in groups.items()]
    return tuple(sorted(found, key=lambda it: (not it.counts, -it.count)))


def static_entries(report: Report) -> dict[tuple[str, str], StaticEntry]:
    """Returns the static analysis of the cells, by SDK and host."""
    return {(entry.sdk, entry.host): entry for entry in report.static}


def static_words(entry: StaticEntry | None) -> str:
    """Returns the static analysis in a word, and how many symbols are missing."""
    if entry is None:
        return NO_STATIC
    return STATIC_WORDS[entry.kind] + (f" ({len(entry.missing)})" if entry.missing else "")


def static_sentence(entry: StaticEntry | None) -> str:
    """Returns the static analysis in a sentence."""
    if entry is None:
        return NO_STATIC
    return f"{entry.kind.value}: {entry.reason}" if entry.reason else entry.kind.value


def static_rows(report: Report) -> tuple[StaticRow, ...]:
    """Returns the static analysis for reading.

    Each SDK appears once for all hosts with the same result, with the hosts in their order.
    """
    groups: dict[tuple[object, ...], list[StaticEntry]] = {}
    for entry in report.static:
        groups.setdefault((entry.sdk, entry.kind, entry.reason, entry.missing, entry.notes), []).append(entry)
    return tuple(StaticRow(same[0], tuple(entry.host for entry in same)) for same in groups.values())


def abi_pair_sentence(pair: AbiPairEntry) -> str:
    """Returns how a comparison of ABI data ended, and how much it could compare."""
    extent = f"of {pair.functions} functions that both have, {pair.exact} signatures are compared exactly"
    if pair.nearby:
        extent += f", {pair.nearby} with a header that is not the release's own"
    if pair.unknown:
        extent += f", {pair.unknown} only by name"
    found = counted(pair.findings, "finding") if pair.findings else "none found"
    return f"{pair.sdk_minor} → {pair.host_minor}: {found}; {extent}"


def findings_by_pair(report: Report) -> dict[str, list[AbiFindingEntry]]:
    """Returns what breaks the promise in the ABI itself, by the pair of minors."""
    pairs: dict[str, list[AbiFindingEntry]] = {}
    for finding in report.abi_findings:
        pairs.setdefault(f"{finding.sdk_minor} → {finding.host_minor}", []).append(finding)
    return pairs
