"""Names that do not exist are refused with the nearest one that does."""

from __future__ import annotations

import pytest
from dmconform.core.nearest import LISTED, nearest, unknown


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("--hots", ["--help", "--host", "--out"], "--host"),
        ("--shape", ["--help", "--json"], None),  # the dashes alone make nothing alike
        ("1.93", ["1.38", "1.39", "1.40"], "1.39"),
        ("Rust", ["cpp", "rust"], "rust"),
        ("rust", ["cpp", "RUST"], "RUST"),
        ("cobol", ["cpp", "go", "rust"], None),
        ("", ["a"], None),
    ],
)
def test_the_nearest_name(name: str, known: list[str], expected: str | None) -> None:
    assert nearest(name, known) == expected


def test_the_message_has_the_nearest_name_or_a_short_list_or_neither() -> None:
    assert unknown("host", "1.93", ["1.39"]) == "unknown host 1.93: did you mean 1.39?"
    assert unknown("host", "x", ["1.38", "1.39"], more="or all") == "unknown host x: expected one of 1.38, 1.39 (or all)"
    many = [str(number) for number in range(LISTED + 1)]
    assert unknown("case", "x", many, more="dmconform list cases") == "unknown case x (dmconform list cases)"
