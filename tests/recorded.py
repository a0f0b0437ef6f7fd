"""Compares what was measured or generated with the file that records it; a failure names file, key, both sides, and the fix."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

import pytest
from dmconform.core.differences import differences

from tests.checkout import ROOT

_SHOWN_LINES = 40  # of a page that differs; the command that renews it shows all


def assert_recorded(file: str | Path, entry: str, recorded: object, measured: object, fix: str) -> None:
    """Fails unless a record says what was measured, with a line for each key that differs.

    Args:
        file: of the record, in the checkout.
        entry: which part of it, such as a release.
        recorded: what the file says: a struct, a mapping, or a collection of names.
        measured: the same kind of thing.
        fix: what to run, or to do, to renew the record.
    """
    assert_no_differences(file, entry, differences(recorded, measured), fix)


def assert_no_differences(file: str | Path, entry: str, lines: Sequence[str], fix: str) -> None:
    """Fails where there are differences, given as lines `KEY: recorded …, measured …`; arguments as `assert_recorded`."""
    if lines:
        where = f"{_named(file)}, {entry}"
        named = (f"  {where}, {one}" for one in lines)
        pytest.fail("\n".join([f"{where}: {len(lines)} differences", *named, f"fix: {fix}"]), pytrace=False)


def assert_page(file: str | Path, expected: str, fix: str) -> None:
    """Fails unless a generated page is what its data say, with the lines that differ and the heading above each.

    Args:
        file: the page in the checkout.
        expected: what it should be.
        fix: the command that writes it.
    """
    found = Path(ROOT, file).read_text(encoding="utf-8")
    lines = list(_changed(found.splitlines(), expected.splitlines()))
    if lines:
        more = [f"  and {len(lines) - _SHOWN_LINES} more lines"] if len(lines) > _SHOWN_LINES else []
        head = f"{_named(file)}: {len(lines)} lines differ from what its data say (- in the file, + expected)"
        pytest.fail("\n".join([head, *lines[:_SHOWN_LINES], *more, f"fix: {fix}"]), pytrace=False)


def _changed(found: list[str], expected: list[str]) -> list[str]:
    lines, heading = [], ""
    for line in difflib.ndiff(found, expected):
        if line[2:].startswith("#"):
            heading = line[2:].strip("# ")
        if line[:2] in ("- ", "+ "):
            lines.append(f"  {heading or 'top'}: {line}")
    return lines


def _named(file: str | Path) -> str:
    path = Path(file)
    return str(path.relative_to(ROOT) if path.is_absolute() else path)
