"""Everything the project knows, loaded and checked: hosts, SDKs, cases, requirements, known failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dmconform.core import paths
from dmconform.core.values import Relation
from dmconform.core.versions import Minor
from dmconform.hosts.catalogue import KnownHost, load_hosts
from dmconform.sdks.catalogue import Sdk, load_sdks
from dmconform.spec.cases import Case, Requirement, load_cases, load_requirements
from dmconform.spec.cells import plan_cells
from dmconform.spec.documents import link_requirements, load_documents
from dmconform.spec.expectations import KnownFailure, load_known_failures
from dmconform.spec.findings import Finding, load_findings
from dmconform.spec.inconsistencies import Inconsistency, inconsistencies_of_records


@dataclass(frozen=True)
class Catalogue:
    """The project's data files, loaded."""

    hosts: tuple[KnownHost, ...]
    sdks: tuple[Sdk, ...]
    cases: tuple[Case, ...]
    requirements: dict[str, Requirement]
    known_failures: tuple[KnownFailure, ...]
    findings: tuple[Finding, ...]
    supported: Mapping[str, bool]
    """All cells that could ever be planned, each with whether it is supported."""

    @property
    def newest_minor(self) -> Minor:
        """The newest minor that has a known host."""
        return max(host.version.minor for host in self.hosts)

    def inconsistencies(self) -> tuple[Inconsistency, ...]:
        """Returns what is wrong with the records of known failures by their data alone."""
        return inconsistencies_of_records(self.known_failures, self.supported, self.newest_minor)

    def case(self, case_id: str) -> Case:
        """Returns the case with this id."""
        return next(case for case in self.cases if case.id == case_id)


def load_catalogue() -> Catalogue:
    """Loads and checks all data files.

    Raises:
        DataFileError: a file is not of its format, or they do not fit together.
    """
    hosts = load_hosts(paths.HOSTS_FILE)
    sdks = load_sdks(paths.SDKS)
    documents = load_documents(paths.DOCUMENTS_FILE)
    requirements = link_requirements(paths.SPEC_FILE, load_requirements(paths.SPEC_FILE), documents)
    cases = load_cases(paths.CASES, requirements)
    records = load_known_failures(paths.KNOWN_FAILURES_FILE)
    findings = load_findings(paths.FINDINGS_DATA).finding
    every_cell = plan_cells(cases, sdks, [(host.release, host.version.minor) for host in hosts], everywhere=True)
    supported = {str(cell.id): cell.relation is Relation.SUPPORTED for cell in every_cell}
    return Catalogue(hosts, sdks, cases, requirements, records, findings, supported)
