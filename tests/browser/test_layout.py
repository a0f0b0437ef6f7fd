"""The page as a whole: narrow and wide, without its script, of an older suite, and the answer that stands first."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from dmconform.core.compressed import read_plain_or_compressed
from dmconform.report.reading import read_report

from tests.browser.conftest import Open
from tests.checkout import ROOT
from tests.unit.report_samples import ALL_KINDS, FINDING, KNOWN_FAILURE, cell, hostile_report, matrix, report

pytestmark = pytest.mark.browser

PUBLISHED = sorted((ROOT / "reports" / "published").glob("*/report.json.xz"))


@pytest.mark.parametrize("width", [360, 420, 1280, 1900])
def test_the_page_itself_never_scrolls_sideways(open_page: Open, width: int) -> None:
    for whole in (matrix(cases=3), report(ALL_KINDS, known_failures=[KNOWN_FAILURE]), hostile_report()):
        seen = open_page(whole, width=width)
        seen.open_all_rows()
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [360, 1280])
def test_figures_can_be_read_at_any_width(open_page: Open, width: int) -> None:
    seen = open_page(report([cell()], abi_findings=[FINDING]), width=width)
    for label in seen.page.locator(".bars").get_by_text("1.38 → 1.39").all():
        box = label.bounding_box()
        assert box is not None
        assert box["height"] >= 12
        assert box["x"] + box["width"] <= width


def test_the_answer_is_on_the_first_screen(open_page: Open) -> None:
    seen = open_page(matrix())
    for part in seen.page.locator("h1, .counts li, .card").all():
        box = part.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900, part.inner_text()[:80]
    assert seen.page.locator("h1").inner_text().split() == ["✗", "The", "supported", "window", "does", "not", "hold"]
    row = seen.page.locator('tr[data-sdk="cpp@1.39:official"]')
    assert row.locator("td").all_inner_texts()[0].startswith("✗ BROKEN 2 of 34")


def test_without_script_the_answer_and_the_counts_are_there(open_page: Open) -> None:
    seen = open_page(report(ALL_KINDS), script=False)
    assert seen.page.locator("h1").is_visible()
    assert seen.page.locator('[data-count="planned"]').inner_text().split() == ["10", "planned"]
    assert seen.page.locator(".card").first.is_visible()
    assert seen.page.locator("noscript p").is_visible()
    assert not seen.page.locator("#matrix").is_visible()
    assert seen.page.locator("#run").is_visible()


def test_with_script_there_is_no_word_of_its_absence(open_page: Open) -> None:
    seen = open_page(report([cell()]))
    assert not seen.page.locator("noscript").is_visible()
    assert seen.page.locator("#matrix").is_visible()


@pytest.mark.parametrize("file", PUBLISHED, ids=[file.parent.name for file in PUBLISHED])
def test_every_published_report_opens(open_page: Open, file: Path) -> None:
    whole = read_report(file)
    seen = open_page(whole)
    assert seen.page.locator("#shown").inner_text() == f"{len(whole.cells):,} of {len(whole.cells):,} cells"
    assert seen.page.locator(".level-1").count() > 1


def test_the_report_of_schema_version_1_says_what_it_lacks(open_page: Open) -> None:
    first = next(file for file in PUBLISHED if msgspec.json.decode(read_plain_or_compressed(file))["schema_version"] == 1)
    seen = open_page(read_report(first))
    assert "It does not tell: static verdicts" in seen.page.locator("#older").inner_text()
    assert seen.page.locator("#abi").inner_text().endswith("This report tells nothing of it.")


def test_signs_only_makes_the_matrix_narrow(open_page: Open) -> None:
    seen = open_page(matrix(cases=2))
    before = seen.page.locator(".grid").evaluate("it => it.scrollWidth")
    seen.page.get_by_label("signs only").check()
    assert seen.fragment == "compact=1"
    assert seen.page.locator(".grid").evaluate("it => it.scrollWidth") < before / 2
    assert not seen.page.locator(".level-1 .cell .word").first.is_visible()
    assert seen.page.locator(".level-1 .cell .sign").first.is_visible()
