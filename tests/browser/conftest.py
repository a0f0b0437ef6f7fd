"""A real browser for the page: Debian's chromium, driven over its DevTools by playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright


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
