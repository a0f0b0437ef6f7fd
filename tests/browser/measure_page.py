"""How long the page of 20,000 cells takes to open: `python -m tests.browser.measure_page`. A figure, not a test."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from dmconform.report.html import render_html
from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import chromium
from tests.unit.report_samples import matrix

CASES = 167
ROUNDS = 7
GOAL_S = 1.0
# Until the matrix has its first cells and the browser has drawn them.
_DRAWN = """
() => new Promise((done) => {
  const drawn = () => done(performance.now());
  const look = () => document.querySelector(".row .cell.sum") ? requestAnimationFrame(drawn) : setTimeout(look, 5);
  look();
})
"""
# Opens all rows, then scrolls the matrix from top to end, and sideways on the way: milliseconds until the rows are drawn, and
# between each two pictures after that.
_SCROLLED = """
async () => {
  const picture = () => new Promise(requestAnimationFrame);
  await picture();
  let last = performance.now();
  const lasted = async () => {
    await picture();
    const [before, now] = [last, performance.now()];
    last = now;
    return now - before;
  };
  document.getElementById("unfold").click();
  const opened = (await lasted()) + (await lasted());
  const scroll = document.querySelector(".scroll");
  const pictures = [];
  for (let top = 0; top < scroll.scrollHeight; top += 40) {
    scroll.scrollTo(top * 2, top);
    pictures.push(await lasted());
  }
  return { opened, pictures };
}
"""


@dataclass
class Figures:
    """What was measured, in seconds."""

    drawn: list[float] = field(default_factory=list)  # from the navigation to the drawn matrix, one of each round
    opened: list[float] = field(default_factory=list)  # all rows, one of each round
    pictures: list[float] = field(default_factory=list)  # between pictures while scrolling, of all rounds


def measure(browser: Browser, file: Path) -> Figures:
    """Opens and scrolls the page several times."""
    found = Figures()
    for _ in range(ROUNDS):
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(file.as_uri())
        found.drawn.append(page.evaluate(_DRAWN) / 1000)
        scrolled = page.evaluate(_SCROLLED)
        found.opened.append(scrolled["opened"] / 1000)
        found.pictures += [one / 1000 for one in scrolled["pictures"]]
        page.close()
    return found


def main() -> int:
    """Prints the figures."""
    whole = matrix(cases=CASES)
    begun = time.monotonic()
    source = render_html(whole)
    rendered_s = time.monotonic() - begun
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "index.html"
        file.write_text(source, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=chromium(), chromium_sandbox=False)
        found = measure(browser, file)
        browser.close()
    print(f"page of {len(whole.cells)} cells: {len(source.encode()) / 1e6:.2f} MB, written in {rendered_s:.2f} s")
    print(f"opens in {statistics.median(found.drawn):.2f} s (median of {ROUNDS}; goal: under {GOAL_S:g} s)")
    print(f"all rows open after {statistics.median(found.opened) * 1000:.0f} ms (median of {ROUNDS})")
    shares = statistics.quantiles(found.pictures, n=100)
    middle, most = (f"{one * 1000:.0f} ms" for one in (shares[49], shares[94]))
    print(f"scrolling: a picture takes {middle}, 95 in 100 at most {most}, the longest {max(found.pictures) * 1000:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
