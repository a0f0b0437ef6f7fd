"""Progress of work that takes a while."""

from __future__ import annotations

from dmconform.core.progress import counting


def test_what_came_is_counted_and_passed_on() -> None:
    lines: list[str] = []
    assert list(counting("ab", 2, "letters", lines.append, every_s=0)) == ["a", "b"]
    assert lines == ["letters: 1 of 2", "letters: 2 of 2"]


def test_quick_work_is_not_commented_on() -> None:
    lines: list[str] = []
    assert list(counting("ab", 2, "letters", lines.append)) == ["a", "b"]
    assert lines == []
