"""A pipe in the place of a file is read where somebody writes to it, and waited for no longer than a name says."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from dmconform.core import datafile
from dmconform.core.datafile import read_bounded
from dmconform.core.errors import DataFileError, ExitCode
from dmconform.core.paths import IMPORT_ROOT

from tests.checkout import ROOT

REPORT = next((ROOT / "reports" / "published").glob("*/report.json*"))
COMMAND = f"{sys.executable} -m dmconform"


def in_bash(line: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(IMPORT_ROOT)}
    return subprocess.run(["bash", "-c", line], env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_what_a_command_prints_is_a_report() -> None:
    done = in_bash(f"{COMMAND} diff <(cat {REPORT}) {REPORT}")
    assert done.returncode == ExitCode.OK, done.stderr
    assert done.stdout == in_bash(f"{COMMAND} diff {REPORT} {REPORT}").stdout


def test_what_a_command_prints_is_no_operand_that_is_read_twice() -> None:
    done = in_bash(f"{COMMAND} abi diff 1.39 <(cat {ROOT}/conformance/abi/1.39.json)")
    assert done.returncode == ExitCode.USAGE, done.stdout
    assert "it is not a file" in done.stderr


def test_pieces_are_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("wb", buffering=0) as sink:
            for _ in range(3):
                sink.write(b"x" * 100_000)
                time.sleep(0.05)

    writer = threading.Thread(target=write)
    writer.start()
    found = read_bounded(pipe)
    writer.join()
    assert found == b"x" * 300_000


def test_a_pipe_that_is_too_large_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["sh", "-c", f"exec cat /dev/zero > {pipe}"], stderr=subprocess.DEVNULL) as writer:
        with pytest.raises(DataFileError, match="too large"):
            read_bounded(pipe, 1000)
        writer.kill()


@pytest.mark.parametrize("silent", [False, True], ids=["nobody", "silent"])
def test_a_pipe_from_which_nothing_comes_is_refused(silent: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datafile, "PIPE_S", 0.1)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDWR) if silent else None
    try:
        with pytest.raises(DataFileError, match=r"a pipe to which nothing was written for 0\.1 s"):
            read_bounded(pipe)
    finally:
        if held is not None:
            os.close(held)
