"""The page as a whole: narrow and wide, without its script, of an older suite, and the answer that stands first."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from dmconform.core.compressed import read_plain_or_compressed
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.report.page.answer import TIMES
from dmconform.report.reading import read_report
from dmconform.report.schema import CellEntry, SuiteEntry

from tests.browser.conftest import Open
from tests.browser.situations import SITUATIONS
from tests.checkout import ROOT
from tests.unit.report_samples import (
    ALL_KINDS,
    FINDING,
    KNOWN_FAILURE,
    broken,
    cell,
    hostile_report,
    known,
    matrix,
    report,
    unreachable,
)

pytestmark = pytest.mark.browser

OFFICIAL = "rust@1.39:official"
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
    seen = open_page(matrix(), width=1440)
    parts = seen.page.locator(
        "h1, #answers .counts li, .notices li, #answers .beside > div > .wide .answers tr, #my-module-answer .chip"
    )
    assert parts.count() > 20
    for part in parts.all():
        box = part.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900, part.inner_text()[:80]
    assert seen.page.locator("h1").inner_text().split() == ["✗", "What", "is", "promised", "does", "not", "hold"]
    assert "not tested: 51 of 301 supported cells of the official SDKs" in seen.page.locator("header .numbers").inner_text()
    row = seen.page.locator('tr[data-sdk="cpp@1.39:official"]')
    assert row.locator("td.framed").all_inner_texts() == [f"✗ 1 fail\n1 {TIMES} answers wrongly"] * 2
    assert row.locator(".verdict-cell").inner_text() == "✗ may not"


@pytest.mark.parametrize(
    ("situation", "title", "more"),
    [
        (
            "all-tested",
            "! What is promised does not hold everywhere",
            "3 of 235 supported cells of the official SDKs fail as is known, none is new: 3 ends Envoy",
        ),
        ("none-tested", "◐ Not tested", "235 of 235 supported cells of the official SDKs; 0 % of what is promised was tested"),
        (
            "one-red",
            "✗ What is promised does not hold",
            "1 of 235 supported cells of the official SDKs that ran fail: 1 ends Envoy",
        ),
        ("interrupted", "■ The run is incomplete, so it gives no answer", "cells planned and never begun"),
    ],
)
def test_the_first_screen_of_each_situation(open_page: Open, situation: str, title: str, more: str) -> None:
    seen = open_page(SITUATIONS[situation](matrix()))
    assert " ".join(seen.page.locator("h1").inner_text().split()).startswith(title)
    assert more in seen.page.locator("header.answer").inner_text()
    words = seen.page.locator("#answers td.framed").all_inner_texts()
    ticks = [it for it in words if it.startswith("✓")]
    assert bool(ticks) is (situation in ("all-tested", "one-red")), "a tick is there for what nobody tested"


def test_the_table_frames_what_is_promised_and_only_that(open_page: Open) -> None:
    whole = matrix(cases=2)
    seen = open_page(whole, width=1440)
    framed = {
        (row.get_attribute("data-sdk"), field.get_attribute("data-host"))
        for row in seen.page.locator("tr[data-sdk]").all()
        for field in row.locator("td.field").all()
        if field.evaluate("it => getComputedStyle(it).borderTopColor === getComputedStyle(document.body).color")
    }
    assert framed == {(it.sdk, it.host) for it in whole.cells if it.relation is Relation.SUPPORTED}


def test_a_field_of_the_table_leads_to_its_cells(open_page: Open) -> None:
    seen = open_page(matrix(cases=3), width=1440)
    seen.page.locator('tr[data-sdk="go@1.39:official"] td[data-host="1.40.0"] a').click()
    assert seen.fragment == "sdk=go@1.39:official&host=1.40.0"
    assert seen.page.locator("#shown").inner_text() == "3 of 360 cells"
    assert seen.page.locator(".header .cell.top .host").all_inner_texts() == ["1.40.0"]


def test_an_answer_leads_to_its_reasons(open_page: Open) -> None:
    seen = open_page(matrix(), width=1440)
    reasons = seen.page.locator('[id="why-sdk-cpp@1.39:official"]')
    assert not reasons.is_visible()
    seen.page.locator('tr[data-sdk="cpp@1.39:official"] .verdict-cell a').click()
    reasons.wait_for()
    assert "broken promise: " in reasons.inner_text()
    assert "guard/case_number_7: fail: expected: body req[hello]: 2 cells" in reasons.inner_text()
    assert "dmconform gate REPORT --policy sdk-release --sdk cpp@1.39:official" in reasons.inner_text()
    seen.page.goto(f"{seen.address}#host=1.40.0")
    seen.page.locator("tfoot .verdict-cell a").last.click()
    seen.page.locator('[id="why-host-1.40.0"]').wait_for()
    assert seen.page.locator("#shown").inner_text() == "408 of 2,040 cells", "the filter is lost"


def test_a_modified_build_is_marked_wherever_a_result_of_it_is_shown(open_page: Open) -> None:
    whole = report([broken("a/one", sdk="go@1.38:official", host="1.38.3"), cell("a/one", "go@1.38:official", "1.38.2")])
    hosts = [
        msgspec.structs.replace(it, build=it.build.replace("Clean", "Modified")) if it.id == "1.38.3" else it
        for it in whole.hosts
    ]
    seen = open_page(msgspec.structs.replace(whole, hosts=tuple(hosts)))
    heads = seen.page.locator("#answers thead th").all_inner_texts()
    assert ["modified build" in it for it in heads] == [False, False, True, False]
    line = "Envoy 1.38.3 (modified build) and 1.38.2 (clean build): 1 of 1 cell that ran on both ended differently: a/one (1)"
    assert line in seen.page.locator(".notices").inner_text()
    assert "1.38.3 (modified build)" in seen.page.locator("#fail .finding").inner_text()
    assert "modified" in seen.page.locator(".header .cell.top").last.inner_text()
    seen.page.locator("#fail .finding h4 a").click()
    assert "Envoy 1.38.3 (modified build)" in seen.story.inner_text()


def test_an_unreleased_sdk_is_never_shown_as_the_release(open_page: Open) -> None:
    whole = report([cell("a/one", OFFICIAL, relation=Relation.UNSUPPORTED, judgement=Judgement.INFORMATIONAL)])
    commit = "3a0d8f3f46c7ad6fc7b1a0d3a3a2a1a0d8f3f46c"
    sdks = [msgspec.structs.replace(it, development=True, version="1.39.0-dev", commit=commit) for it in whole.sdks]
    seen = open_page(msgspec.structs.replace(whole, sdks=tuple(sdks)))
    assert seen.page.locator("#answers tbody th").all_inner_texts() == ["Rust 1.39.0-dev (3a0d8f3f46)"]
    assert "is not the release" in seen.page.locator(".notices").inner_text()
    assert "none: a development commit" in seen.page.locator("#run").inner_text()


def test_what_a_reader_must_know_besides_leads_to_more(open_page: Open) -> None:
    suite = SuiteEntry(("1.39.3",), (), (), (), ("http_filter",), ("tracer", "cluster"))
    whole = report([cell(), cell("a/one", host="1.36.4", **UNPROMISED_CRASH)], abi_findings=[FINDING], suite=suite)
    seen = open_page(whole)
    links = seen.page.locator(".notices a")
    assert links.evaluate_all("all => all.map(it => it.getAttribute('href'))") == ["#abi", "#points", "#relation=unsupported"]
    assert "2 of 3 extension points have no case" in links.nth(1).inner_text()
    links.nth(1).click()
    assert "No case is about: cluster, tracer." in seen.page.locator("#points").inner_text()
    links.nth(2).click()
    assert seen.page.locator("#shown").inner_text() == "1 of 2 cells"


UNPROMISED_CRASH: dict[str, Any] = {
    "relation": Relation.UNSUPPORTED,
    "outcome": Outcome.CRASH,
    "judgement": Judgement.INFORMATIONAL,
}


def test_no_two_numbers_of_the_first_screen_have_the_same_words(open_page: Open) -> None:
    cells = [
        cell("a/one", OFFICIAL),
        known("a/two", sdk=OFFICIAL),
        broken("a/three", sdk=OFFICIAL),
        cell("a/crash", OFFICIAL, "1.36.4", **UNPROMISED_CRASH),
        unreachable("a/one"),
        unreachable("a/two", host="1.36.4", relation=Relation.UNSUPPORTED),
        known("a/two"),
    ]
    seen = open_page(report(cells), width=1440)
    texts = seen.page.locator("#answers .counts li").evaluate_all(
        "all => all.map(it => it.textContent.replace(it.querySelector('b').textContent, '').trim().split(':')[0])"
    )
    assert len(set(texts)) == len(texts) == 5
    said = {it.get_attribute("data-count"): it.inner_text() for it in seen.page.locator("#answers [data-count]").all()}
    assert said == {"tested": "75 %", "new": "1", "known": "1", "crashes": "3", "control": "0"}
    crashes = seen.page.locator("#answers .counts li", has_text="times Envoy ended").inner_text()
    assert crashes.endswith("1 promised of the official SDKs, 1 of the control, 1 not promised")
    first = " ".join(
        seen.page.locator(part).inner_text() for part in ("header.answer", "#answers .counts", "#answers .notices")
    )
    counted = set(re.findall(r"(\d+ of \d+ (?:supported )?cells of the official SDKs(?: that ran)?)", first))
    assert counted == {
        "3 of 4 cells of the official SDKs",
        "1 of 4 supported cells of the official SDKs",
        "1 of 3 supported cells of the official SDKs that ran",
    }
    assert seen.page.locator('[data-count="all not tested"]').inner_text() == "2"


@pytest.mark.parametrize(
    ("cells", "variable"),
    [
        ([cell(sdk="rust@1.39:official")], "--pass"),
        ([broken()], "--bad"),
        ([cell(outcome=Outcome.ERROR, judgement=Judgement.ERROR)], "--lilac"),
        ([unreachable()], "--lilac"),
        ([cell()], "--dim"),
    ],
    ids=["pass", "fail", "incomplete", "not tested", "control only"],
)
def test_the_answer_has_the_colour_of_its_verdict(open_page: Open, cells: list[CellEntry], variable: str) -> None:
    header = open_page(report(cells)).page.locator("header.answer")
    expected = header.evaluate(
        "(it, name) => { it.style.outlineColor = `var(${name})`; return getComputedStyle(it).outlineColor }", variable
    )
    assert header.evaluate("it => getComputedStyle(it).borderLeftColor") == expected


def test_without_script_the_answer_and_the_counts_are_there(open_page: Open) -> None:
    seen = open_page(report([*ALL_KINDS, known("a/two", sdk=OFFICIAL)]), script=False)
    assert seen.page.locator("h1").is_visible()
    assert seen.page.locator("#answers .counts li").first.is_visible()
    field = seen.page.locator(f'tr[data-sdk="{OFFICIAL}"] td[data-host="1.39.3"]')
    assert field.inner_text() == f"! 1 known\n1 {TIMES} ends Envoy"
    assert seen.page.locator("#answers tfoot .chip").first.is_visible()
    assert seen.page.locator("noscript p").is_visible()
    for part in ("#matrix", "#my-module", "#failures", "#filters"):
        assert not seen.page.locator(part).is_visible(), part
    assert seen.page.locator("#run").is_visible()
    seen.page.locator("#why summary").click()
    assert seen.page.locator("#why .reasons").first.is_visible()


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
    assert "lacks: static analysis" in seen.page.locator("#older").inner_text()
    assert seen.page.locator("#abi").inner_text().endswith("This report has no data on the ABI.")


def test_signs_only_makes_the_matrix_narrow(open_page: Open) -> None:
    seen = open_page(matrix(cases=2))
    before = seen.page.locator(".grid").evaluate("it => it.scrollWidth")
    seen.page.get_by_label("signs only").check()
    assert seen.fragment == "compact=1"
    assert seen.page.locator(".grid").evaluate("it => it.scrollWidth") < before / 2
    assert not seen.page.locator(".level-1 .cell .word").first.is_visible()
    assert seen.page.locator(".level-1 .cell .sign").first.is_visible()
