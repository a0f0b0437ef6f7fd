"""Who cannot see, or not the colours, or uses no mouse: axe-core's rules, and contrast of every look."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from dmconform.binaries.facts import StaticKind
from dmconform.report.html import cell_fragment
from dmconform.report.schema import Report

from tests.browser.conftest import Open
from tests.browser.pages import Seen
from tests.unit.report_samples import ALL_KINDS, FINDING, INCONSISTENCIES, KNOWN_FAILURE, matrix, report, static

pytestmark = pytest.mark.browser

SERIOUS = ("serious", "critical")


def rich() -> Report:
    """One cell of every judgement, and something in every section."""
    return report(
        ALL_KINDS,
        known_failures=[KNOWN_FAILURE],
        inconsistencies=INCONSISTENCIES,
        static=[static("rust@1.39:reference", "1.39.3", StaticKind.UNRESOLVED, 70), static("rust@1.39:reference", "1.40.0")],
        abi_findings=[FINDING],
        exit_code=1,
    )


def serious(seen: Seen) -> list[str]:
    """What axe-core finds, as far as it is serious: rule, and the first elements."""
    found = [it for it in Axe().run(seen.page).response["violations"] if it["impact"] in SERIOUS]
    return [f"{it['id']}: {it['help']}: {[node['html'][:200] for node in it['nodes'][:3]]}" for it in found]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 420)])
def test_axe_finds_nothing_serious(open_page: Open, scheme: str, width: int) -> None:
    seen = open_page(rich(), scheme=scheme, width=width, previous=report(ALL_KINDS[1:3]))
    seen.open_all_rows()
    for summary in seen.page.locator("main details > summary").all():
        if summary.is_visible() and not summary.evaluate("it => it.parentNode.open || !!it.closest('.pick')"):
            summary.click()
    seen.page.locator("#pick-sdk summary").click()
    assert serious(seen) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_story(open_page: Open, scheme: str) -> None:
    for entry in (ALL_KINDS[2], ALL_KINDS[-1]):
        seen = open_page(rich(), scheme=scheme, fragment=f"#{cell_fragment(entry.id)}")
        assert seen.story.is_visible()
        assert serious(seen) == []


def test_axe_sees_what_is_wrong(open_page: Open) -> None:
    seen = open_page(rich())
    seen.page.evaluate("document.querySelector('.row .cell').setAttribute('role', 'nonsense')")
    assert any(it.startswith("aria-roles") for it in serious(seen))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_look_has_contrast_and_its_own_words(open_page: Open, scheme: str) -> None:
    seen = open_page(report([*ALL_KINDS, *matrix(cases=2).cells]), scheme=scheme, width=1900)
    seen.open_all_rows()
    page_colour = seen.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert page_colour == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 23, 27)")
    for style in ("good", "bad", "incomplete", "fact-good", "fact-bad", "not-run"):
        colours = seen.page.locator(f".chip.{style}, .cell.{style}").first.evaluate(
            "it => [getComputedStyle(it).color, getComputedStyle(it).backgroundColor]"
        )
        assert contrast(*colours) >= 4.5, f"{style} is hard to read: {colours}"
    known = seen.page.locator(".known").first
    colour = known.evaluate("it => getComputedStyle(it).color")
    stripes = set(re.findall(r"rgb\([^)]*\)", known.evaluate("it => getComputedStyle(it).backgroundImage")))
    assert len(stripes) == 2
    assert min(contrast(colour, stripe) for stripe in stripes) >= 4.5
    words = {tuple(it.split()) for it in seen.page.locator(".legend .chip").all_inner_texts()}
    assert len(words) >= 8, "looks differ by more than their colours"


def contrast(first: str, second: str) -> float:
    """The contrast of two CSS colours as WCAG has it."""

    def luminance(colour: str) -> float:
        channels = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [it / 12.92 if it <= 0.03928 else ((it + 0.055) / 1.055) ** 2.4 for it in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
