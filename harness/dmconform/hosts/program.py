"""Which program a host's file ends as: a script may set something up first, and then become an Envoy (`exec envoy "$@"`)."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dmconform.core.errors import HarnessError
from dmconform.core.process import run_program
from dmconform.core.timeouts import HOST_VERSION_S
from dmconform.core.waiting import poll

_SCRIPT: Final = b"#!"


def program_behind(binary: Path) -> Path:
    """Returns the program that reads its configuration where `binary` is started: the file itself, or what a script becomes.

    A script is run for it. It gets a configuration that it has to wait for, so that what waits there can be looked at; then the
    configuration turns out to be empty, and it ends. A script that starts no Envoy is its own program.
    """
    try:
        with binary.open("rb") as file:
            if file.read(len(_SCRIPT)) != _SCRIPT:
                return binary
    except OSError:  # who runs it will see that
        return binary
    with tempfile.TemporaryDirectory(prefix="dmconform-") as folder:
        fifo = Path(folder) / "configuration.json"
        os.mkfifo(fifo)
        runner = threading.Thread(target=_run, args=(binary, fifo), daemon=True)
        runner.start()
        try:
            return _reader_of(fifo, runner) or binary
        finally:
            runner.join()


def _run(binary: Path, fifo: Path) -> None:
    with contextlib.suppress(HarnessError):  # it shows nothing, then
        run_program(
            [binary, "--config-path", fifo, "--disable-hot-restart"], timeout_s=HOST_VERSION_S, env={"HOME": str(fifo.parent)}
        )


def _reader_of(fifo: Path, runner: threading.Thread) -> Path | None:
    """Returns the program of the process that waits at a FIFO's other end; None if the one that was started ends before."""

    def opened() -> int | None:
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # no one waits there
            return None if runner.is_alive() else -1

    end = poll(opened, HOST_VERSION_S)
    if end is None or end < 0:
        return None
    try:
        return poll(lambda: next(_programs_with(fifo), None), HOST_VERSION_S)
    finally:
        os.close(end)


def _programs_with(file: Path) -> Iterator[Path]:
    """Yields the programs of other processes that have a file open."""
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal() or int(process.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            if any(descriptor.readlink() == file for descriptor in (process / "fd").iterdir()):
                yield (process / "exe").readlink()
