"""The page of extension points follows from the data: from facts, promises, SDKs and the ABI."""

from __future__ import annotations

import dataclasses

import pytest
from dmconform.cli.main import main
from dmconform.cli.pages import points_text
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import AbiVerdict, Judgement, Outcome
from dmconform.core.versions import Minor
from dmconform.report.points_page import NOTHING_ON_RECORD, hosts_since, points_page, recorded_cells
from dmconform.spec.catalogue import Catalogue, load_catalogue
from dmconform.spec.facts import Behaviour, FactEntry, Facts, FactsFile, RecordedRun

from tests.recorded import assert_page

WORKS = "points/works@access_logger"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """What the suite knows."""
    return load_catalogue()


@pytest.fixture(scope="module")
def works(catalogue: Catalogue) -> Catalogue:
    """The same with one case at an extension point."""
    return dataclasses.replace(catalogue, cases=(catalogue.case(WORKS),))


def facts(*entries: tuple[Behaviour, dict[str, str]]) -> Facts:
    """Facts of the one case."""
    run = RecordedRun("2026-11-30T00:00:00Z", "0123456789")
    return Facts([FactsFile(1, (run,), {WORKS: tuple(FactEntry(*one, 0) for one in entries)})])


def test_the_page_is_the_one_of_the_data(catalogue: Catalogue, capsys: pytest.CaptureFixture[str]) -> None:
    assert_page("docs/points.md", points_text(catalogue), "dmconform coverage --points --write")
    assert main(["coverage", "--points"]) == 0
    assert capsys.readouterr().out == points_text(catalogue)


def test_every_extension_point_is_named_with_the_release_that_brings_it(catalogue: Catalogue) -> None:
    page = points_text(catalogue)
    for point in ExtensionPoint:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{point.value}` | {point.plural} |"))
        assert f"from {hosts_since()[point]} on" in row
    looked_up = {ExtensionPoint.HTTP_FILTER: "1.36", ExtensionPoint.TRACER: "1.38", ExtensionPoint.TLS_HANDSHAKER: "1.40"}
    assert {point: str(hosts_since()[point]) for point in looked_up} == looked_up


def test_cells_are_as_on_record(works: Catalogue) -> None:
    """A crash that a record knows is known, one that no record knows counts, and nothing on record is no pass."""
    found = recorded_cells(
        works,
        facts(
            (Behaviour(abi=AbiVerdict.MATCHED), {"1.39.3": "rust@1.39:official", "1.40.0": "rust@1.40:reference"}),
            (Behaviour(Outcome.CRASH, detail="Envoy was killed by SIGSEGV"), {"1.40.0": "rust@1.39:official"}),
        ),
    )
    cells = {(one.sdk, one.host): one for one in found}
    assert cells["rust@1.39:official", "1.39.3"].judgement is Judgement.PASS
    assert cells["rust@1.40:reference", "1.40.0"].outcome is Outcome.PASS
    crashed = cells["rust@1.39:official", "1.40.0"]
    assert (crashed.outcome, crashed.judgement) == (Outcome.CRASH, Judgement.FAIL)
    nothing = cells["rust@1.40:official", "1.40.0"]
    assert (nothing.outcome, nothing.detail) == (Outcome.NOT_TESTED, NOTHING_ON_RECORD)
    assert {one.host for one in found} <= {host.release for host in works.hosts if host.default}


def test_an_sdk_that_lacks_the_extension_point_has_the_minor_that_brings_it(works: Catalogue) -> None:
    logger = ExtensionPoint.ACCESS_LOGGER
    later = dataclasses.replace(
        works,
        sdks=tuple(
            dataclasses.replace(sdk, points={logger: Minor(1, 39)}) if sdk.id.language.value == "rust" else sdk
            for sdk in works.sdks
        ),
    )
    page = points_page(later, facts((Behaviour(), {"1.39.3": "rust@1.39:official"})))
    section = page.partition("### Rust · official")[2].partition("###")[0]
    heads, _, row = section.strip().splitlines()
    shown = dict(zip(heads.split(" | "), row.split(" | "), strict=True))
    assert shown["1.38 on 1.39.3"] == "from 1.39 on"
    assert shown["1.39 on 1.39.3"] == "✓ 1"
    assert shown["1.39 on 1.40.0"] == "○"
    assert "### Go" not in page


def test_without_cases_the_page_has_no_results(catalogue: Catalogue) -> None:
    bare = dataclasses.replace(catalogue, cases=tuple(case for case in catalogue.cases if "@" not in case.id))
    assert recorded_cells(bare, facts()) == ()
    assert "###" not in points_page(bare, facts())
