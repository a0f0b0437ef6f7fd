"""Tables are aligned, and shorten what may be shortened where a terminal is narrow."""

from __future__ import annotations

import pytest
from dmconform.core.table import SHORTEST, Column, lines, output_width

COLUMNS = (Column("NAME"), Column("HASH", may_be_cut=True), Column("TITLE", may_be_cut=True))
ROWS = [("a", "0" * 64, "t" * 30), ("longer", "1" * 64, "")]


def test_without_a_width_nothing_is_shortened_and_columns_begin_below_each_other() -> None:
    heading, first, second = lines(COLUMNS, ROWS)
    assert [heading.index("HASH"), first.index("0"), second.index("1")] == [8, 8, 8]
    assert first.endswith("t" * 30)
    assert second == "longer  " + "1" * 64, "expected no blanks at the end"


@pytest.mark.parametrize("width", [100, 80, 60, 40])
def test_columns_that_may_be_cut_give_way_from_the_right_one_on(width: int) -> None:
    cut = list(lines(COLUMNS, ROWS, width))
    assert max(map(len, cut)) <= width
    assert "…" in cut[1]
    title = cut[1].split()[-1]
    assert len(title) == SHORTEST if width < 90 else len(title) > SHORTEST
    assert cut[2].startswith("longer")


def test_a_table_that_cannot_be_narrow_enough_keeps_its_names() -> None:
    assert [line.split()[0] for line in lines(COLUMNS, ROWS, 10)] == ["NAME", "a", "longer"]


def test_an_empty_table_has_its_heading() -> None:
    assert list(lines(COLUMNS, [])) == ["NAME  HASH  TITLE"]


def test_columns_of_the_environment_count_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert output_width() is None
    monkeypatch.setenv("COLUMNS", "72")
    assert output_width() == 72
