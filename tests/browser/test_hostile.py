"""Reports are somebody else's text: whatever is in one is shown, and does nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.core.text import plain
from dmconform.report.html import cell_fragment, render_html
from playwright.sync_api import Browser

from tests.browser.conftest import Open
from tests.unit.report.test_html import DOCUMENTATION
from tests.unit.report_samples import ALL_KINDS, HOSTILE, broken, hostile_report, report

pytestmark = pytest.mark.browser


def test_hostile_text_is_shown_and_does_nothing(open_page: Open) -> None:
    whole = hostile_report()
    seen = open_page(whole, fragment=f"#{cell_fragment(whole.cells[0].id)}", previous=whole)
    assert seen.story.is_visible()
    first = plain(HOSTILE).split("\n", maxsplit=1)[0]
    assert seen.field("detail").locator("pre").first.inner_text() == first
    assert seen.field("mismatch").inner_text() == plain(HOSTILE)
    seen.page.keyboard.press("Escape")
    for summary in seen.page.locator("main details > summary").all():
        if summary.is_visible() and not summary.evaluate("it => it.parentNode.open"):
            summary.click()
    assert seen.page.locator("main img:not([role]), iframe, object, embed, main script").count() == 0
    assert seen.page.locator("script").count() == 2
    hrefs = seen.page.locator("a").evaluate_all("all => all.filter(it => it.protocol !== 'file:').map(it => it.href)")
    assert set(hrefs) == {DOCUMENTATION}
    text = seen.page.locator("body").inner_text()
    assert '<script>alert("x")</script>' in text
    assert not set(text) & {"\x1b", "\u202e", "\x00"}


def test_the_filters_of_hostile_names_work(open_page: Open) -> None:
    whole = hostile_report()
    seen = open_page(whole)
    seen.page.locator("#pick-host summary").click()
    box = seen.page.locator('[data-filter-name="host"]').first
    box.check()
    address = seen.page.url
    seen.page.reload()
    assert seen.page.url == address
    assert seen.page.locator('[data-filter-name="host"]').first.is_checked()
    assert seen.page.locator("#shown").inner_text() == "1 of 2 cells"


@pytest.mark.parametrize(
    "asked", ["cell=%E0%A4%A", "language=__proto__&host=constructor", "=&&&==", "cell=<img src=x onerror=alert(1)>", "%"]
)
def test_a_hostile_address_does_nothing(open_page: Open, asked: str) -> None:
    seen = open_page(report(ALL_KINDS), fragment=f"#{asked}")
    assert seen.page.locator("h1").is_visible()
    assert not seen.story.is_visible()
    assert seen.page.locator("#shown").inner_text().endswith("of 11 cells")


def test_the_policy_stops_a_script_that_got_in_all_the_same(browser: Browser, tmp_path: Path) -> None:
    source = render_html(report(ALL_KINDS))
    file = tmp_path / "report.html"
    file.write_text(source.replace("</body>", "<script>document.title = 'ran'</script></body>"), encoding="utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    assert page.title() != "ran"
    page.close()


def test_a_huge_detail_opens_cut(open_page: Open) -> None:
    entry = broken(detail="x" * 1_000_000)
    seen = open_page(report([entry]), fragment=f"#{cell_fragment(entry.id)}", width=800)
    assert seen.field("detail").inner_text().endswith("(996000 more characters in report.json)")
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 800
    assert seen.story.evaluate("it => it.scrollWidth <= it.clientWidth")
