"""Drives the process of one Envoy, for cases (`dmconform.envoy.envoy`) and for replays (`dmconform.bundle.replay.envoy`).

It says what it sees, and judges nothing: what no answer, an early end or a time-out means is up to who uses it. It travels in
archives of cells: it imports nothing that does not.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmconform.core.regular import read_regular, replace_regular
from dmconform.core.waiting import poll
from dmconform.envoy import listening
from dmconform.envoy.client import Answer
from dmconform.envoy.connection import Request
from dmconform.envoy.http1 import exchange
from dmconform.envoy.launch import ADMIN_FILE, BOOTSTRAP_FILE, LISTENERS_FILE, LOG_FILE
from dmconform.envoy.mapped import has_mapped
from dmconform.envoy.output import OutputKeeper
from dmconform.envoy.process import HostProcess

_ADDRESS_BYTES: Final = 1000
_UPDATES: Final = "listener_manager.lds.update_"


@dataclass(frozen=True)
class Settled:
    """What became of the newest listeners: whether they were accepted, and how often any were rejected so far."""

    accepted: bool
    rejections: int


class Driver:
    """The process of one Envoy in a folder: it writes the configuration, starts the process, asks it and ends it."""

    def __init__(self, folder: Path, ask: Callable[[str], Answer]) -> None:
        """Writes and starts nothing yet.

        Args:
            folder: for its configuration and its log.
            ask: answers for a path of its admin interface, by `admin`. It may raise, or give an answer without a body, where
                none comes.
        """
        self.folder = folder
        self.version = 0
        """The number of the newest listeners."""
        self._ask = ask
        self._accepted = 0
        self._admin_port = 0

    def write_bootstrap(self, text: str) -> None:
        """Writes the configuration that it starts with."""
        (self.folder / BOOTSTRAP_FILE).write_text(text, encoding="utf-8")

    def write_listeners(self, text: str) -> None:
        """Replaces its listeners: it notices a file that is moved here."""
        self.version += 1
        replace_regular(self.folder / LISTENERS_FILE, text.encode())

    def start(self, command: Sequence[str], environment: Mapping[str, str], working_folder: str | Path) -> None:
        """Starts the process; what it prints is kept in the log.

        Raises:
            OSError: there is no such program, or the log cannot be written.
        """
        read_end, write_end = os.pipe()
        try:
            # First, because it may fail where the disk is full: then no process must be left.
            self._output = OutputKeeper(read_end, self.folder / LOG_FILE)
            self._process = HostProcess(command, environment, working_folder, write_end, self.folder)
        finally:
            os.close(write_end)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """What the process ended with, as of `subprocess`; None while it runs."""
        return self._process.poll()

    @property
    def why_ended(self) -> str | None:
        """What the harness ended it for, in words that begin with "it"; None if it did not."""
        return self._process.why_ended

    @property
    def lives(self) -> bool:
        """Whether the process has not ended."""
        return self.exit_code is None

    @property
    def has_started(self) -> bool:
        """Whether its admin interface was found: then it is past whatever launched it."""
        return self._admin_port != 0

    def await_admin(self, timeout_s: float) -> bool:
        """Waits until it has opened its admin interface; False if it ends before, or does not in time."""
        file = self.folder / ADMIN_FILE

        def address() -> str | None:
            if not self.lives:
                return ""
            with contextlib.suppress(FileNotFoundError):
                return read_regular(file, _ADDRESS_BYTES).decode(errors="replace") or None
            return None

        found = poll(address, timeout_s)
        if found:
            port = found.rpartition(":")[2]
            if not port.isdecimal():
                raise OSError(f"{file}: expected the address of the admin interface, it was replaced by {found[:80]!r}")
            self._admin_port = int(port)
        return bool(found)

    def await_ready(self, timeout_s: float) -> bool:
        """Waits until it says that it is ready; False if it ends before, or does not in time."""
        found = poll(lambda: not self.lives or self._ask("/ready").status == 200, timeout_s)
        return bool(found) and self.lives

    def admin(self, path: str, method: str, timeout_s: float) -> Answer:
        """Asks the admin interface.

        Raises:
            NoAnswer: none comes in time.
        """
        return exchange(self._admin_port, Request(path, method), timeout_s)

    def counters(self, pattern: str) -> dict[str, int]:
        """Returns the statistics whose names fit a regular expression, by name."""
        pairs = (line.rpartition(": ") for line in self._ask(f"/stats?filter={pattern}").body.splitlines())
        return {name: int(value) for name, _, value in pairs if value.isdigit()}

    def settled(self) -> Settled | None:
        """Returns what became of the newest listeners; None while they are neither accepted nor rejected. Each is seen once."""
        seen = self.counters(f"^{_UPDATES}")
        accepted = seen.get(f"{_UPDATES}success", 0)
        rejected = seen.get(f"{_UPDATES}rejected", 0) + seen.get(f"{_UPDATES}failure", 0)
        if accepted + rejected < self.version:
            return None
        grown, self._accepted = accepted > self._accepted, accepted
        return Settled(grown, rejected)

    def ports(self) -> dict[str, int]:
        """Returns the ports of all listeners that have one, by name."""
        return listening.ports(lambda path: self._ask(path).body)

    def port(self, listener: str) -> int | None:
        """Returns the port of a listener once it has what it waits for; None if there is no such listener."""
        return listening.port_of(listener, lambda path: self._ask(path).body)

    def printed(self) -> str:
        """Returns what the process has printed so far."""
        return self._output.text()

    def has_mapped(self, path: Path) -> bool:
        """Returns whether the process has a file mapped, named by the path that the process knows it by.

        Raises:
            FileNotFoundError, ProcessLookupError: it has ended.
        """
        return has_mapped(self.pid, path)

    def stop(self, timeout_s: float) -> int | None:
        """Asks it to end, by SIGTERM, and returns its exit code; None if it does not end in time."""
        self._process.terminate()
        return self._process.wait(timeout_s)

    def end(self, output_s: float) -> None:
        """Ends it with what its modules have started; waits until the last line is in the log, at most so long."""
        self._process.end()
        self._output.finish(output_s)
