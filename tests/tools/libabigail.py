"""libabigail's `abidiff` over libraries that have a minor's callbacks and hooks: a comparison that is nobody's of this project.

A library is compiled out of the ABI data. A function whose signature is known is compiled with debug information, out of
which `abidiff` reads it; of one whose name alone is known, the library has the symbol and nothing else.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from dmconform.abi.bindings.c_header import c_header
from dmconform.abi.types import Abi, Function
from dmconform.core.process import run_ok, run_program

COMPILE_S = 60.0
COMPARE_S = 60.0
UNUSABLE = 0b0011
"""The bits of abidiff's exit code that say that it failed; the others say that it found something."""
FUNCTION = r"envoy_dynamic_module_(?:callback|on)_\w+"
COUNTS = re.compile(
    r"^Functions changes summary: (\d+) Removed, (\d+) Changed(?: \(\d+ filtered out\))?, (\d+) Added functions?$", re.MULTILINE
)
SYMBOL_COUNTS = re.compile(
    r"^Function symbols changes summary: (\d+) Removed, (\d+) Added function symbols? not referenced by debug info$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Functions:
    """The functions that one ABI has and another has not, and those that differ."""

    removed: frozenset[str]
    added: frozenset[str]
    changed: frozenset[str]


def disagreements(seen: Functions, own: Functions) -> dict[str, list[str]]:
    """What only one of the two comparisons says; empty if they agree."""
    sets = {
        f"{name}, says {who} alone": sorted(one - other)
        for name in ("removed", "added", "changed")
        for who, one, other in (
            ("abidiff", getattr(seen, name), getattr(own, name)),
            ("this project", getattr(own, name), getattr(seen, name)),
        )
    }
    return {what: names for what, names in sets.items() if names}


def library(abi: Abi, folder: Path) -> Path:
    """Compiles a library that has all functions of an ABI."""
    for tool in ("gcc", "abidiff"):
        if shutil.which(tool) is None:
            pytest.fail(f"this test needs the program `{tool}`: `python -m tests.ensure_packages tools` installs it")
    folder.mkdir()
    (folder / "abi.h").write_text(c_header(abi))
    bodies = [body(function) for function in abi.functions if function.has_signature]
    (folder / "known.c").write_text("\n".join(['#include "abi.h"', *bodies, ""]))
    names = [f"void {function.name}(void) {{}}" for function in abi.functions if not function.has_signature]
    (folder / "names.c").write_text("\n".join([*names, ""]))
    for name, debug in (("known", "-g"), ("names", "-g0")):
        command = ["gcc", "-std=c11", "-O0", "-fPIC", debug, "-c", f"{name}.c", "-o", f"{name}.o"]
        run_ok(command, COMPILE_S, f"compile the functions of {abi.envoy}", folder)
    run_ok(["gcc", "-shared", "-nostdlib", "-o", "lib.so", "known.o", "names.o"], COMPILE_S, f"link {abi.envoy}", folder)
    return folder / "lib.so"


def body(function: Function) -> str:
    """The definition of a function, which does nothing."""
    params = ", ".join(f"{each.type} {each.name}" for each in function.params or ()) or "void"
    # In a block of its own: a parameter may have the same name.
    result = "" if function.returns == "void" else f"{{ {function.returns} result = {{0}}; return result; }} "
    return f"{function.returns} {function.name}({params}) {{ {result}}}"


def abidiff(old: Path, new: Path) -> Functions:
    """What abidiff says of two libraries: everything that differs, whether it deems it harmful or not."""
    done = run_program(["abidiff", "--harmless", "--redundant", old, new], timeout_s=COMPARE_S)
    assert done.exit_code >= 0 and not done.exit_code & UNUSABLE, f"exit code {done.exit_code}:\n{done.output}"
    return read(done.output)


def read(report: str) -> Functions:
    """The functions in abidiff's report, which has to name as many as it counts."""
    known = [named(report, rf"^  \[{letter}\] 'function [^\n]*?({FUNCTION})\(") for letter in "DCA"]
    symbols = [named(report, rf"^  \[{letter}\] ({FUNCTION})$") for letter in "DA"]
    for pattern, found in ((COUNTS, known), (SYMBOL_COUNTS, symbols)):
        counted = pattern.search(report)
        numbers = tuple(int(number) for number in counted.groups()) if counted else (0,) * len(found)
        assert tuple(map(len, found)) == numbers, f"found {tuple(map(len, found))} functions in the report:\n{report}"
    removed, changed, added = known
    return Functions(removed | symbols[0], added | symbols[1], changed)


def named(report: str, pattern: str) -> frozenset[str]:
    """The functions in the lines of a form."""
    found: Iterable[str] = re.findall(pattern, report, re.MULTILINE)
    return frozenset(found)
