"""Which SDKs are built for cases that load the probes of several."""

from __future__ import annotations

import pytest
from dmconform.core.values import CellId, Relation
from dmconform.core.versions import Minor, Release
from dmconform.matrix.prepare import companions_of
from dmconform.spec.catalogue import Catalogue, load_catalogue
from dmconform.spec.cells import PlannedCell
from dmconform.spec.promise import pair_relation

SDK = "cpp@1.39:reference"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def companions(catalogue: Catalogue, *cells: tuple[str, str]) -> set[str]:
    """The companions of cells, given as case and host."""
    planned = [PlannedCell(CellId(case, SDK, host), Relation.SUPPORTED, "for a test") for case, host in cells]
    minors: dict[str, Minor] = {host.release: Release.parse(host.release).minor for host in catalogue.hosts}
    return {str(sdk.id) for sdk in companions_of(planned, catalogue, minors)}


def test_there_are_none_where_no_case_loads_any(catalogue: Catalogue) -> None:
    assert companions(catalogue, ("window/loads", "1.39.3"), ("window/loads", "1.40.0")) == set()


def test_they_are_those_that_the_hosts_of_such_cases_support(catalogue: Catalogue) -> None:
    case = next(one.id for one in catalogue.cases if one.declaration.companions)
    expected = {f"{language}@{minor}:reference" for language in ("cpp", "go", "rust") for minor in ("1.38", "1.39")}
    assert companions(catalogue, (case, "1.39.3"), ("window/loads", "1.40.0")) == expected


def test_a_cell_gets_every_one_that_it_asks_for(catalogue: Catalogue) -> None:
    case = next(one.id for one in catalogue.cases if one.declaration.companions)
    for host in catalogue.hosts:
        minor = Release.parse(host.release).minor
        asked = {
            str(sdk.id)
            for sdk in catalogue.sdks
            if sdk.official is None and pair_relation(sdk.id.minor, minor) is Relation.SUPPORTED
        }
        assert companions(catalogue, (case, host.release)) == asked, host.release
