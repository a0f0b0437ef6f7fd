"""Filters: what they show, and that they stand in the address."""

from __future__ import annotations

import msgspec
import pytest
from dmconform.core.values import Outcome, Relation
from dmconform.report.schema import CellEntry, FindingEntry, Report, RequirementEntry

from tests.browser.conftest import Open
from tests.browser.pages import Seen, label
from tests.unit.report_samples import KNOWN_FAILURE, broken, cell, known, matrix, report

pytestmark = pytest.mark.browser


def shown(seen: Seen) -> list[str]:
    """The labels of all cells that are shown, up to the outcome."""
    if seen.page.locator("#unfold").count() == 0:
        return []
    seen.open_all_rows()
    return sorted(name.partition(": ")[0] for name, _ in seen.all_cells())


def labels(cells: list[CellEntry]) -> list[str]:
    return sorted(label(its).removesuffix(": ") for its in cells)


FILTERS = (
    ("language=go", lambda its: its.sdk.startswith("go@")),
    ("language=go&language=rust", lambda its: its.sdk.startswith(("go@", "rust@"))),
    ("sdk=rust@1.39:official", lambda its: its.sdk == "rust@1.39:official"),
    ("sdk=rust%401.39%3Aofficial&host=1.40.0", lambda its: its.sdk == "rust@1.39:official" and its.host == "1.40.0"),
    ("host=1.36.4", lambda its: its.host == "1.36.4"),
    ("outcome=fail", lambda its: its.outcome is Outcome.FAIL),
    ("outcome=rejected&language=cpp", lambda its: its.outcome is Outcome.REJECTED and its.sdk.startswith("cpp@")),
    ("judgement=xfail", lambda its: its.known_failure is not None),
    ("case=number_7", lambda its: its.case.endswith("number_7")),
    ("search=NUMBER_7", lambda its: its.case.endswith("number_7")),
    ("relation=legacy", lambda its: its.relation is Relation.LEGACY),
    ("severity=ends Envoy", lambda its: its.outcome is Outcome.CRASH),
    ("area=guard&host=1.40.0", lambda its: its.case.startswith("guard/") and its.host == "1.40.0"),
    ("requirement=REQ-3", lambda its: its.case.endswith("number_3")),
    ("record=known-1", lambda its: its.known_failure is not None),
)


@pytest.mark.parametrize(("asked", "keeps"), FILTERS, ids=[asked for asked, _ in FILTERS])
def test_a_filter_in_the_address_shows_just_its_cells(open_page: Open, asked: str, keeps: object) -> None:
    assert callable(keeps)
    whole = matrix(cases=9)
    expected = labels([its for its in whole.cells if keeps(its)])
    seen = open_page(whole, fragment=f"#{asked}")
    assert shown(seen) == expected
    assert 0 < len(expected) < len(whole.cells)
    assert seen.page.locator("#shown").inner_text() == f"{len(expected):,} of {len(whole.cells):,} cells"


def test_the_same_works_after_a_question_mark(open_page: Open) -> None:
    whole = differing()
    seen = open_page(whole, fragment="?language=go&host=1.39.3")
    assert shown(seen) == labels([whole.cells[2]])


def test_filters_after_a_question_mark_can_be_cleared(open_page: Open) -> None:
    seen = open_page(differing(), fragment="?language=go")
    seen.page.get_by_role("button", name="clear filters").click()
    assert len(shown(seen)) == 6
    seen.page.reload()
    assert seen.page.locator("#shown").inner_text() == "6 of 6 cells"


def differing() -> Report:
    return report(
        [
            cell("a/one", host="1.39.3"),
            broken("a/one", host="1.40.0"),
            cell("a/one", "go@1.39:reference", host="1.39.3"),
            cell("a/one", "go@1.39:reference", host="1.40.0", outcome=Outcome.NOT_APPLICABLE),
            cell("a/two", host="1.39.3"),
            cell("a/two", host="1.40.0"),
        ]
    )


def test_differs_between_hosts_keeps_cases_that_end_otherwise_somewhere(open_page: Open) -> None:
    whole = differing()
    seen = open_page(whole, fragment="#differs=1")
    assert shown(seen) == labels(list(whole.cells[:2]))


def test_columns_without_a_cell_that_passes_the_filters_are_left_out(open_page: Open) -> None:
    seen = open_page(differing(), fragment="#outcome=fail")
    assert seen.page.locator(".header .cell.top .host").all_inner_texts() == ["1.40.0"]


def test_ticking_a_filter_writes_the_address_and_clearing_empties_it(open_page: Open) -> None:
    seen = open_page(differing())
    seen.page.locator("#pick-language summary").click()
    seen.page.get_by_label("Rust", exact=True).check()
    seen.page.get_by_label("differs between hosts").check()
    assert seen.fragment == "language=rust&differs=1"
    assert len(shown(seen)) == 2
    seen.page.locator("#pick-outcome summary").click()
    assert not seen.page.get_by_label("Rust", exact=True).is_visible(), "two lists are open at once"
    fail = seen.page.locator("#pick-outcome").get_by_label("fail", exact=True)
    fail.check()
    assert seen.fragment == "language=rust&outcome=fail&differs=1"
    assert len(shown(seen)) == 1
    seen.page.keyboard.press("Escape")
    assert not fail.is_visible()
    seen.page.get_by_role("button", name="clear filters").click()
    assert seen.fragment == ""
    assert len(shown(seen)) == 6


def test_the_answers_of_languages_and_sdks_lead_to_their_cells(open_page: Open) -> None:
    seen = open_page(differing())
    seen.page.get_by_role("link", name="Go 1.39", exact=True).click()
    assert seen.fragment == "sdk=go@1.39:reference"
    assert {name.split(", ")[1].partition("@")[0] for name in shown(seen)} == {"go"}
    seen.page.go_back()
    assert len(shown(seen)) == 6


def test_changed_since_shows_what_another_report_had_otherwise(open_page: Open) -> None:
    before = report([cell("a/one"), cell("a/two"), known("a/three")])
    after = report([broken("a/one"), cell("a/two"), cell("a/three"), cell("a/four")])
    seen = open_page(after, previous=before, fragment="#changed=1")
    assert shown(seen) == labels([after.cells[0], after.cells[2]])
    assert seen.page.get_by_label("changed since").is_checked()
    assert "(2; 1 new, 0 gone)" in seen.page.locator(".toolbar").inner_text()
    seen.cell(after.cells[2]).click()
    assert seen.field("was").inner_text() == "crash (xfail)"
    assert seen.field("change").inner_text() == "repair: failed before, holds now; with the same host binary"
    reported = seen.page.locator("#compared").inner_text()
    assert reported == "Compared with the run of 2026-11-21T04:30:00Z: regression: 1, repair: 1, new: 1, unchanged: 1."
    assert "Δ changed since the earlier run" in seen.page.locator(".legend").inner_text()
    assert open_page(after).page.get_by_label("changed since").count() == 0


def test_what_fails_in_another_way_has_changed_as_dmconform_diff_has_it(open_page: Open) -> None:
    before = report([broken("a/one", "expected 200, seen 503"), broken("a/two", "took 12 ms")])
    after = report([broken("a/one", "expected 200, seen 404"), broken("a/two", "took 15 ms")])
    seen = open_page(after, previous=before, fragment="#changed=1")
    assert shown(seen) == labels([after.cells[0]])


def test_a_value_that_the_report_does_not_have_is_said_and_what_there_is(open_page: Open) -> None:
    seen = open_page(differing(), fragment="#host=9.9.9&hots=1.39.3&language=go")
    printed = seen.page.get_by_role("alert").inner_text()
    assert "This report has no host 9.9.9, so that filter lets nothing pass. It has: 1.39.3, 1.40.0." in printed
    assert "There is no filter hots, so it is left out. There are: language, sdk, host" in printed
    assert "language go" not in printed
    assert seen.page.locator("#shown").inner_text() == "0 of 6 cells"
    seen.page.get_by_role("button", name="clear filters").click()
    assert not seen.page.get_by_role("alert").is_visible()
    assert len(shown(seen)) == 6


def test_no_cell_says_which_filter_did_it_and_what_would_match(open_page: Open) -> None:
    seen = open_page(differing(), fragment="#language=go&host=1.40.0&outcome=fail")
    box = seen.page.locator("#matrix-box")
    lines = [line.removesuffix("drop it").strip() for line in box.locator("li").all_inner_texts()]
    assert box.locator("p").first.inner_text() == "No cell passes these filters."
    assert lines == ["Without language go: 1 cell.", "Without outcome fail: 1 cell."]
    box.get_by_role("button", name="drop it").last.click()
    assert seen.fragment == "language=go&host=1.40.0"
    assert len(shown(seen)) == 1


def test_where_no_single_filter_is_at_fault_each_has_its_count(open_page: Open) -> None:
    seen = open_page(differing(), fragment="#language=go&outcome=fail&search=two")
    lines = seen.page.locator("#matrix-box li").all_inner_texts()
    assert lines == ["language go alone: 2 cells", "outcome fail alone: 1 cell", "the search for “two” alone: 2 cells"]
    assert seen.page.locator("#search").input_value() == "two"
    assert seen.fragment == "language=go&outcome=fail&search=two", "looking for the fault changes the filters"


SEARCHED = (
    ("title of a/two", ["a/two"]),
    ("a/three works", ["a/three"]),
    ("seen 503", ["a/one"]),
    ("does not guard", ["a/panic"]),
    ("sigabrt", ["a/panic"]),
    ("a line of the log", ["a/two"]),
    ("go@1.39", ["a/three"]),
)


@pytest.mark.parametrize(("words", "cases"), SEARCHED, ids=[words for words, _ in SEARCHED])
def test_the_search_looks_through_all_that_a_cell_is_about(open_page: Open, words: str, cases: list[str]) -> None:
    cells = [
        broken("a/one"),
        cell("a/two", log=("a line of the log",)),
        known("a/panic"),
        cell("a/three", "go@1.39:reference"),
    ]
    seen = open_page(report(cells, known_failures=[KNOWN_FAILURE]))
    seen.page.locator("#search").fill(words.upper())
    assert [name.partition(",")[0] for name in shown(seen)] == cases


def test_what_the_search_finds_in_findings_and_requirements_only_is_said(open_page: Open) -> None:
    found = FindingEntry("f-1", "It ends", "nothing", "seen so", ("1.38.3",), ("cpp@*",), "the host's", None, "by hand")
    lonely = RequirementEntry("REQ-9", "Nobody shows this.", "overview", "Compatibility")
    whole = report([cell("a/one")])
    whole = msgspec.structs.replace(whole, findings=(found,), requirements=(*whole.requirements, lonely))
    seen = open_page(whole, fragment="#search=seen so")
    assert "1 finding with these words" in seen.page.locator("#matrix-box").inner_text()
    assert seen.page.locator("#found .finding").is_visible()
    seen.page.locator("#search").fill("nobody shows")
    assert "1 requirement with these words" in seen.page.locator("#matrix-box").inner_text()
    assert seen.page.locator("#findings-box").inner_text() == "No finding has these words."


def test_a_section_in_the_address_is_no_filter(open_page: Open) -> None:
    seen = open_page(differing(), fragment="#language=go")
    seen.page.get_by_role("link", name="ABI").click()
    assert seen.page.locator("#shown").inner_text() == "2 of 6 cells"
    assert seen.page.locator("#abi").bounding_box() is not None
    assert seen.page.evaluate("document.activeElement.id") == "abi"
    seen.page.reload()
    assert seen.page.locator("#shown").inner_text() == "2 of 6 cells", "a way to a section takes the filters out of the address"
    plain = open_page(differing())
    plain.page.get_by_role("link", name="ABI").click()
    assert plain.fragment == "abi"


def test_the_button_for_all_rows_says_what_it_does_when_a_filter_was_changed(open_page: Open) -> None:
    seen = open_page(differing())
    button = seen.page.locator("#unfold")
    button.click()
    seen.page.get_by_label("signs only").check()
    assert button.inner_text() == "close all rows"
    button.click()
    assert seen.page.locator(".level-2, .level-3").count() == 0
    assert button.inner_text() == "open all rows"
