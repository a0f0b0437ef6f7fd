"""A small ABI that has one of everything, and what must be made of it, in full.

`python -m tests.unit.golden` writes the expected files anew; read the change before keeping it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dmconform.abi.bindings.c_checks import c_checks
from dmconform.abi.bindings.c_header import c_header
from dmconform.abi.bindings.rust_bindings import rust_bindings
from dmconform.abi.bindings.rust_checks import rust_checks
from dmconform.abi.loading import load_abi_file
from dmconform.abi.types import Abi

FOLDER: Final = Path(__file__).parent
ABI_FILE: Final = FOLDER / "abi.json"


def golden_abi() -> Abi:
    """The ABI."""
    return load_abi_file(ABI_FILE)


def rendered(abi: Abi) -> dict[str, str]:
    """Everything that is made of it, by the name of its file."""
    return {
        "abi.h": c_header(abi),
        "abi.rs": rust_bindings(abi),
        "checks.c": c_checks(abi, "abi.h"),
        "checks.rs": rust_checks(abi),
    }
