"""What is made of an ABI that has one of everything is, to the last character, what somebody has read and found right."""

from __future__ import annotations

import pytest

from tests.unit.golden import FOLDER, golden_abi, rendered


@pytest.mark.parametrize("name", ["abi.h", "abi.rs", "checks.c", "checks.rs"])
def test_the_text_is_the_expected_one(name: str) -> None:
    expected = (FOLDER / name).read_text(encoding="utf-8")
    assert rendered(golden_abi())[name] == expected, "if the change is wanted: python -m tests.unit.golden"
