"""Renews the Python packages: requirements/*.txt by uv, and what their sources and pyproject.toml pin by hand."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmconform.core.errors import HarnessError
from dmconform.core.process import run_ok, run_program, tail

from tests.renew.pins import PROJECT, REQUIREMENTS
from tests.workflow_files import own_program

TIMEOUT_S: Final = 300.0
# The oldest Python that the project supports. Nothing of the registry that is asked gets into the files.
_COMPILE: Final = (
    *("pip", "compile", "--quiet", "--upgrade", "--no-header", "--no-annotate", "--python-version", "3.11"),
    *("--no-emit-index-url", "--no-emit-find-links", "--allow-unsafe"),
)
_BY_HAND: Final = re.compile(r"(?<![\w.-])([\w.-]+)==([\w.!+]+)")
_HASHED: Final = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+)(?: \\\n +--hash=sha256:[0-9a-f]{64})+$", re.MULTILINE)


@dataclass(frozen=True)
class Newest:
    """The newest version of a package, and the requirement that names it with the hashes of all its files."""

    version: str
    requirement: str


def renew_python(root: Path) -> None:
    """Renews them in a checkout.

    Raises:
        HarnessError: uv fails; some files may be renewed by then.
    """
    sources = sorted((root / REQUIREMENTS).glob("*.in"))
    texts = {path: path.read_text(encoding="utf-8") for path in (*sources, root / PROJECT)}
    by_hand = {found[1] for source in sources for found in _BY_HAND.finditer(texts[source])}
    versions = {name: newest(name).version for name in sorted(by_hand)}
    for path, text in texts.items():
        path.write_text(_BY_HAND.sub(lambda found: f"{found[1]}=={versions[found[1]]}", text), encoding="utf-8")
    for source in sources:
        target = source.relative_to(root).with_suffix(".txt")
        words: list[str | Path] = [own_program("uv"), *_COMPILE, "--generate-hashes", source.relative_to(root), "-o", target]
        run_ok(words, TIMEOUT_S, f"renew {target}", root)


def newest(name: str, *options: str) -> Newest:
    """Returns the newest version of a package; `options` are further ones of `uv pip compile`.

    Raises:
        HarnessError: the package index does not answer, or has no such package.
    """
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch, "one.in")
        source.write_text(name, encoding="utf-8")
        done = run_program([own_program("uv"), *_COMPILE, "--generate-hashes", *options, source], timeout_s=TIMEOUT_S)
    found = next((one for one in _HASHED.finditer(done.output) if one["name"] == name), None)
    if done.exit_code != 0 or found is None:
        raise HarnessError(f"{name}: expected uv to name its newest version. {tail(done.output)}")
    return Newest(found["version"], found[0])
