"""Writes the expected files anew."""

from __future__ import annotations

from tests.unit.golden import FOLDER, golden_abi, rendered

if __name__ == "__main__":
    for name, text in rendered(golden_abi()).items():
        (FOLDER / name).write_text(text, encoding="utf-8")
