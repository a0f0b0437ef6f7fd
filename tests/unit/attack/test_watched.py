"""What a command leaves is found, however it hides, and ended."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.attack.watched import left_of, remaining

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a process that shows nothing of a test unless it is asked to."""
    started: list[subprocess.Popen[bytes]] = []

    def one(
        *words: str, folder: Path = Path("/"), environment: dict[str, str] | None = None, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            ["/bin/sh", "-c", "sleep 60; :", *words],
            cwd=folder,
            env=environment or {},
            stdin=stdin,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield one
    for process in started:
        process.kill()
        process.wait()


def test_processes_are_found_by_whatever_shows_whose_they_are(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (tmp_path / "file").open() as file:
        shown = [
            start(str(tmp_path)),
            start(folder=tmp_path),
            start(environment={"TMPDIR": str(tmp_path)}),
            start(stdin=file.fileno()),
        ]
    other = start()
    found = left_of([str(tmp_path)])
    assert {process.pid for process in shown} <= set(found)
    assert other.pid not in found


def test_what_remains_is_named_and_ended(start: Start, tmp_path: Path) -> None:
    process = start(str(tmp_path))
    assert process.pid in remaining([str(tmp_path)], timeout_s=0.0)
    assert process.wait(10.0) < 0
    assert remaining([str(tmp_path)]) == {}
