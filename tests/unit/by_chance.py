"""Data in which cells end by chance, whichever the suite's own data names."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.spec import facts

REASON = "it is thrown for"


def end_by_chance(cells: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the cells of a glob end by chance, for `REASON`, while a test runs."""
    file = folder / "varying.toml"
    file.write_text(f'fact = []\n\n[[by_chance]]\ncells = "{cells}"\nreason = "{REASON}"\n', encoding="utf-8")
    monkeypatch.setattr(facts, "VARYING_FILE", file)
