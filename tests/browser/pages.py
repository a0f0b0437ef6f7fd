"""A page that is open in the browser, and what tests ask of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dmconform.core.text import plain
from dmconform.report.marks import mark
from dmconform.report.schema import CellEntry, Report
from playwright.sync_api import Dialog, Locator, Page

# Whether all rows and columns in the matrix's view have their cells.
_FILLED = """
(scroll) => {
  const { top, bottom, left, right } = scroll.getBoundingClientRect();
  const ends = [...scroll.querySelectorAll(".header .cell.top")].map((it) => it.getBoundingClientRect());
  const from = left + scroll.querySelector(".head").offsetWidth;
  const asked = ends.flatMap((it, at) => (it.right > from && it.left < right ? [at + 2] : []));
  return [...scroll.querySelectorAll(".row:not(.header)")].every((row) => {
    const box = row.getBoundingClientRect();
    if (box.bottom <= top || box.top >= bottom) return true;
    const has = new Set([...row.children].map((it) => Number(it.getAttribute("aria-colindex"))));
    return asked.every((at) => has.has(at));
  });
}
"""

# Scrolls through the whole matrix, as only what is near the view has cells, and collects them.
_COLLECT = f"""
async () => {{
  const filled = {_FILLED.strip()};
  const scroll = document.querySelector(".scroll");
  const found = {{}};
  let most = 0;
  for (let top = 0; top < scroll.scrollHeight; top += 700)
    for (let left = 0; left < scroll.scrollWidth; left += 700) {{
      scroll.scrollTo({{ top, left, behavior: "instant" }});
      do await new Promise(requestAnimationFrame);
      while (!filled(scroll));
      const cells = scroll.querySelectorAll("[data-cell]");
      most = Math.max(most, cells.length);
      for (const cell of cells) found[cell.dataset.cell] = [cell.getAttribute("aria-label"), cell.textContent];
    }}
  return {{ found: Object.values(found), most }};
}}
"""

# Until the page has done all that it was asked for: going back in the history and filling rows come a moment later. Not with
# Playwright's wait_for_function, which may evaluate strings, and the page's policy forbids that.
_SETTLE = f"""
async (most) => {{
  const filled = {_FILLED.strip()};
  const settled = () => {{
    const story = document.getElementById("story");
    if (story && story.checkVisibility() !== location.hash.includes("cell=")) return false;
    const scroll = document.querySelector(".scroll");
    return !scroll || filled(scroll);
  }};
  const frame = () => new Promise(requestAnimationFrame);
  const overdue = performance.now() + most;
  await frame();
  do await frame();
  while (!settled() && performance.now() < overdue);
  if (!settled()) throw new Error("the page is not done in time");
}}
"""
SETTLE_MS = 10_000


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

    def settle(self) -> None:
        """Waits until the page has done all that it was asked for."""
        self.page.evaluate(_SETTLE, SETTLE_MS)

    @property
    def fragment(self) -> str:
        """Of the address, without the `#`."""
        self.settle()
        return self.page.url.partition("#")[2]

    @property
    def story(self) -> Locator:
        return self.page.locator("#story")

    def cell(self, its: CellEntry) -> Locator:
        """A cell of the matrix; it has to be in an open row near the view."""
        return self.page.locator(f'.cell[aria-label^="{label(its)}"]')

    def field(self, name: str) -> Locator:
        """What the open story says under a name."""
        return self.story.locator(f'[data-field="{name}"]')

    def open_all_rows(self) -> None:
        button = self.page.locator("#unfold")
        if button.inner_text() == "open all rows":  # and not where all are open from the start
            button.click()
        self.settle()

    def all_cells(self) -> list[tuple[str, str]]:
        """Label and words of every cell in open rows, wherever it is."""
        return [(name, words) for name, words in self.collected()["found"]]

    def collected(self) -> dict[str, Any]:
        """`found`: those cells; `most`: how many of them the document had at once."""
        reported: dict[str, Any] = self.page.evaluate(_COLLECT)
        return reported

    def focused(self) -> str:
        """The label of what has the focus, or its text."""
        self.settle()
        its = "document.activeElement"
        reported: str = self.page.evaluate(f"{its}.getAttribute('aria-label') ?? {its}.textContent")
        return reported


def label(its: CellEntry) -> str:
    """How a cell's label begins."""
    return f"{plain(its.case)}, {plain(its.sdk)} on {plain(its.host)}: "


def expected_cells(whole: Report) -> list[tuple[str, str]]:
    """What `Seen.all_cells` has to find, if nothing is filtered."""
    found = []
    for its in whole.cells:
        text = label(its) + f"{its.outcome.value}, {its.relation.value}, {its.judgement.value}"
        look = mark(its)
        flagged = look.flag and its.judgement.value != "static/run-time mismatch"
        found.append((text + (", static/run-time mismatch" if flagged else ""), f"{look.glyph}{look.word}{look.flag}"))
    return found
