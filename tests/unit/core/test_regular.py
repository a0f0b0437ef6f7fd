"""Files that somebody else's code may have replaced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dmconform.core.regular import append_regular, read_regular, replace_regular


def test_files_are_read_written_and_added_to(tmp_path: Path) -> None:
    file = tmp_path / "file"
    append_regular(file, b"one")
    append_regular(file, b", two")
    assert read_regular(file) == b"one, two"
    replace_regular(file, b"three")
    assert (read_regular(file), list(tmp_path.iterdir())) == (b"three", [file])
    with pytest.raises(OSError, match="expected up to 4 bytes, it has 5"):
        read_regular(file, 4)
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "none")


@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "device"])
def test_what_is_no_file_blocks_nothing_and_is_not_followed(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "place"
    match kind:
        case "pipe":
            os.mkfifo(place)
        case "link":
            (tmp_path / "secret").write_text("secret")
            place.symlink_to("secret")
        case "folder":
            place.mkdir()
        case "device":
            place.symlink_to("/dev/zero")
    with pytest.raises(OSError, match="it was replaced by something else"):
        read_regular(place)
    with pytest.raises(OSError, match="it was replaced by something else"):
        append_regular(place, b"more")
    if kind != "folder":
        replace_regular(place, b"own")
        assert (read_regular(place), place.is_symlink()) == (b"own", False)
    if kind == "link":
        assert (tmp_path / "secret").read_text() == "secret"


def test_a_part_that_somebody_made_before_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "file.part").symlink_to("secret")
    replace_regular(tmp_path / "file", b"own")
    assert ((tmp_path / "secret").read_text(), (tmp_path / "file").read_bytes()) == ("secret", b"own")
