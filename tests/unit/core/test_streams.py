"""What other processes print on standard error can go elsewhere; what this one prints stays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from dmconform.core.streams import errors_of_children_into


def child(word: str) -> None:
    subprocess.run(["/bin/sh", "-c", f"echo {word} >&2"], check=True)


def test_only_children_of_the_block_print_into_the_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with (tmp_path / "log").open("wb") as log:
        with errors_of_children_into(log.fileno()):
            child("within")
            print("own", file=sys.stderr, flush=True)
        child("after")
    assert (tmp_path / "log").read_text(encoding="utf-8") == "within\n"
    assert capfd.readouterr().err == "own\nafter\n"


def test_a_block_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    before, descriptors = sys.stderr, len(list(Path("/proc/self/fd").iterdir()))
    with (tmp_path / "log").open("wb") as log, pytest.raises(KeyError), errors_of_children_into(log.fileno()):
        raise KeyError
    assert sys.stderr is before
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
