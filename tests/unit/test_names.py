"""One name has one meaning in the package."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import dmconform

PACKAGE = Path(dmconform.__file__).parent


def shared_names(sources: dict[str, str]) -> dict[str, list[str]]:
    """Returns the public classes that more than one of the files defines, each with these files."""
    files: defaultdict[str, list[str]] = defaultdict(list)
    for file, source in sources.items():
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                files[node.name].append(file)
    return {name: where for name, where in files.items() if len(where) > 1}


def test_a_public_class_has_a_name_apart() -> None:
    """The name of a class says which one is meant, wherever it is read."""
    sources = {str(path.relative_to(PACKAGE)): path.read_text() for path in sorted(PACKAGE.rglob("*.py"))}
    assert shared_names(sources) == {}


def test_a_shared_name_is_found() -> None:
    """Private classes and classes within classes may share theirs."""
    one = "class Row: ...\nclass _Own: ...\nclass A:\n    class Inner: ...\n"
    two = "class Row: ...\nclass _Own: ...\nclass B:\n    class Inner: ...\n"
    assert shared_names({"a.py": one, "b.py": two}) == {"Row": ["a.py", "b.py"]}
