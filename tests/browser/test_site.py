"""A site, opened from its folder in a real browser: quiet, readable by all, and every link leads somewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from dmconform.release.site.build import build_site
from playwright.sync_api import Browser, BrowserContext, Dialog, Page

from tests.browser.conftest import LOAD_MS
from tests.checkout import ROOT
from tests.unit.site_samples import hostile_night, keep, two_nights

pytestmark = pytest.mark.browser

SERIOUS = ("serious", "critical")
PAGES = ("index.html", "trends.html", "failures.html")
FIRST_SCREEN = 900

OpenSite = Callable[..., Page]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the published reports, two nights of which the second is worse, and one of hostile text."""
    folder = tmp_path_factory.mktemp("site")
    two_nights(folder / "nights")
    keep(folder / "nights", 2, hostile_night())
    build_site(folder / "out", [folder / "nights", ROOT / "reports" / "published"])
    return folder / "out"


@pytest.fixture
def open_site(browser: Browser, site: Path) -> Iterator[OpenSite]:
    """Opens a page of the site, and checks at the end that it was quiet and asked for nothing elsewhere."""
    contexts: list[BrowserContext] = []
    trouble: list[str] = []
    asked: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        trouble.append(dialog.message)
        dialog.dismiss()

    def open_it(name: str, *, scheme: str = "light", width: int = 1440) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": FIRST_SCREEN},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(LOAD_MS)
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("dialog", dismiss)
        page.on("request", lambda request: asked.append(request.url))
        page.goto((site / name).as_uri())
        return page

    yield open_it
    assert trouble == [], "the browser's console is not empty"
    assert [url for url in asked if not url.startswith((site.as_uri(), "data:"))] == []
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)])
def test_axe_finds_nothing_serious_and_nothing_scrolls_sideways(
    open_site: OpenSite, name: str, scheme: str, width: int
) -> None:
    page = open_site(name, scheme=scheme, width=width)
    for summary in page.locator("details > summary").all():
        summary.click()
    found = [one for one in Axe().run(page).response["violations"] if one["impact"] in SERIOUS]
    assert [f"{one['id']}: {[node['html'][:200] for node in one['nodes'][:3]]}" for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_axe_sees_what_is_wrong(open_site: OpenSite) -> None:
    page = open_site("index.html")
    page.evaluate("document.querySelector('h1').setAttribute('role', 'nonsense')")
    assert any(one["id"] == "aria-roles" for one in Axe().run(page).response["violations"])


@pytest.mark.parametrize("width", [390, 1440])
def test_the_answer_is_on_the_first_screen(open_site: OpenSite, width: int) -> None:
    page = open_site("index.html", width=width)
    for part in page.locator("h1, .numbers, .facts li").all():
        box = part.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= FIRST_SCREEN, part.inner_text()
    text = page.locator("header").inner_text()
    for words in ("of what is promised of the official SDKs was tested", "known failures", "cells in which Envoy ended"):
        assert words in text


def test_every_link_leads_somewhere(open_site: OpenSite, site: Path) -> None:
    """The parts of a run's page are its own: they are state, which that page reads."""
    for name in PAGES:
        page = open_site(name)
        links = page.eval_on_selector_all("a[href], link[href]", "all => all.map((one) => one.href)")
        assert len(links) > 5
        for link in links:
            parts = urlsplit(link)
            if parts.scheme in ("data", "https"):
                continue
            assert parts.scheme == "file"
            file = Path(unquote(parts.path))
            assert file.is_file(), link
            assert file.is_relative_to(site), link
            if parts.fragment and file.parent == site:
                assert (
                    file.name != page.url.rpartition("/")[2].partition("#")[0]
                    or page.locator(f"#{parts.fragment}").count() == 1
                )


def test_a_reader_gets_from_what_became_worse_to_the_cell(open_site: OpenSite) -> None:
    page = open_site("index.html")
    page.locator("section[aria-labelledby='news'] a").get_by_text("held and fail now").first.click()
    page.wait_for_load_state()
    assert "/runs/" in page.url
    assert page.locator("#story").is_visible(), "expected the story of the cell to be open"


def test_a_failure_has_its_part_and_its_cells(open_site: OpenSite) -> None:
    page = open_site("index.html")
    page.locator("section[aria-labelledby='what-fails'] a").first.click()
    page.wait_for_load_state()
    card = page.locator(f"[id='{page.url.partition('#')[2]}']")
    assert "failing since" in card.inner_text()
    card.locator("summary").click()
    card.locator("details a").first.click()
    page.wait_for_load_state()
    assert page.locator("#story").is_visible()


def test_what_is_known_can_be_told_without_colour(open_site: OpenSite) -> None:
    """Each field has a sign and a word, and each chart a text."""
    page = open_site("index.html")
    for field in page.locator("td.good, td.bad, td.known, td.open, td.none").all():
        assert field.inner_text().strip()[:1] in "✓✗!■◐○·", field.inner_text()
    page = open_site("trends.html")
    assert page.locator("svg.chart").count() > 20
    assert page.locator("svg.chart:not([aria-label*=' of '])").count() == 0


def test_badges_are_images_that_a_browser_shows(open_site: OpenSite, site: Path) -> None:
    for badge in sorted((site / "badges").glob("*.svg"))[:4]:
        page = open_site(f"badges/{badge.name}")
        box = page.locator("svg").bounding_box()
        assert box is not None
        assert box["width"] > 80
        assert page.locator("text").count() == 2
