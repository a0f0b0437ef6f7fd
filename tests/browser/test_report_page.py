"""The page in a real browser: it shows what the report says, runs nothing, fetches nothing, and works from the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page

from harness.binaries.model import StaticKind
from harness.report.grid import grid
from harness.report.halves import static_half, static_words
from harness.report.html import cell_anchor, render_html
from harness.report.marks import ABI_WORDS, mark
from harness.report.schema import CellEntry, Report, read_report, write_report
from harness.report.summary import summarise
from tests.browser.conftest import chromium
from tests.unit.report_samples import (
    ALL_KINDS,
    FINDING,
    HOSTILE,
    KNOWN_FAILURE,
    broken,
    cell,
    disputed,
    hostile_report,
    matrix,
    report,
    static,
)

pytestmark = pytest.mark.browser

LOAD_MS = 10_000  # a page of 2,000 cells takes half a second; more than this and a reader has left


@dataclass
class Seen:
    """A page, and what the browser complained of or asked for while it was open."""

    page: Page
    address: str
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def cell(self, name: str) -> Locator:
        return self.page.locator(f'[id="at-{cell_anchor(name)}"]')

    def detail(self, name: str) -> Locator:
        return self.page.locator(f'[id="{cell_anchor(name)}"]')


Open = Callable[..., Seen]


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a report's page from a file, and at the end checks that the page was quiet."""
    opened: list[Seen] = []
    contexts = []

    def open_it(whole: Report, *, fragment: str = "", scheme: str = "light", width: int = 1280) -> Seen:
        file = tmp_path / f"report-{len(opened)}.html"
        file.write_text(render_html(whole), encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(LOAD_MS)
        seen = Seen(page, file.as_uri())
        page.on("console", lambda message: seen.console.append(message.text))
        page.on("pageerror", lambda error: seen.console.append(str(error)))
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("dialog", seen.dismiss)
        page.goto(seen.address + (f"#{fragment}" if fragment else ""))
        opened.append(seen)
        return seen

    yield open_it
    for seen in opened:
        assert seen.console == [], "the browser's console is not empty"
        assert seen.dialogs == [], "text of the report ran as a script"
        assert [url for url in seen.requests if url.partition("#")[0] != seen.address and url != "data:,"] == []
    for context in contexts:
        context.close()


def test_a_page_of_2000_cells_shows_each_as_the_report_has_it(open_page: Open, tmp_path: Path) -> None:
    write_report(matrix(), tmp_path / "report.json")
    whole = read_report(tmp_path / "report.json")
    seen = open_page(whole)
    shown = seen.page.eval_on_selector_all(
        ".matrix td.c a", "links => links.map(it => [it.getAttribute('href'), it.innerText.replace(/\\s+/g, ' ').trim()])"
    )
    expected = {f"#{cell_anchor(it.id)}": mark(it) for it in whole.cells}
    assert len(shown) == len(expected) == 2040
    assert {href: words.replace(" ", "") for href, words in shown} == {
        href: str(its).replace(" ", "") for href, its in expected.items()
    }
    half = static_half(whole)
    assert seen.page.locator("#static-row td").all_inner_texts() == [
        static_words(half.get((sdk.sdk, host))) for _, sdk, host in grid(whole).columns
    ]
    assert seen.page.inner_text("#answer") == f"✗ {summarise(whole).headline}"
    assert seen.page.inner_text('[data-count="planned"] b') == str(whole.planned_cells)


@pytest.mark.parametrize("cell", ALL_KINDS, ids=lambda it: it.judgement.value.replace(" ", "-") + "-" + it.outcome.name.lower())
def test_a_permalink_opens_its_cell_and_only_that(open_page: Open, cell: CellEntry) -> None:
    seen = open_page(report(ALL_KINDS, known_failures=[KNOWN_FAILURE]), fragment=cell_anchor(cell.id))
    detail = seen.detail(cell.id)
    assert detail.is_visible()
    assert seen.page.locator("section.detail:visible").count() == 1
    assert detail.locator('[data-field="outcome"]').inner_text() == cell.outcome.value
    assert detail.locator('[data-field="judgement"]').inner_text().startswith(cell.judgement.value)
    assert detail.locator('[data-field="relation"]').inner_text() == f"{cell.relation.value}: {cell.relation_reason}"
    assert detail.locator('[data-field="abi"]').inner_text() == ABI_WORDS[cell.abi_verdict]
    assert detail.locator('[data-field="reproduce"]').inner_text() == cell.reproduce
    shown = detail.locator('[data-field="detail"]')
    assert (shown.inner_text() if shown.count() else "") == cell.detail


def test_a_click_opens_a_cell_and_close_goes_back_to_it(open_page: Open) -> None:
    seen = open_page(report(ALL_KINDS))
    name = ALL_KINDS[1].id
    assert not seen.detail(name).is_visible()
    seen.cell(name).click()
    assert seen.detail(name).is_visible()
    assert seen.page.url == f"{seen.address}#{cell_anchor(name)}"
    seen.detail(name).get_by_text("close").click()
    assert not seen.detail(name).is_visible()
    assert seen.cell(name).is_visible()


def test_the_keyboard_reaches_a_cell_opens_it_and_closes_it(open_page: Open) -> None:
    seen = open_page(report([ALL_KINDS[0], ALL_KINDS[1]]))
    focused = "document.activeElement.id"
    first = f"at-{cell_anchor(ALL_KINDS[0].id)}"
    for _ in range(20):
        seen.page.keyboard.press("Tab")
        if seen.page.evaluate(focused) == first:
            break
    assert seen.page.evaluate(focused) == first
    seen.page.keyboard.press("Enter")
    assert seen.detail(ALL_KINDS[0].id).is_visible()
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.textContent") == "close"
    seen.page.keyboard.press("Enter")
    assert not seen.detail(ALL_KINDS[0].id).is_visible()
    assert seen.page.evaluate(focused) == first


def test_hostile_text_is_shown_and_does_nothing(open_page: Open) -> None:
    whole = hostile_report()
    seen = open_page(whole, fragment=cell_anchor(whole.cells[0].id))
    assert seen.detail(whole.cells[0].id).is_visible()
    assert '<script>alert("x")</script>' in seen.detail(whole.cells[0].id).inner_text()
    assert seen.page.locator("script, img, iframe, object, embed").count() == 0
    assert seen.page.locator("main").is_visible()
    assert HOSTILE.startswith("<script>")


def test_the_policy_stops_a_script_that_got_in_all_the_same(browser: Browser, tmp_path: Path) -> None:
    source = render_html(report(ALL_KINDS))
    file = tmp_path / "report.html"
    file.write_text(source.replace("</body>", "<script>document.title = 'ran'</script></body>"), encoding="utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    assert page.title() != "ran"
    page.close()


def test_headers_stay_in_view(open_page: Open) -> None:
    seen = open_page(matrix(cases=40), width=1280)
    box = seen.page.locator(".scroll")
    box.evaluate("it => it.scrollTo(4000, 500)")
    area = box.bounding_box()
    corner = seen.page.locator("th.corner").bounding_box()
    assert area is not None
    assert corner is not None
    assert abs(corner["x"] - area["x"]) < 3
    assert abs(corner["y"] - area["y"]) < 3
    row = seen.page.locator("th.case").nth(25).bounding_box()
    assert row is not None
    assert abs(row["x"] - area["x"]) < 3
    labels = seen.page.eval_on_selector_all(
        "th span.stay",
        "(all, from) => all.filter(it => { const r = it.getBoundingClientRect();"
        " return r.left >= from && r.right <= innerWidth && r.width > 0 }).map(it => it.textContent)",
        area["x"] + corner["width"] - 2,
    )
    assert any("·" in label for label in labels), "no language and provider is readable"
    assert any(label.startswith("SDK 1.") for label in labels), "no SDK version is readable"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_both_schemes(open_page: Open, scheme: str) -> None:
    seen = open_page(matrix(), scheme=scheme)
    page_colour = seen.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert page_colour == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(21, 24, 28)")
    for style in ("good", "bad", "fact-good", "fact-bad", "not-run"):
        colours = seen.page.locator(f".matrix a.{style}").first.evaluate(
            "it => [getComputedStyle(it).color, getComputedStyle(it).backgroundColor]"
        )
        assert contrast(*colours) >= 4.5, f"{style} is hard to read: {colours}"


def test_the_frame_is_drawn_for_promised_cells_only(open_page: Open) -> None:
    seen = open_page(report([it for it in ALL_KINDS if it.case in ("window/proxied_traffic", "load/refuse")]))
    width = "it => getComputedStyle(it, '::after').borderTopWidth"
    assert seen.cell(ALL_KINDS[0].id).evaluate(width) == "3px"
    assert (
        seen.page.locator(".matrix a:not(.promised)").first.evaluate("it => getComputedStyle(it, '::after').content") == "none"
    )


def test_calm_cases_can_be_hidden(open_page: Open) -> None:
    seen = open_page(matrix())
    assert seen.page.locator(".matrix tbody tr:visible").count() == 19
    seen.page.get_by_label("only cases with failures").check()
    names = seen.page.locator(".matrix tbody tr:visible th").all_inner_texts()
    assert names == ["what the host said of the ABI string", "static verdict", "traffic/case_number_3", "guard/case_number_7"]


def test_a_flagged_cell_is_seen_in_the_matrix_and_explained_when_opened(open_page: Open) -> None:
    flagged, calm = disputed("load/hidden"), cell("load/calm")
    half = static(flagged.sdk, flagged.host, StaticKind.REFUSED, 70)
    seen = open_page(report([flagged, calm], static=[half]))
    assert " ".join(seen.cell(flagged.id).inner_text().split()) == "✓ DISPUTED ≠"
    link = seen.cell(flagged.id)
    assert link.evaluate("it => it.scrollWidth <= it.clientWidth"), "expected the words to fit into their cell"
    assert contrast(*link.evaluate("it => [getComputedStyle(it).color, getComputedStyle(it).backgroundColor]")) >= 4.5
    assert "≠" not in seen.cell(calm.id).inner_text()
    assert seen.page.locator("#disputes").get_by_text("AGAINST the run").is_visible()
    link.click()
    detail = seen.detail(flagged.id)
    assert detail.locator('[data-field="disagreement"]').inner_text() == flagged.disagreement
    assert detail.locator('[data-field="probe"]').inner_text() == "loaded"
    assert detail.locator('[data-field="static"]').inner_text().startswith("refused at load: symbols envoy")
    seen.detail(calm.id).locator('[data-field="disagreement"]').wait_for(state="detached")


def test_a_static_verdict_leads_to_all_that_is_known_of_it(open_page: Open) -> None:
    entries = [static("rust@1.39:reference", "1.39.3"), static("rust@1.39:reference", "1.40.0", StaticKind.BOMB, 70)]
    seen = open_page(report([cell(), cell(host="1.40.0")], static=entries, abi_findings=[FINDING]))
    words = seen.page.locator("#static-row td")
    assert words.all_inner_texts() == ["loads", "bomb (70)"]
    words.nth(1).locator("a").click()
    row = seen.page.locator("tr:target")
    assert row.is_visible()
    assert "1.40.0" in row.inner_text()
    assert not row.get_by_text("callback_new_59").is_visible()
    row.locator("summary").click()
    assert row.get_by_text("callback_new_59").is_visible()
    assert seen.page.get_by_text(FINDING.subject).is_visible()


@pytest.mark.parametrize("width", [420, 1280])
def test_the_page_itself_never_scrolls_sideways(open_page: Open, width: int) -> None:
    whole = matrix(cases=3)
    cells = (disputed("load/hidden"), *whole.cells)
    seen = open_page(msgspec.structs.replace(whole, cells=cells, planned_cells=len(cells), exit_code=1), width=width)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_chromium_they_fail_and_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(pytest.fail.Exception, match="apt-get install -y chromium"):
        chromium()


def test_a_long_line_does_not_widen_the_page(open_page: Open) -> None:
    seen = open_page(report([broken(detail="x" * 3000)]), width=800)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 800


def contrast(first: str, second: str) -> float:
    """The contrast of two CSS colours as WCAG has it."""

    def luminance(colour: str) -> float:
        channels = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [it / 12.92 if it <= 0.03928 else ((it + 0.055) / 1.055) ** 2.4 for it in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
