"""Public functions with four or more parameters describe each of them; ruff checks the form of what is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import dmconform
import pytest

PACKAGE = Path(dmconform.__file__).parent

MANY = 4

_ENTRY = re.compile(r"^\s*(\*{0,2}\w+):\s", re.MULTILINE)
_SECTION = re.compile(r"^(Args|Returns|Raises|Yields):$", re.MULTILINE)


def undocumented(source: str) -> Iterator[str]:
    """Yields `NAME: parameters` for each public function whose docstring lacks some of its many parameters."""
    for name, function in _public(ast.parse(source), ""):
        parameters = _parameters(function)
        if len(parameters) >= MANY and (missing := set(parameters) - _described(ast.get_docstring(function) or "")):
            yield f"{name}: {', '.join(one for one in parameters if one in missing)}"


def _public(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yields the public functions and methods of a module or class; functions within functions do not count."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from _public(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.FunctionDef) and (child.name == "__init__" or not child.name.startswith("_")):
            yield f"{prefix}{child.name}", child
        elif not isinstance(child, ast.ClassDef | ast.FunctionDef):
            yield from _public(child, prefix)


def _parameters(function: ast.FunctionDef) -> list[str]:
    its = function.args
    named = [one.arg for one in (*its.posonlyargs, *its.args, *its.kwonlyargs) if one.arg not in ("self", "cls")]
    return [*named, *(f"*{its.vararg.arg}" for _ in [0] if its.vararg), *(f"**{its.kwarg.arg}" for _ in [0] if its.kwarg)]


def _described(docstring: str) -> set[str]:
    sections = _SECTION.split(docstring)
    return {
        name
        for title, text in zip(sections[1::2], sections[2::2], strict=True)
        if title == "Args"
        for name in _ENTRY.findall(text)
    }


def _files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def test_public_functions_with_many_parameters_describe_all_of_them() -> None:
    files = _files()
    assert len(files) > 100, "expected the files of the package"
    found = [f"{file.relative_to(PACKAGE)}: {one}" for file in files for one in undocumented(file.read_text())]
    assert found == [], "expected each parameter under `Args:` in the docstring"


_WITHOUT = '"""Does it."""'
_SOME = '"""Does it.\n\n    Args:\n        a: one.\n        b: two.\n        c: three.\n    """'
_ELSEWHERE = '"""Does it.\n\n    Raises:\n        a: one.\n        b: two.\n        c: three.\n        d: four.\n    """'


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (f"def f(a, b, c, d):\n    {_WITHOUT}", ["f: a, b, c, d"]),
        (f"def f(a, b, *, c, **d):\n    {_SOME}", ["f: **d"]),
        (f"def f(a, b, c, d):\n    {_ELSEWHERE}", ["f: a, b, c, d"]),
        (f"class C:\n    def __init__(self, a, b, c, *d):\n        {_WITHOUT}", ["C.__init__: a, b, c, *d"]),
        (f"def f(a, b, c):\n    {_WITHOUT}", []),
        (f"def _f(a, b, c, d):\n    {_WITHOUT}", []),
        (f"class _C:\n    def f(self, a, b, c, d):\n        {_WITHOUT}", []),
        (f"def f():\n    def g(a, b, c, d):\n        {_WITHOUT}", []),
    ],
)
def test_the_rule(source: str, found: list[str]) -> None:
    assert list(undocumented(source)) == found


REPLACED = re.compile(
    r"\b(told|tells|came of|has not got|of its own|nobody|halves|can be had|gates nothing|against the run|bomb|mend)\b",
    re.IGNORECASE,
)
"""Words that the glossary replaces."""


def replaced_words(source: str) -> Iterator[str]:
    """Yields `NAME: word` for each replaced word in a docstring of a module, class or function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            for word in REPLACED.findall(ast.get_docstring(node) or ""):
                yield f"{getattr(node, 'name', 'module')}: {word}"


def test_docstrings_use_the_words_of_the_glossary() -> None:
    cases = sorted((PACKAGE.parents[1] / "conformance" / "cases").glob("*.py"))
    assert [f"{path.name}: {found}" for path in [*_files(), *cases] for found in replaced_words(path.read_text())] == []


def test_a_replaced_word_is_found() -> None:
    source = '"""Tells what came of it."""\ndef one():\n    """Was told: a folder of its own."""\n    told = "told"\n'
    assert list(replaced_words(source)) == ["module: Tells", "module: came of", "one: told", "one: of its own"]
