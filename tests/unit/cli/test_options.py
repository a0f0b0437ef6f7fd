"""Options that several commands share: what one word of them holds."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from dmconform.cli.options import add_selectors


def selected(*words: str) -> tuple[list[str], list[str], list[str]]:
    parser = argparse.ArgumentParser()
    add_selectors(parser)
    found = parser.parse_args(words)
    return found.host, found.sdk, found.case


def test_a_word_holds_several_and_an_empty_one_none() -> None:
    words = (
        "--host",
        "1.39 path:./envoy\nimage:a/b:c ",
        "--sdk",
        "go@* rust@1.39:official",
        "--case",
        "rtld/*",
        "--case",
        "a/* b/c",
    )
    hosts, sdks, cases = selected(*words)
    assert hosts == ["1.39", "path:./envoy", "image:a/b:c"]
    assert sdks == ["go@*", "rust@1.39:official"]
    assert cases == ["rtld/*", "a/*", "b/c"]
    assert selected("--host", "", "--sdk", " ", "--case", "") == ([], [], [])


def test_the_path_of_a_file_may_have_blanks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "an envoy").touch()
    hosts, _, _ = selected("--host", "path:an envoy", "--host", "path:no envoy")
    assert hosts == ["path:an envoy", "path:no", "envoy"]
