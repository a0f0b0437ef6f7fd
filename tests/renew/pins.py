"""What a checkout pins, and what differs from before: for people who decide whether to take it."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REQUIREMENTS: Final = Path("requirements")  # below the root of a checkout, as the others
PROJECT: Final = Path("pyproject.toml")
PAGE: Final = Path("tests", "page")
WORKFLOW_TOOLS: Final = Path("tests", "workflows")
GO_LOCK: Final = Path("sdks", "toolchain", "go.lock")
GITHUB: Final = Path(".github")
USES: Final = re.compile(r"uses: (?P<action>(?P<repository>[\w.-]+/[\w.-]+)[\w./-]*)@(?P<commit>[0-9a-f]{40}) # (?P<tag>\S+)")
_PYTHON: Final = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+)", re.MULTILINE)
_GO: Final = re.compile(r"^(?:require )?\s*(?P<name>\S+\.\S+/\S+) (?P<version>v\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Pin:
    """A thing in a file, without its version."""

    file: Path
    name: str


def pins(root: Path) -> dict[Pin, str]:
    """Returns the version of everything that a checkout pins by a file that `tests.renew` writes."""
    return dict(_all(root))


def github_files(root: Path) -> list[Path]:
    """Returns the workflows and actions of a checkout, relative to its root."""
    return sorted(path.relative_to(root) for path in (root / GITHUB).rglob("*.yml"))


def _all(root: Path) -> Iterator[tuple[Pin, str]]:
    for path in (*sorted((root / REQUIREMENTS).glob("*.txt")), root / GO_LOCK):
        for found in _PYTHON.finditer(path.read_text(encoding="utf-8")):
            yield Pin(path.relative_to(root), found["name"]), found["version"]
    for name in tomllib.loads((root / PROJECT).read_text(encoding="utf-8"))["build-system"]["requires"]:
        yield Pin(PROJECT, name.partition("==")[0]), name.partition("==")[2]
    for name, version in json.loads((root / PAGE / "package.json").read_text(encoding="utf-8"))["devDependencies"].items():
        yield Pin(PAGE / "package.json", name), version
    for found in _GO.finditer((root / WORKFLOW_TOOLS / "go.mod").read_text(encoding="utf-8")):
        yield Pin(WORKFLOW_TOOLS / "go.mod", found["name"]), found["version"]
    for file in github_files(root):
        for found in USES.finditer((root / file).read_text(encoding="utf-8")):
            yield Pin(file, found["action"]), found["tag"]


def differences(before: Mapping[Pin, str], after: Mapping[Pin, str], left: Sequence[str]) -> str:
    """Returns as Markdown what differs, and what was left as it is and why; ends with a line end.

    Args:
        before: as of `pins`.
        after: the same, later.
        left: sentences about what could not be renewed.
    """
    changed = sorted({*before.items()} ^ {*after.items()}, key=lambda one: (one[0].file, one[0].name))
    rows = [
        f"| `{pin.file}` | {pin.name} | {before.get(pin, '-')} | {after.get(pin, '-')} |"
        for pin in dict.fromkeys(pin for pin, _ in changed)
    ]
    table = ["| file | what | was | is |", "|---|---|---|---|", *rows] if rows else ["Everything is the newest."]
    return "\n".join([*table, *([""] if left else []), *(f"- {one}" for one in left)]) + "\n"
