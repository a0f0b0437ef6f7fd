"""The page's modules are true ES modules: a browser that imports them itself makes the same page as of the combined script."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from dmconform.report.html import render_html
from dmconform.report.page.document import ASSETS
from playwright.sync_api import Browser, Route

from tests.browser.conftest import LOAD_MS, Open
from tests.browser.pages import Seen
from tests.unit.report_samples import matrix

pytestmark = pytest.mark.browser

SITE = "https://modules.invalid/"  # nobody is asked: the test answers for it
CONTENT = "document.querySelector('main').innerHTML"


def with_modules(source: str) -> str:
    """A page that imports its modules instead of bringing a script; its policy would forbid that."""
    source, policies = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", source)
    source, scripts = re.subn(r"<script>.*</script>", '<script type="module" src="main.js"></script>', source, flags=re.DOTALL)
    assert (policies, scripts) == (1, 1)
    return source


def test_a_browser_that_imports_the_modules_makes_the_same_page(browser: Browser, open_page: Open) -> None:
    whole = matrix(cases=6)
    asked: set[str] = set()

    def answer(route: Route) -> None:
        name = urlsplit(route.request.url).path.removeprefix("/")
        asked.add(name)
        if name:
            route.fulfill(path=ASSETS / name, content_type="text/javascript")
        else:
            route.fulfill(body=with_modules(render_html(whole)), content_type="text/html")

    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce", color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(LOAD_MS)
    page.route("**/*", answer)
    page.goto(SITE)
    imported, combined = Seen(page, SITE), open_page(whole)
    for seen in (imported, combined):
        seen.open_all_rows()
    assert page.locator(".cell").count() > 100
    assert page.evaluate(CONTENT) == combined.page.evaluate(CONTENT)
    assert asked == {"", *(file.name for file in ASSETS.glob("*.js"))}
    context.close()
