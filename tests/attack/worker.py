"""A process that makes tries of one attack: what it imports and what a try breaks is gone with it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from tests.attack.attack import Attack, Try

_CONTEXT = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Trouble:
    """An attempt that raised: the attack itself has a defect, or this machine cannot do it."""

    words: str


class Worker:
    """A worker of one attack. `running` is the number of its try; None where it waits for one."""

    def __init__(self, attack: Attack, seed: int, folder: Path) -> None:
        self.connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_serve, args=(theirs, self.connection, attack, seed, folder))
        self._process.start()
        theirs.close()
        self.running: int | None = None
        self.started = 0.0

    def start(self, number: int) -> None:
        """Has it make a try."""
        self.running, self.started = number, time.monotonic()
        self.connection.send(number)

    def result(self) -> Try | Trouble:
        """Returns what came of the try, once the connection has something."""
        self.running = None
        try:
            found: Try | Trouble = self.connection.recv()
        except EOFError:
            self._process.join()
            return Trouble(f"its worker ended with {self._process.exitcode}")
        return found

    def end(self) -> None:
        """Ends it, with what it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid or 0, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        self.connection.close()


def try_folder(folder: Path, attack: Attack, number: int) -> Path:
    """Returns the folder of a try."""
    return folder / f"{attack.folder_name}-{number}"


def _serve(connection: Connection, other: Connection, attack: Attack, seed: int, folder: Path) -> None:
    other.close()
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while True:
        try:
            number = connection.recv()
        except EOFError:
            return
        connection.send(_tried(attack, seed, number, try_folder(folder, attack, number)))


def _tried(attack: Attack, seed: int, number: int, folder: Path) -> Try | Trouble:
    folder.mkdir(parents=True)
    try:
        found = attack.attempt(attack.chance(seed, number), folder)
    except Exception:
        return Trouble(f"try {number} could not be made: {traceback.format_exc()}")
    if found.failure is None:
        shutil.rmtree(folder, ignore_errors=True)
    return found
