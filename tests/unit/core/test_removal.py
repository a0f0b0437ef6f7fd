"""Folders that strangers have written to are gone, and nothing else is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dmconform.core.removal import remove_tree

DEEP = 3000


def deepened(folder: Path) -> None:
    """Puts folders into each other, with a file in the innermost one."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(DEEP):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


def test_a_deep_folder_is_removed(tmp_path: Path) -> None:
    (tmp_path / "top" / "0").mkdir(parents=True)  # as what is moved up may be called
    (tmp_path / "top" / "0" / "kept?").touch()
    deepened(tmp_path / "top")
    assert remove_tree(tmp_path / "top")
    assert list(tmp_path.iterdir()) == []


def test_folders_without_rights_and_strange_names_are_removed(tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "closed" / "inner" / "deeper").mkdir(parents=True)
    for name in (b"a\nb", b"\xff\xfe", b"-rf", b"\x1b[2J", b"\xf0" * 255):
        Path(os.fsdecode(os.fsencode(top / "closed") + b"/" + name)).touch()
    os.mkfifo(top / "closed" / "pipe")
    for folder in (top / "closed" / "inner" / "deeper", top / "closed" / "inner", top / "closed", top):
        folder.chmod(0)
    assert remove_tree(top)
    assert list(tmp_path.iterdir()) == []


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    (tmp_path / "top" / "inner").mkdir(parents=True)
    for place in (tmp_path / "top" / "link", tmp_path / "top" / "inner" / "link", tmp_path / "another"):
        place.symlink_to(tmp_path / "precious")
    assert remove_tree(tmp_path / "top")
    assert remove_tree(tmp_path / "another")
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]
    assert (tmp_path / "precious" / "file").exists()


def test_what_cannot_be_removed_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "top").mkdir()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr("dmconform.core.removal.os.unlink", refuse)
    (tmp_path / "top" / "busy").touch()
    assert not remove_tree(tmp_path / "top")
    monkeypatch.undo()
    assert remove_tree(tmp_path / "top")
    assert remove_tree(tmp_path / "never there")
