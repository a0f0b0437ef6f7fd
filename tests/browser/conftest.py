"""A real browser for the page: Debian's chromium, driven over its DevTools by playwright."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dmconform.report.comparison.compare import compare
from dmconform.report.html import render_html
from dmconform.report.schema import Report
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.pages import Seen

LOAD_MS = 10_000  # a page of 20,000 cells takes half a second; more than this and a reader has left

Open = Callable[..., Seen]


def chromium() -> str:
    """Where chromium is. These tests fail without it, as a skipped one would pass for a page that works."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail(
            "the browser tests need the program `chromium` on PATH and there is none: install it with "
            "`apt-get install -y chromium`, or leave these tests out with `-m 'not browser'`",
            pytrace=False,
        )
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not start as root or in a container; the pages are ours.
        opened = playwright.chromium.launch(executable_path=chromium(), chromium_sandbox=False)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a report's page from a file, and at the end checks that the page was quiet."""
    opened: list[Seen] = []
    contexts: list[BrowserContext] = []

    def open_it(
        whole: Report,
        *,
        fragment: str = "",
        scheme: str = "light",
        width: int = 1280,
        previous: Report | None = None,
        script: bool = True,
        beside: Path | None = None,
    ) -> Seen:
        file = tmp_path / f"report-{len(opened)}.html"
        compared = compare(previous, whole) if previous is not None else None
        file.write_text(render_html(whole, compared, beside), encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
            java_script_enabled=script,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(LOAD_MS)
        seen = Seen(page, file.as_uri())
        page.on("console", lambda message: seen.console.append(message.text))
        page.on("pageerror", lambda error: seen.console.append(str(error)))
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("dialog", seen.dismiss)
        page.goto(seen.address + fragment)
        opened.append(seen)
        return seen

    yield open_it
    for seen in opened:
        assert seen.console == [], "the browser's console is not empty"
        assert seen.dialogs == [], "text of the report ran as a script"
        own = {seen.address, "data:,"}
        assert [url for url in seen.requests if url.partition("#")[0].partition("?")[0] not in own] == []
    for context in contexts:
        context.close()
