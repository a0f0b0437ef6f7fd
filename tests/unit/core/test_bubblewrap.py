"""The words that make a sandbox: which paths of the machine are in it, and which are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dmconform.core.bubblewrap import Bubblewrap, Room

SYSTEM = Path(os.path.realpath("/usr"))


def words_of(folder: Path, *readable: Path, options: str = "--size --disable-userns") -> list[str]:
    return Bubblewrap("/usr/bin/bwrap", "0.8.0", frozenset(options.split())).words(Room(folder, 1 << 20, readable))


def after(words: list[str], option: str) -> list[tuple[str, str]]:
    return [(words[at + 1], words[at + 2]) for at, word in enumerate(words) if word == option]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a home folder in it, which is the caller's."""
    (tmp_path / "home" / "private").mkdir(parents=True)
    (tmp_path / "home" / "module.so").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


def test_of_the_home_folder_there_is_only_what_is_named(place: Path) -> None:
    module = place / "home" / "module.so"
    words = words_of(place / "run", module)
    own = [source for source, _ in after(words, "--ro-bind") if Path(source).is_relative_to(place)]
    assert own == [str(module)]
    assert all(source == target for source, target in after(words, "--ro-bind"))
    assert "--bind" not in words
    assert "--dev-bind" not in words


def test_a_path_with_links_is_there_with_its_links(place: Path) -> None:
    (place / "versions" / "1").mkdir(parents=True)
    (place / "versions" / "1" / "python").touch()
    (place / "versions" / "current").symlink_to("1")
    (place / "python").symlink_to(place / "versions" / "current" / "python")
    words = words_of(place / "run", place / "python")
    assert (str(place / "versions" / "1" / "python"),) * 2 in after(words, "--ro-bind")
    made = {link: target for target, link in after(words, "--symlink")}
    assert made[str(place / "python")] == str(place / "versions" / "current" / "python")
    assert made[str(place / "versions" / "current")] == "1"


def test_links_in_a_folder_that_is_there_are_not_made_again(place: Path) -> None:
    (place / "python").mkdir()
    (place / "python" / "link").symlink_to("program")
    (place / "python" / "program").touch()
    words = words_of(place / "run", place / "python", place / "python" / "link")
    assert str(place / "python" / "link") not in {link for _, link in after(words, "--symlink")}


def test_links_in_a_circle_end(place: Path) -> None:
    (place / "one").symlink_to("two")
    (place / "two").symlink_to("one")
    assert str(place / "one") not in words_of(place / "run", place / "one")


def test_a_home_folder_within_the_system_is_hidden(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = next(one for one in (SYSTEM / "share").iterdir() if one.is_dir() and not one.is_symlink())
    monkeypatch.setenv("HOME", str(inside))
    words = words_of(place / "run")
    hidden = words.index(str(inside))
    assert words[hidden - 1] == "--tmpfs"
    assert hidden > words.index(str(SYSTEM))
    assert words[words.index("--remount-ro") + 1] == str(inside)


def test_a_home_that_is_a_folder_of_programs_is_not_hidden(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/usr/sbin")
    words = words_of(place / "run")
    assert "/usr/sbin" not in {words[at + 1] for at, word in enumerate(words) if word == "--tmpfs"}


def test_what_can_be_written_to_is_bounded_where_bubblewrap_can(place: Path) -> None:
    words = words_of(place / "run")
    empty = [at for at, word in enumerate(words) if word == "--tmpfs"]
    assert {words[at + 1] for at in empty} == {"/dev/shm", "/tmp", "/var/tmp", "/run", str(place / "run")}
    assert all(words[at - 2] == "--size" for at in empty)
    older = words_of(place / "run", options="")
    assert not {"--size", "--disable-userns"} & set(older)
