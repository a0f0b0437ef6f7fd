"""What a process has printed is there when it is asked for, up to a limit."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from dmconform.envoy.output import OutputKeeper

PATIENCE_S = 10.0


@pytest.fixture
def pipe() -> tuple[int, int]:
    """The ends of a pipe to read and to write; whoever is given one closes it."""
    return os.pipe()


def test_text_has_what_was_printed_before(tmp_path: Path, pipe: tuple[int, int]) -> None:
    read_end, write_end = pipe
    keeper = OutputKeeper(read_end, tmp_path / "log")
    with os.fdopen(write_end, "wb", buffering=0) as sink:
        for number in range(2000):
            sink.write(b"%d\n" % number)
            assert keeper.text().endswith(f"{number}\n"), f"line {number} was written, and is not there"
    keeper.finish(PATIENCE_S)
    assert keeper.text().split() == [str(number) for number in range(2000)]


def test_text_may_be_asked_for_while_all_ends(tmp_path: Path, pipe: tuple[int, int]) -> None:
    read_end, write_end = pipe
    keeper = OutputKeeper(read_end, tmp_path / "log")
    askers = [threading.Thread(target=lambda: [keeper.text() for _ in range(200)]) for _ in range(4)]
    for asker in askers:
        asker.start()
    os.write(write_end, b"the end")
    os.close(write_end)
    for asker in askers:
        asker.join(PATIENCE_S)
    keeper.finish(PATIENCE_S)
    assert keeper.text() == "the end"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(read_end)


def test_what_is_over_the_limit_is_taken_and_counted(tmp_path: Path, pipe: tuple[int, int]) -> None:
    read_end, write_end = pipe
    keeper = OutputKeeper(read_end, tmp_path / "log", limit_bytes=10)
    with os.fdopen(write_end, "wb", buffering=0) as sink:
        for _ in range(40):  # more than a pipe holds: it would block a writer whom nobody reads
            sink.write(b"x" * 4096)
    keeper.finish(PATIENCE_S)
    assert keeper.text() == "x" * 10 + f"\n[{40 * 4096 - 10} bytes more were printed and dropped]\n"


def test_pipe_is_closed_if_the_file_cannot_be_opened(tmp_path: Path, pipe: tuple[int, int]) -> None:
    read_end, write_end = pipe
    with pytest.raises(OSError, match="No such file"):
        OutputKeeper(read_end, tmp_path / "nowhere" / "log")
    with pytest.raises(BrokenPipeError):
        os.write(write_end, b"x")
    os.close(write_end)
