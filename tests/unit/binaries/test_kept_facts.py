"""Facts about binaries are read once, kept by content, and read again when what reads them changes."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from dmconform.binaries import kept_facts as binary_facts
from dmconform.binaries import read
from dmconform.binaries.facts import ModuleFacts
from dmconform.binaries.kept_facts import FOLDER, module_facts
from dmconform.core.values import ModuleFile

LIBRARY = Path(str(msgspec._core.__file__))  # any library will do


def module(path: Path) -> ModuleFile:
    content = path.read_bytes()
    return ModuleFile("probe", str(path), hashlib.sha256(content).hexdigest(), len(content), "none", ())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that the reader is asked for."""
    files: list[Path] = []

    def noting(paths: Sequence[Path]) -> tuple[ModuleFacts, ...]:
        files.extend(paths)
        return original(paths)

    original = read.read_modules
    monkeypatch.setattr(read, "read_modules", noting)
    return files


def test_what_is_kept_is_not_read_again(asked: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "libother.so"
    shutil.copyfile(LIBRARY, other)
    with other.open("ab") as file:
        file.write(b"more")
    first, second = module(LIBRARY), module(other)
    (facts,) = module_facts([first], tmp_path)
    assert (facts.problem, facts.sha256) == (None, first.sha256)
    assert facts.needed
    assert [one.sha256 for one in module_facts([second, first], tmp_path)] == [second.sha256, first.sha256]
    assert module_facts([first, second], tmp_path)[0] == facts
    assert asked == [LIBRARY, other]


def test_it_is_read_again_when_the_reader_changes(asked: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module_facts([module(LIBRARY)], tmp_path)
    monkeypatch.setattr(binary_facts, "_reader", lambda: "another")
    module_facts([module(LIBRARY)], tmp_path)
    assert asked == [LIBRARY, LIBRARY]


def test_what_was_kept_badly_is_read_again(asked: list[Path], tmp_path: Path) -> None:
    (facts,) = module_facts([module(LIBRARY)], tmp_path)
    (kept,) = (tmp_path / FOLDER).iterdir()
    kept.write_bytes(kept.read_bytes()[:40])
    assert module_facts([module(LIBRARY)], tmp_path) == (facts,)
    assert asked == [LIBRARY, LIBRARY]


def test_a_file_that_cannot_be_read_is_reported_and_not_kept(tmp_path: Path) -> None:
    text = tmp_path / "libprobe.so"
    text.write_text("no library")
    (facts,) = module_facts([module(text)], tmp_path)
    assert facts.problem
    assert not (tmp_path / FOLDER).exists()
