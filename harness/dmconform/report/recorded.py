"""The facts that a report can put on record: how cells of known releases ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dmconform.core.errors import UsageError
from dmconform.core.values import Outcome
from dmconform.hosts.catalogue import KnownHost
from dmconform.report.schema import CellEntry, Report
from dmconform.report.stability import Stability, stability
from dmconform.spec.fact_edits import CellFact
from dmconform.spec.facts import Behaviour, RecordedRun, chance_of, observed


def behaviour_of(cell: CellEntry) -> Behaviour:
    """Returns how a cell ended, without what varies."""
    load = cell.probe_load.load
    return observed(
        cell.outcome, cell.abi_verdict, load, cell.facts, cell.detail, places={cell.host: cell.host.partition("~")[0]}
    )


def seen_in(report: Report, known: Iterable[KnownHost]) -> Iterator[CellFact]:
    """Yields the cells of known releases that ran, and ended the same way each time that they did.

    Raises:
        UsageError: the report has no host that is the very binary of a known release.
    """
    hashes = {one.release: one.binary_sha256 for one in known}
    hosts = {host.id for host in report.hosts if hashes.get(host.id) == host.sha256}
    if not hosts:
        names = ", ".join(host.id for host in report.hosts)
        raise UsageError(f"the report of {report.started_at} has no known release: {names}; facts are those of known releases")
    unreleased = {sdk.id for sdk in report.sdks if sdk.development}
    run = RecordedRun(report.started_at, report.environment.suite_commit)
    for cell in report.cells:
        ran = cell.outcome.is_verdict or cell.outcome is Outcome.NOT_APPLICABLE
        stays = stability(cell) is not Stability.UNSTABLE and chance_of(cell.id) is None
        if ran and stays and cell.host in hosts and cell.sdk not in unreleased:
            yield CellFact(cell.case, (cell.sdk, cell.host), behaviour_of(cell), run)
