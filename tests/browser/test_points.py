"""Extension points on the page: a table of each SDK, whose fields lead to their cells, a filter, and what My module says."""

from __future__ import annotations

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from dmconform.report.html import cell_fragment

from tests.browser.conftest import Open
from tests.unit.report_samples import at_points, cell, report

pytestmark = pytest.mark.browser

SECTION = "#extension-points"


def test_a_field_says_what_holds_and_leads_to_its_cells(open_page: Open) -> None:
    seen = open_page(at_points())
    section = seen.page.locator(SECTION)
    assert section.locator("> h3").all_inner_texts() == ["Go · official", "Rust · official"]
    assert "Extension points by SDK and host: official 13 hold, 1 fail, 12 with known failures" in section.inner_text()
    row = section.locator("table").nth(1).locator('tr[data-point="lb"]')
    assert row.locator("td [aria-hidden]").all_inner_texts() == ["-", "! 4/5", "! 4/5", "✓ 5", "✗ 4/5", "○"]
    field = row.locator("td").nth(4)
    sentence = "Rust 1.39 load-balancing policies on Envoy 1.40.0: in part (4 of 5; new: 1 answers wrongly)"
    assert field.get_attribute("title") == sentence
    assert field.locator("a").inner_text().endswith(sentence)
    field.locator("a").click()
    assert seen.fragment == "sdk=rust@1.39:official&host=1.40.0&point=lb"
    assert seen.page.locator("#shown").inner_text() == "5 of 720 cells"
    assert seen.page.locator('.cell[data-cell][aria-label^="points/works@lb, rust@1.39:official on 1.40.0: fail"]').count() == 1


def test_a_modified_build_is_marked(open_page: Open) -> None:
    whole = at_points()
    hosts = [
        msgspec.structs.replace(it, build=it.build.replace("Clean", "Modified")) if it.id == "1.38.2" else it
        for it in whole.hosts
    ]
    seen = open_page(msgspec.structs.replace(whole, hosts=tuple(hosts)))
    heads = seen.page.locator(f"{SECTION} table").first.locator("thead tr").nth(1).locator("th").all_inner_texts()
    assert [it.split() for it in heads if "modified" in it] == [["1.38.2", "modified", "build"]]


def test_heads_lead_to_all_cells_of_an_extension_point_or_an_sdk_version(open_page: Open) -> None:
    seen = open_page(at_points())
    table = seen.page.locator(f"{SECTION} table").nth(1)
    table.get_by_role("link", name="tracer").first.click()
    assert seen.fragment == "point=tracer"
    assert seen.page.locator("#shown").inner_text() == "120 of 720 cells"
    table.locator("thead .version a").nth(1).click()
    assert seen.fragment == "sdk=rust@1.38:official"


def test_the_control_and_what_is_not_applicable_are_folded(open_page: Open) -> None:
    seen = open_page(at_points())
    control = seen.page.locator("#points-control")
    assert not control.locator("table").first.is_visible()
    control.locator("summary").click()
    assert control.locator("h3").all_inner_texts() == ["Go · reference", "Rust · reference"]
    seen.page.locator("#points-nothing summary").click()
    reasons = seen.page.locator("#points-nothing li").all_inner_texts()
    assert "Go 1.37, 1.38, 1.39, 1.40 tracers: not applicable (no official SDK of this language has tracer)" in reasons
    assert "Rust 1.37 tracers: not applicable (SDKs of this language have tracer later)" in reasons


def test_the_filter_narrows_the_matrix_and_is_in_the_address(open_page: Open) -> None:
    seen = open_page(at_points(), fragment="#point=cluster")
    assert seen.page.locator("#shown").inner_text() == "120 of 720 cells"
    seen.page.locator("#pick-point summary").click()
    boxes = seen.page.locator("#pick-point input")
    assert boxes.evaluate_all("all => all.map(it => it.value)") == [
        "access_logger", "cluster", "http_filter", "lb", "tracer", "transport_socket",
    ]  # fmt: skip
    assert boxes.nth(1).is_checked()
    boxes.nth(0).check()
    assert seen.page.locator("#shown").inner_text() == "240 of 720 cells"
    assert seen.fragment == "point=cluster&point=access_logger"
    seen.page.locator("#clear").click()
    assert seen.page.locator("#shown").inner_text() == "720 of 720 cells"


def test_an_extension_point_that_the_report_has_not_is_named(open_page: Open) -> None:
    seen = open_page(at_points(), fragment="#point=dns_resolver")
    said = seen.page.locator("#unknown").inner_text()
    assert "This report has no point dns_resolver, so that filter lets nothing pass. It has: access_logger, cluster" in said


def test_a_report_without_extension_points_has_no_section_and_no_filter(open_page: Open) -> None:
    seen = open_page(report([cell(sdk="rust@1.39:official"), cell("a/b@")]))
    for absent in (SECTION, f'nav a[href="{SECTION}"]', "#pick-point"):
        assert seen.page.locator(absent).count() == 0, absent


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_it_fits_the_view_and_axe_finds_nothing_serious(open_page: Open, scheme: str, width: int) -> None:
    seen = open_page(at_points(), scheme=scheme, width=width)
    for summary in seen.page.locator(f"{SECTION} summary").all():
        summary.click()
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    found = [one for one in Axe().run(seen.page).response["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found] == []


def test_without_script_the_tables_are_there(open_page: Open) -> None:
    seen = open_page(at_points(), script=False)
    assert seen.page.locator(f"{SECTION} table").nth(1).is_visible()
    assert not seen.page.locator("#filter-bar").is_visible()


def test_a_link_to_a_cell_at_an_extension_point_opens_its_story(open_page: Open) -> None:
    whole = at_points()
    seen = open_page(whole, fragment=f"#{cell_fragment('points/works@lb/rust@1.39:official/1.40.0')}")
    assert seen.story.is_visible()
    assert "works@lb" in seen.story.inner_text()


ASKED = [
    ("go", "1.39", "tracer", "- not applicable at this extension point", "no official SDK of this language has tracer"),
    ("rust", "1.39", "tracer", "◐ cannot be told: partly tested", "its cells on Envoy 1.40.0"),
    ("rust", "1.39", "lb", "✗ does not work", "at worst: answers wrongly"),
    ("rust", "1.39", "access_logger", "✓ works", "its cells on Envoy 1.40.0"),
    ("rust", "1.39", "dns_resolver", "○ not tested at this extension point", "No case is about dns_resolver"),
]


@pytest.mark.parametrize(("language", "minor", "point", "word", "more"), ASKED, ids=[f"{it[0]}-{it[2]}" for it in ASKED])
def test_my_module_is_judged_by_the_cells_at_its_extension_point(
    open_page: Open, language: str, minor: str, point: str, word: str, more: str
) -> None:
    seen = open_page(at_points())
    for name, value in (("language", language), ("minor", minor), ("to", "1.40.0"), ("point", point)):
        seen.page.locator(f"#my-{name}").select_option(value)
    answer = seen.page.locator("#my-module-answer")
    assert answer.locator(".chip").inner_text() == word
    assert more in answer.inner_text()
    if word == "✓ works":
        answer.locator("a").first.click()
        assert seen.fragment == f"sdk=rust@1.39:official&host=1.40.0&point={point}"
