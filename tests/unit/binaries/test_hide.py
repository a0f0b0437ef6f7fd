"""A symbol that is taken away is found no more; the others are."""

from __future__ import annotations

import ctypes
import importlib
from pathlib import Path

import msgspec
import pytest
from dmconform.binaries.hide import without_symbols
from dmconform.binaries.read import read_module
from dmconform.core.errors import HarnessError

LIBRARY = Path(str(importlib.import_module("msgspec._core").__file__))  # any shared library will do
SYMBOL = "PyInit__core"


def test_an_erased_symbol_is_not_found(tmp_path: Path) -> None:
    original = LIBRARY.read_bytes()
    changed = without_symbols(original, [SYMBOL])
    assert without_symbols(original, [SYMBOL]) == changed, "expected the same bytes again: modules are known by their digest"
    for name, content, there in (("same.so", original, True), ("other.so", changed, False)):
        (tmp_path / name).write_bytes(content)
        assert hasattr(ctypes.CDLL(str(tmp_path / name)), SYMBOL) is there, name
    before, after = read_module(tmp_path / "same.so"), read_module(tmp_path / "other.so")
    expected = msgspec.structs.replace(before, sha256=after.sha256, size_bytes=after.size_bytes, exports=before.exports - 1)
    assert after == expected, "expected the same libraries, versions, binding and undefined symbols"


def test_nothing_taken_away_changes_nothing() -> None:
    original = LIBRARY.read_bytes()
    assert without_symbols(original, []) == original


@pytest.mark.parametrize("name", ["there_is_no_such_symbol", "PyModuleDef_Init"])  # the second is undefined there
def test_a_symbol_that_is_not_defined_is_refused(name: str) -> None:
    with pytest.raises(HarnessError, match=name):
        without_symbols(LIBRARY.read_bytes(), [name])
