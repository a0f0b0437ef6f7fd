"""Text files are UTF-8 whatever the locale: every call that opens one as text says so."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from dmconform.core import paths

OPENERS = {"open": "r", "fdopen": "r", "NamedTemporaryFile": "w+b", "TemporaryFile": "w+b"}
"""The mode of each without one."""
TEXT = {"read_text", "write_text"}
STARTERS = {"run", "Popen", "check_output"}
NOT_TEXT = {"os", "tarfile", "zipfile", "archive", "packed"}
"""What has an `open` of another kind."""


def _mode(call: ast.Call, default: str) -> str:
    """Returns the mode of a call that opens something."""
    given = [one.value for one in call.keywords if one.arg == "mode"] + list(call.args)
    modes = [
        one.value
        for one in given
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and set(one.value) <= set("rwxabt+") and one.value
    ]
    return modes[0] if modes else default


def _of_the_locale(call: ast.Call) -> bool:
    """Whether a call decodes or encodes text as the locale has it."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    module = getattr(getattr(call.func, "value", None), "id", "")
    options = {one.arg for one in call.keywords}
    if "encoding" in options:
        return False
    if name in TEXT or (name in STARTERS and options & {"text", "universal_newlines"}):
        return True
    if name in OPENERS and (module not in NOT_TEXT or name == "fdopen"):
        return "b" not in _mode(call, OPENERS[name])
    return False


def found(source: str) -> Iterator[int]:
    """Yields the lines of calls that leave the encoding to the locale."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _of_the_locale(node):
            yield node.lineno


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("path.read_text()", [1]),
        ("path.read_text(errors='replace')", [1]),
        ("path.open('w')", [1]),
        ("open(path)", [1]),
        ("os.fdopen(1)", [1]),
        ("subprocess.run(x, text=True)", [1]),
        ("path.read_text(encoding='utf-8')", []),
        ("path.open('rb')", []),
        ("os.open(path, os.O_RDONLY)", []),
    ],
)
def test_a_call_without_an_encoding_is_found(source: str, lines: list[int]) -> None:
    assert list(found(source)) == lines


def test_no_text_file_depends_on_the_locale() -> None:
    roots = (paths.PACKAGE, paths.CONFORMANCE)
    places = [
        f"{file}:{line}" for root in roots for file in root.rglob("*.py") for line in found(file.read_text(encoding="utf-8"))
    ]
    assert places == []
