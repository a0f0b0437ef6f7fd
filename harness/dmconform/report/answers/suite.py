"""What a whole report of a run's suite would have: the SDKs, hosts and cases that the suite knew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dmconform.core.values import SdkId
from dmconform.core.versions import Minor, Release
from dmconform.report.schema import Report
from dmconform.spec.expectations import fault_of
from dmconform.spec.findings import Fault


@dataclass(frozen=True)
class KnownSuite:
    """The knowledge of the suite that made a report. Ids that this suite cannot read are left out."""

    sdks: tuple[SdkId, ...]
    host_minors: tuple[Minor, ...]  # oldest first
    cases: Mapping[str, frozenset[str] | None]  # by id: the languages that it runs with; None where that is not known
    records: frozenset[str]
    faults: Mapping[str, Fault | None]  # by the id of a record that matched cells

    @property
    def newest_minor(self) -> Minor:
        """The newest minor that has a known host."""
        return self.host_minors[-1]


def known_suite(report: Report) -> KnownSuite:
    """Returns what the suite that made a report knew; of an older report, as much as it shows."""
    suite = report.suite
    sdks = suite.sdks if suite is not None else tuple(sdk.id for sdk in report.sdks)
    hosts = suite.hosts if suite is not None else tuple(host.release_text for host in report.hosts)
    cases: dict[str, frozenset[str] | None] = {case.id: None for case in report.cases}
    if suite is not None:
        cases |= {case.id: frozenset(case.languages) for case in suite.cases}
    records = suite.records if suite is not None else ()
    minors = {release.minor for release in map(_release, (*hosts, *(host.release_text for host in report.hosts))) if release}
    return KnownSuite(
        sdks=tuple(found for found in map(_sdk, sdks) if found is not None),
        host_minors=tuple(sorted(minors)),
        cases=cases,
        records=frozenset((*records, *(cell.known_failure for cell in report.cells if cell.known_failure))),
        faults={one.id: fault_of(one.reason) for one in report.known_failures},
    )


def _sdk(text: str) -> SdkId | None:
    try:
        return SdkId.parse(text)
    except ValueError:  # of a suite that knows more
        return None


def _release(text: str) -> Release | None:
    try:
        return Release.parse(text)
    except ValueError:
        return None
