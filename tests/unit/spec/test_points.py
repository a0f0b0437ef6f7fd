"""Cases at extension points: one function is one case at each."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.casekit import PROBED
from dmconform.core import paths
from dmconform.core.errors import UsageError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import CellId
from dmconform.core.versions import Minor
from dmconform.envoy.extension_points.shapes import why_unreachable
from dmconform.sdks.catalogue import Sdk
from dmconform.spec.cases import (
    Case,
    Declaration,
    case_ids,
    declaration_of,
    function_of,
    load_cases,
    load_requirements,
    points_with_cases,
)
from dmconform.spec.catalogue import load_catalogue
from dmconform.spec.cells import plan_cells
from dmconform.spec.selectors import select_cases

from tests.checkout import ROOT

FILE = Path("test_area.py")
TWO = (ExtensionPoint.ACCESS_LOGGER, ExtensionPoint.LOAD_BALANCER)
CATALOGUE = load_catalogue()
AT_POINTS = tuple(one for one in CATALOGUE.cases if one.declaration.points)


def declared(*points: ExtensionPoint) -> Declaration:
    return Declaration(("window.forward",), (), (), points=points)


def test_a_function_is_one_case_or_one_at_each_point() -> None:
    assert case_ids(FILE, "test_name", declared()) == {"area/name": None}
    assert case_ids(FILE, "test_name", declared(*TWO)) == {"area/name@access_logger": TWO[0], "area/name@lb": TWO[1]}


@pytest.mark.parametrize("case", ["area/name", "area/name@lb"])
def test_the_function_of_a_case_is_found(case: str) -> None:
    assert function_of(case) == ("test_area", "test_name")


@pytest.mark.parametrize(("case", "point"), [("area/name", None), ("area/name@lb", ExtensionPoint.LOAD_BALANCER)])
def test_a_cell_knows_its_point(case: str, point: ExtensionPoint | None) -> None:
    cell = CellId(case, "rust@1.39:reference", "1.40.0")
    assert cell.point is point
    assert CellId.parse(str(cell)) == cell


def test_loaded_cases_say_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "test_area.py").write_text(
        "from dmconform.casekit import ExtensionPoint, case\n\n\n"
        '@case("window.forward", points=(ExtensionPoint.ACCESS_LOGGER, ExtensionPoint.LOAD_BALANCER))\n'
        'def test_name(cell):\n    """It works."""\n',
        encoding="utf-8",
    )
    found = load_cases(tmp_path, load_requirements(paths.SPEC_FILE))
    assert [(one.id, one.title) for one in found] == [
        ("area/name@access_logger", "At access_logger: It works."),
        ("area/name@lb", "At lb: It works."),
    ]


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("points/*@access_logger", {one.id for one in AT_POINTS if one.id.endswith("@access_logger")}),
        ("points/works@*", {one.id for one in AT_POINTS if one.id.startswith("points/works@")}),
        ("points/*", {one.id for one in AT_POINTS}),
    ],
)
def test_globs_select_by_point_and_by_name(glob: str, expected: set[str]) -> None:
    assert {one.id for one in select_cases([glob], CATALOGUE.cases)} == expected
    assert expected


def test_a_case_without_its_point_is_a_mistake_that_is_explained() -> None:
    with pytest.raises(UsageError, match=r"points/works@\w+"):
        select_cases(["points/works"], CATALOGUE.cases)


def test_points_of_cases_have_a_probe_and_count_as_tested() -> None:
    declared_points = {point for one in AT_POINTS for point in one.declaration.points}
    assert declared_points == set(PROBED)
    assert declared_points <= points_with_cases(CATALOGUE.cases)
    assert not [point for point in declared_points if why_unreachable(point)]


def test_what_is_no_case_declares_nothing() -> None:
    assert declaration_of(declared) is None


def test_the_contract_has_a_page_for_each_point() -> None:
    contract = (ROOT / "sdks" / "PROBES.md").read_text(encoding="utf-8")
    for point in PROBED:
        page = f"points/{point.value}.md"
        assert (ROOT / "sdks" / page).is_file(), f"expected sdks/{page} to say what the probe does there"
        assert f"]({page})" in contract, f"expected sdks/PROBES.md to lead to {page}"


def test_each_point_has_an_sdk() -> None:
    with_sdk = {point for sdk in CATALOGUE.sdks for point in sdk.points}
    assert set(PROBED) <= with_sdk, "expected [points] of some sdk.toml to name each extension point that cases use"


@pytest.mark.parametrize(
    ("sdk", "minor", "point"),
    [
        ("cpp@1.39:reference", "1.40", "access_logger"),  # the language has none
        ("rust@1.38:reference", "1.39", "health_checker"),  # the SDK is older than the first with it
        ("rust@1.39:reference", "1.38", "health_checker"),  # so is the host
    ],
)
def test_one_case_says_where_an_extension_point_is_not(sdk: str, minor: str, point: str) -> None:
    cells = plan_cells(at_point(point), [sdk_named(sdk)], [("host", Minor.parse(minor))], everywhere=True)
    assert [cell.id.case for cell in cells] == [f"points/works@{point}"]


def test_all_cases_run_where_it_is() -> None:
    cases = at_point("health_checker")
    cells = plan_cells(cases, [sdk_named("rust@1.39:reference")], [("host", Minor.parse("1.39"))])
    assert {cell.id.case for cell in cells} == {case.id for case in cases}


def at_point(point: str) -> list[Case]:
    return [case for case in CATALOGUE.cases if case.id.endswith(f"@{point}")]


def sdk_named(name: str) -> Sdk:
    return next(sdk for sdk in CATALOGUE.sdks if str(sdk.id) == name)
