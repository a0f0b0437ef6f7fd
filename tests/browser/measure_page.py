"""How long the page of 20,000 cells takes to open: `python -m tests.browser.measure_page`. A figure, not a test."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from harness.report.html import render_html
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
# The longest time between two pictures while the matrix, all rows open, is scrolled from top to end.
_SCROLLED = """
async () => {
  document.getElementById("unfold").click();
  const scroll = document.querySelector(".scroll");
  let longest = 0, last = performance.now();
  for (let top = 0; top < scroll.scrollHeight; top += 40) {
    scroll.scrollTo(top * 2, top);
    await new Promise(requestAnimationFrame);
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }
  return longest;
}
"""


def measure(browser: Browser, file: Path) -> tuple[list[float], list[float]]:
    """Seconds from the navigation to the drawn matrix, and the longest picture while scrolling; one of each per round."""
    opened, scrolled = [], []
    for _ in range(ROUNDS):
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(file.as_uri())
        opened.append(page.evaluate(_DRAWN) / 1000)
        scrolled.append(page.evaluate(_SCROLLED) / 1000)
        page.close()
    return opened, scrolled


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
        opened, scrolled = measure(browser, file)
        browser.close()
    print(f"page of {len(whole.cells)} cells: {len(source.encode()) / 1e6:.2f} MB, written in {rendered_s:.2f} s")
    print(f"opens in {statistics.median(opened):.2f} s (median of {ROUNDS}; goal: under {GOAL_S:g} s)")
    print(f"longest picture while scrolling, all rows open: {statistics.median(scrolled) * 1000:.0f} ms (median of {ROUNDS})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
