"""Everything the project knows, loaded and checked: hosts, SDKs, cases, requirements, known failures."""

from __future__ import annotations

from dataclasses import dataclass

from harness import paths
from harness.hosts.catalogue import KnownHost, load_hosts
from harness.model import Relation
from harness.plan.cases import Case, Requirement, load_cases, load_requirements
from harness.plan.expectations import KnownFailure, check_records_match, load_known_failures
from harness.plan.plan import plan_cells
from harness.sdks.catalogue import Sdk, load_sdks


@dataclass(frozen=True)
class Catalogue:
    """The project's data files, loaded."""

    hosts: tuple[KnownHost, ...]
    sdks: tuple[Sdk, ...]
    cases: tuple[Case, ...]
    requirements: dict[str, Requirement]
    known_failures: tuple[KnownFailure, ...]

    def case(self, case_id: str) -> Case:
        """The case with this id."""
        return next(case for case in self.cases if case.id == case_id)


def load_catalogue() -> Catalogue:
    """Loads and checks all of it.

    Raises:
        DataFileError: a file is not of its format, or they do not fit together.
    """
    hosts = load_hosts(paths.HOSTS_FILE)
    sdks = load_sdks(paths.SDKS)
    requirements = load_requirements(paths.SPEC_FILE)
    cases = load_cases(paths.CASES, requirements)
    records = load_known_failures(paths.KNOWN_FAILURES_FILE)
    every_cell = plan_cells(cases, sdks, [(host.release, host.version.minor) for host in hosts])
    promised = {str(cell.id): cell.relation is Relation.PROMISED for cell in every_cell}
    check_records_match(paths.KNOWN_FAILURES_FILE, records, promised)
    return Catalogue(hosts, sdks, cases, requirements, records)
