"""Sections share the room there is, and nothing is left out without being counted."""

from __future__ import annotations

import re

import pytest
from dmconform.report.fitting import CLOSING_CHARS, MOST_SECTIONS, ReportSection, fit, left_out_sentence, size_of

TABLE = ("| a |", "| --- |")


def section(title: str, rows: int, width: int = 20, *, folded: bool = False) -> ReportSection:
    return ReportSection(title, tuple(f"| {number:{width - 4}} |" for number in range(rows)), TABLE, folded=folded)


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("limit", [0, 50, 150, 151, 152, 153, 500, 2000, 10_000])
def test_a_section_is_never_longer_than_its_room(limit: int, folded: bool) -> None:
    one = section("One", 100, folded=folded)
    lines = one.fitted(limit)
    if lines is None:
        assert limit <= 200
        return
    assert size_of(lines) <= limit
    shown = sum(line.startswith("| ") for line in lines) - len(TABLE)
    note = re.search(r"(\d+) of 100 rows are left out", "\n".join(lines))
    assert shown + (int(note[1]) if note else 0) == 100
    assert (limit < one.size) == (note is not None)


def test_a_row_that_is_too_long_hides_no_other() -> None:
    rows = ("| short |", f"| {'x' * 1000} |", "| also short |")
    lines = ReportSection("One", rows, TABLE).fitted(300)
    assert lines is not None
    assert [row in lines for row in rows] == [True, False, True]
    assert "1 of 3 rows are left out here" in "\n".join(lines)


def test_small_sections_are_whole_and_large_ones_share() -> None:
    sections = [section("Large", 1000), section("Small", 3), section("Larger", 5000)]
    found = fit(sections, 10_000)
    text = "\n".join(found.lines)
    assert size_of(found.lines) <= 10_000
    assert found.left_out == ()
    assert "\n".join(sections[1].fitted(10**6) or ()) in text
    large, larger = text.index("## Large\n"), text.index("## Larger")
    assert abs((text.index("## Small") - large) - (len(text) - larger)) < 60, "the same room for both"


def test_a_section_that_gets_no_room_gives_it_to_the_others() -> None:
    sections = [section(f"Section {number}", 100, 60) for number in range(20)]
    found = fit(sections, 1200)
    shown = "\n".join(found.lines).count("## Section")
    assert 0 < shown < 20
    assert found.left_out == tuple(one.title for one in sections[shown:]), "the last ones, in their order"
    assert size_of(found.lines) > 1200 - 200


def test_sections_without_number_are_left_out() -> None:
    found = fit([section(str(number), 1) for number in range(MOST_SECTIONS + 5)], 10**6)
    assert found.left_out == tuple(str(number) for number in range(MOST_SECTIONS, MOST_SECTIONS + 5))


def test_what_is_left_out_is_named_or_counted() -> None:
    assert left_out_sentence(["One", "Two"]) == "Left out here: One, Two. `report.json` and the page have them."
    many = left_out_sentence([*"abcdefghijklmnopqrstuvwxyz", "x" * 5000])
    assert many.startswith("Left out here: a, b, c, d, e, f, g, h, 19 more.")
    assert left_out_sentence([]) == ""
    assert len(left_out_sentence(["y" * 80] * 5000)) < CLOSING_CHARS
