"""Failures come before the matrix: new ones, then a card for each record; filtered with everything else, and linkable."""

from __future__ import annotations

import msgspec
import pytest
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.report.html import cell_fragment
from dmconform.report.page.answer import TIMES
from dmconform.report.schema import KnownFailureEntry, Report

from tests.browser.conftest import Open
from tests.unit.report_samples import KNOWN_FAILURE, broken, cell, contradicted, known, report

pytestmark = pytest.mark.browser

OFFICIAL = "rust@1.39:official"
WRONG = KnownFailureEntry(
    "known-2",
    "The host counts them twice.",
    "seen",
    1,
    0,
    title="A counter counts twice",
    fault="host",
    issue="not reported",
    looked_for="2026-11-30",
    workaround="divide by two",
)
GUARD = msgspec.structs.replace(
    KNOWN_FAILURE, title="A panic ends Envoy", fault="sdk", issue="https://github.com/envoyproxy/envoy/issues/1"
)
LOADER = "Error adding/updating listener(s) main: Failed to load dynamic module: /x/libprobe.so: undefined symbol: gone"


def mixed() -> Report:
    """Two records, a new failure, one error of the loader in three cases, and one thing that nobody promised."""
    refused = [
        msgspec.structs.replace(broken(f"a/{name}", LOADER, sdk=OFFICIAL), outcome=Outcome.REJECTED)
        for name in ("one", "two", "three")
    ]
    fact = cell(
        "a/fact",
        OFFICIAL,
        "1.36.4",
        relation=Relation.UNSUPPORTED,
        outcome=Outcome.CRASH,
        judgement=Judgement.INFORMATIONAL,
        detail="it ended",
    )
    wrong = cell(
        "b/count", OFFICIAL, outcome=Outcome.FAIL, judgement=Judgement.XFAIL, known_failure="known-2", detail="4, not 2"
    )
    return report(
        [
            cell("a/calm", OFFICIAL),
            wrong,
            known("a/panic", sdk=OFFICIAL),
            known("a/panic", sdk=OFFICIAL, host="1.40.0"),
            *refused,
            broken("c/new", "seen 503", sdk="go@1.39:official"),
            fact,
        ],
        known_failures=[WRONG, GUARD],
    )


def test_new_failures_come_first_then_records_the_worst_first(open_page: Open) -> None:
    seen = open_page(mixed())
    box = seen.page.locator("#failures-box")
    assert box.evaluate("it => [...it.querySelectorAll(':scope > details')].map(one => one.id)") == [
        "fail",
        "xfail",
        "informational",
    ]
    assert seen.page.locator("#failures").evaluate("it => it.getBoundingClientRect().top") < seen.page.locator(
        "#matrix"
    ).evaluate("it => it.getBoundingClientRect().top")
    assert box.locator("#fail > summary").inner_text() == "New failures: 4 cells, 2 causes"
    assert box.locator("#xfail > summary").inner_text() == "Known failures: 3 cells, 2 records"
    records = box.locator(".record")
    assert records.evaluate_all("all => all.map(it => it.dataset.record)") == ["known-1", "known-2"]
    assert not box.locator("#informational .finding").is_visible()


def test_one_error_of_the_loader_is_one_card(open_page: Open) -> None:
    seen = open_page(mixed())
    card = seen.page.locator("#fail .finding", has_text="undefined symbol: gone")
    assert card.count() == 1
    assert "3×" in card.inner_text()  # noqa: RUF001 - the page's own sign
    assert "and 2 other cases" in card.inner_text()


def test_the_card_of_a_record_has_all_that_is_known(open_page: Open) -> None:
    seen = open_page(mixed())
    card = seen.page.locator('[data-record="known-1"]')
    heading = card.locator("h4").inner_text()
    assert "! 2 xfail" in heading
    assert "A panic ends Envoy" in heading

    def field(name: str, its: str = "known-1") -> str:
        return seen.page.locator(f'[data-record="{its}"] [data-field="{name}"]').inner_text()

    assert field("severity") == f"2 {TIMES} ends Envoy"
    assert field("fault") == "sdk"
    assert field("effect").startswith("SIGABRT")
    assert field("reason") == GUARD.reason
    assert card.get_by_role("link", name=GUARD.issue).get_attribute("href") == GUARD.issue
    assert field("reported", "known-2") == "not reported, looked for on 2026-11-30"
    assert field("workaround", "known-2") == "divide by two"
    card.get_by_text("all 2 cells").click()
    links = card.locator(".cells-of [data-open]")
    assert links.evaluate_all("all => all.map(it => it.textContent)") == [
        f"a/panic/{OFFICIAL}/1.39.3",
        f"a/panic/{OFFICIAL}/1.40.0",
    ]


def test_a_card_has_an_address_that_shows_its_cells_alone(open_page: Open) -> None:
    whole = mixed()
    seen = open_page(whole)
    seen.page.locator('[data-record="known-1"]').get_by_role("link", name="link to this").click()
    assert seen.fragment == "record=known-1"
    assert seen.page.locator("#shown").inner_text() == "2 of 9 cells"
    assert seen.page.locator("#failures .finding").count() == 1
    again = open_page(whole, fragment="#record=known-1")
    assert again.page.locator("#failures .finding").count() == 1
    assert again.page.locator("#failures").evaluate("it => it.getBoundingClientRect().top") < 200
    again.page.get_by_role("button", name="Drop the filter record known-1").click()
    assert again.page.locator("#failures .finding").count() > 3
    loader = seen.page.locator("#fail .finding", has_text="undefined symbol: gone")
    seen.page.get_by_role("button", name="clear filters").click()
    loader.get_by_role("link", name="link to this").click()
    assert seen.fragment.startswith("cause=")
    assert seen.page.locator("#shown").inner_text() == "3 of 9 cells"
    assert open_page(whole, fragment=f"#{seen.fragment}").page.locator("#shown").inner_text() == "3 of 9 cells"


def test_failures_are_filtered_with_everything_else(open_page: Open) -> None:
    seen = open_page(mixed(), fragment="#host=1.40.0")
    assert seen.page.locator("#failures .finding").count() == 1
    assert "! 1 xfail" in seen.page.locator('[data-record="known-1"] h4').inner_text()
    seen.page.evaluate("location.hash = 'severity=fails to load'")
    seen.settle()
    assert seen.page.locator("#failures .finding").count() == 1
    assert seen.page.locator("#shown").inner_text() == "3 of 9 cells"
    seen.page.evaluate("location.hash = 'outcome=pass'")
    seen.settle()
    assert seen.page.locator("#failures-box").inner_text() == "No failure passes the filters."


def test_a_mismatch_is_a_failure_and_is_filtered_too(open_page: Open) -> None:
    seen = open_page(report([contradicted("load/hidden"), cell(host="1.40.0")]))
    assert seen.page.locator("#mismatches .finding").count() == 1
    seen.page.evaluate("location.hash = 'host=1.40.0'")
    seen.settle()
    assert seen.page.locator("#mismatches").count() == 0


def test_a_story_leads_to_its_record(open_page: Open) -> None:
    seen = open_page(mixed(), fragment=f"#{cell_fragment(f'a/panic/{OFFICIAL}/1.40.0')}")
    assert seen.field("severity").inner_text() == "ends Envoy"
    seen.field("record").get_by_role("link").click()
    assert seen.fragment == "record=known-1"
    assert not seen.story.is_visible()
    assert seen.page.locator("#failures .finding").count() == 1


def test_on_paper_are_the_answer_the_failures_and_the_findings_on_few_pages(open_page: Open) -> None:
    seen = open_page(mixed(), scheme="dark")
    pages = seen.page.pdf(format="A4")
    assert 1 <= pages.count(b"/Type /Page\n") + pages.count(b"/Type /Page ") <= 3
    seen.page.emulate_media(media="print")
    for part, is_there in (
        ("#answers table", True),
        ("#fail .finding", True),
        (".record", True),
        ("#findings", True),
        ("#matrix", False),
        ("#requirements", False),
        ("#filter-bar", False),
        ("nav", False),
        ("#my-module", False),
    ):
        assert seen.page.locator(part).first.is_visible() is is_there, part
    colour = seen.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert colour == "rgb(255, 255, 255)"
