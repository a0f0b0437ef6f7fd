"""The corpus as data: its entries can be told apart, and its texts are the same on every machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.corpus.catalogue import ENTRIES
from tests.corpus.golden import masked
from tests.corpus.making import SOURCES, Changed, Module, Way


def source_of(way: Way) -> str:
    """The C source of a module, or of what is changed; empty where there is none."""
    if isinstance(way, Changed):
        return source_of(way.of)
    return way.source if isinstance(way, Module) else ""


def test_each_entry_has_an_id_and_an_intent_of_its_own() -> None:
    for words in ([entry.id for entry in ENTRIES], [entry.intent for entry in ENTRIES]):
        assert [word for word in words if words.count(word) > 1] == []
    assert [entry.id for entry in ENTRIES if "\n" in entry.intent or entry.intent.endswith(".")] == []


def test_each_source_is_used_and_says_what_it_does() -> None:
    there = {file.name: file.read_text() for file in SOURCES.glob("*.c")}
    assert {source_of(entry.way) for entry in ENTRIES} - {""} == there.keys()
    assert [name for name, text in there.items() if not text.startswith("// ")] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lib.so  13280 bytes  sha256:" + "0a" * 32 + "\n", "lib.so  SIZE bytes  sha256:HASH\n"),
        ("[   0.2 s] running\n[  12.0 s] more\n", "[TIME] running\n[TIME] more\n"),
        ("done in 1.25 s  \n", "done in TIME\n"),
        ("at 0x7f3a90c1 of /tmp/made/lib.so\n", "at ADDRESS of FOLDER/lib.so\n"),
        ("http://127.0.0.1:40123/\n", "http://127.0.0.1:PORT/\n"),
        ("red: \x1b[31m\n", "red: \\x1b[31m\n"),
    ],
)
def test_what_differs_from_machine_to_machine_is_left_out(text: str, expected: str) -> None:
    assert masked(text, Path("/tmp/made")) == expected


def test_what_matters_stays() -> None:
    text = f"1.39.3: its ABI string is {'0a' * 32}, GLIBC_2.34; exit code 1\n"
    assert masked(text, Path("/tmp/made")) == text
