"""Folders as archives and hashes: the same for the same content, and different for another."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from dmconform.containers import files
from dmconform.containers.files import TarTree, tree_hash, write_archive, write_files
from dmconform.core.errors import HarnessError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small source folder."""
    root = tmp_path / "src"
    (root / "inner").mkdir(parents=True)
    (root / "build.sh").write_text("#!/bin/sh\n")
    (root / "build.sh").chmod(0o755)
    (root / "inner" / "a.txt").write_text("a")
    (root / "link").symlink_to("inner/a.txt")
    return root


def archive_of(tree: TarTree) -> bytes:
    """The archive of a tree below `src`."""
    file = io.BytesIO()
    write_archive(file, {"src": tree}, folders=["out"])
    return file.getvalue()


def test_archives_of_the_same_content_are_equal(folder: Path) -> None:
    before = archive_of(TarTree.from_folder(folder))
    os.utime(folder / "build.sh", (1, 1))
    (folder / "inner" / "a.txt").write_text("a")
    assert archive_of(TarTree.from_folder(folder)) == before


def test_an_archive_keeps_what_matters_and_nothing_else(folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive_of(TarTree.from_folder(folder)))) as archive:
        members = {member.name: member for member in archive}
    assert list(members) == ["out", "src", "src/inner", "src/build.sh", "src/inner/a.txt", "src/link"]
    assert members["src/build.sh"].mode == 0o755
    assert members["src/inner/a.txt"].mode == 0o644
    assert members["src/link"].linkname == "inner/a.txt"
    assert {(member.uid, member.gid, member.mtime, member.uname) for member in members.values()} == {
        (files.USER_ID, files.USER_ID, 0, "")
    }


def test_what_is_left_by_hand_changes_no_hash(folder: Path) -> None:
    before = tree_hash(folder)
    for name in ("target", "__pycache__"):
        (folder / "inner" / name).mkdir()
        (folder / "inner" / name / "x").write_text("x")
    assert tree_hash(folder) == before
    assert tree_hash(folder, ignored=()) != before


def test_a_bytes_tree_and_a_folder_of_the_same_content_have_one_hash(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    assert TarTree.from_files({"a": b"x"}).digest() == tree_hash(tmp_path)


@pytest.mark.parametrize("change", ["content", "name", "mode", "link", "kind"])
def test_every_change_that_matters_changes_the_hash(folder: Path, change: str) -> None:
    before = tree_hash(folder)
    match change:
        case "content":
            (folder / "inner" / "a.txt").write_text("b")
        case "name":
            (folder / "inner" / "a.txt").rename(folder / "inner" / "b.txt")
        case "mode":
            (folder / "build.sh").chmod(0o644)
        case "link":
            (folder / "link").unlink()
            (folder / "link").symlink_to("build.sh")
        case "kind":
            (folder / "link").unlink()
            (folder / "link").write_text("inner/a.txt")
    assert tree_hash(folder) != before


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="none"):
        TarTree.from_folder(tmp_path / "none")


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(HarnessError, match="neither a file"):
        TarTree.from_folder(tmp_path)


@pytest.mark.parametrize("name", ["../out", "/etc/x", "a/../../b", "."])
def test_outputs_stay_in_their_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(HarnessError, match="not inside"):
        write_files(tmp_path / "in", {name: b"x"})


def test_outputs_are_written(tmp_path: Path) -> None:
    write_files(tmp_path / "out", {"a/b": b"x", "c": b""})
    assert (tmp_path / "out" / "a" / "b").read_bytes() == b"x"
