"""Pictures of a report's page, for people to look at, not a test: `python -m tests.browser.screenshots REPORT.json FOLDER`.

With `--situations` it takes the first screen of four situations that are made from the report: light and dark, wide and narrow.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dmconform.report.html import cell_fragment, render_html
from dmconform.report.reading import read_report
from dmconform.report.schema import Report
from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import chromium
from tests.browser.situations import SITUATIONS


@dataclass(frozen=True)
class Picture:
    """One picture: the page at a fragment, scrolled to an element."""

    name: str
    fragment: str = ""
    at: str = "body"
    scheme: Literal["light", "dark"] = "light"
    width: int = 1440
    height: int = 900


def pictures(report: Report) -> tuple[Picture, ...]:
    """The first screen, the matrix, a story and the ABI, light and dark, wide and narrow."""
    reported = next((cell for cell in report.cells if cell.known_failure), report.cells[0])
    story = f"#{cell_fragment(reported.id)}"
    return (
        Picture("answer"),
        Picture("answer-dark-narrow", scheme="dark", width=390),
        Picture("failures", at="#failures"),
        Picture("matrix", fragment="#language=rust&differs=1", at="#matrix"),
        Picture("matrix-dark", fragment="#compact=1", at="#matrix", scheme="dark"),
        Picture("story", fragment=story, height=1100),
        Picture("story-dark-narrow", fragment=story, scheme="dark", width=420),
        Picture("abi-dark", at="#abi", scheme="dark"),
    )


def take(browser: Browser, address: str, its: Picture, folder: Path) -> None:
    """Takes one picture."""
    page = browser.new_page(
        viewport={"width": its.width, "height": its.height}, color_scheme=its.scheme, reduced_motion="reduce"
    )
    page.goto(address + its.fragment)
    page.locator(its.at).evaluate("it => it.scrollIntoView()")
    page.locator(".row .cell").first.wait_for(state="attached")
    page.screenshot(path=folder / f"{its.name}.png")
    page.close()


def first_screens(name: str) -> tuple[Picture, ...]:
    """The first screen of a situation, light and dark, wide and narrow."""
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    return tuple(Picture(f"{name}-{width}-{scheme}", scheme=scheme, width=width) for width in (1440, 390) for scheme in schemes)


def main(arguments: Sequence[str]) -> int:
    """Takes all pictures of a report."""
    words = [one for one in arguments if one != "--situations"]
    if len(words) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    report, folder = read_report(Path(words[0])), Path(words[1])
    folder.mkdir(parents=True, exist_ok=True)
    asked = [(report, pictures(report))]
    if len(words) < len(arguments):
        asked = [(make(report), first_screens(name)) for name, make in SITUATIONS.items()]
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        file = Path(place) / "index.html"
        browser = playwright.chromium.launch(executable_path=chromium(), chromium_sandbox=False)
        for its, wanted in asked:
            file.write_text(render_html(its, None, file.parent), encoding="utf-8")
            for picture in wanted:
                take(browser, file.as_uri(), picture, folder)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
