"""One Envoy: started as the recorded one was, asked through its admin interface, and ended whatever happens."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import resource
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dmconform.bundle.replay.places import Places, Trouble
from dmconform.core.waiting import poll
from dmconform.envoy.client import Answer, NoAnswer
from dmconform.envoy.connection import Request
from dmconform.envoy.http1 import exchange
from dmconform.envoy.launch import ADDRESS_SPACE_BYTES, ADMIN_FILE, BOOTSTRAP_FILE, CPU_S, FILE_BYTES, LISTENERS_FILE
from dmconform.envoy.listening import port_of
from dmconform.envoy.mapped import has_mapped
from dmconform.envoy.output import OutputKeeper

START_S = 30.0
UPDATE_S = 15.0
NEITHER_S = 5.0  # where nothing came of an update when it was recorded
STOP_S = 15.0
ADMIN_S = 10.0
LOOK_S = 10.0
LOG_TAIL_LINES = 15
_LIMITS = (
    (resource.RLIMIT_AS, ADDRESS_SPACE_BYTES),
    (resource.RLIMIT_FSIZE, FILE_BYTES),
    (resource.RLIMIT_CPU, CPU_S),
    (resource.RLIMIT_CORE, 0),
)
_SET_PARENT_DEATH_SIGNAL = 1  # prctl
_PRCTL = ctypes.CDLL(None).prctl  # looked up here, as the new process must not


def _bounded() -> None:
    """In the new process: the kernel bounds it, and kills it if this program dies first."""
    for limit, value in _LIMITS:
        _, most = resource.getrlimit(limit)
        bound = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(limit, (bound, bound))
    _PRCTL(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _words_before(prefix: list[str]) -> list[str]:
    """The words before the command, as far as they make sense here."""
    if prefix[:2] == ["setpriv", "--bounding-set"] and os.geteuid() != 0:
        return []  # takes a right away that only root has
    if prefix and shutil.which(prefix[0]) is None:
        raise Trouble(f"the recorded Envoy was started by {prefix[0]!r}, which this machine has not")
    return prefix


class Envoy:
    """A running Envoy."""

    def __init__(self, step: Mapping[str, Any], places: Places) -> None:
        """Starts it with the recorded words, environment and first configuration."""
        self._places = places
        self.folder = places.cell / step["folder"] if step["folder"] else places.cell
        self.folder.mkdir(parents=True, exist_ok=True)
        self._version = 0
        self._accepted = 0
        self._admin_port = 0
        self._ports: dict[str, int] = {}
        (self.folder / BOOTSTRAP_FILE).write_text(places.configuration(step["bootstrap"]))
        self._write(step["listeners"])
        self._first_outcome = step["outcome"]
        self._prefix = prefix = _words_before([places.here(word) for word in step["prefix"]])
        environment = {name: places.here(value) for name, value in step["environment"].items()}
        read_end, write_end = os.pipe()
        try:
            self._output = OutputKeeper(read_end, self.folder / "envoy.log")
            self.process = subprocess.Popen(
                [*prefix, str(places.envoy), *(places.here(word) for word in step["arguments"])],
                stdin=subprocess.DEVNULL,
                stdout=write_end,
                stderr=write_end,
                env=environment,
                cwd=places.here(step["working_folder"]),
                start_new_session=True,
                preexec_fn=_bounded,  # noqa: PLW1509 (what it calls takes no lock)
            )
        finally:
            os.close(write_end)

    def _write(self, file: str) -> None:
        self._version += 1
        listeners = self.folder / LISTENERS_FILE
        part = listeners.with_suffix(".part")
        part.write_text(self._places.configuration(file))
        part.replace(listeners)  # Envoy watches for a file moved here

    @property
    def lives(self) -> bool:
        """Whether the process has not ended."""
        return self.process.poll() is None

    def starts(self) -> str:
        """Waits until it is ready, and gives what became of its first configuration: as of `update`.

        Raises:
            Trouble: the program that was to start it says why it does not.
        """
        file = self.folder / ADMIN_FILE

        def address() -> str | None:
            if not self.lives:
                return ""
            return (file.read_text() or None) if file.exists() else None

        found = poll(address, START_S)
        if not found:
            self._check_launcher()
            return "neither"
        self._admin_port = int(found.rpartition(":")[2])

        def ready() -> bool | None:
            return True if not self.lives or self.admin("/ready").status == 200 else None

        poll(ready, START_S)
        return self._outcome(self._first_outcome)

    def _check_launcher(self) -> None:
        if self._prefix and not self.lives:
            self._output.finish(STOP_S)
            said = next((line for line in self.log_tail() if line.startswith(f"{self._prefix[0]}: ")), None)
            if said is not None:
                raise Trouble(
                    f"the recorded Envoy was started by {self._prefix[0]!r}, which cannot do so here; it says: {said}"
                )

    def admin(self, path: str, method: str = "GET") -> Answer:
        """Asks the admin interface; a cut connection if nothing comes."""
        try:
            return exchange(self._admin_port, Request(path, method), ADMIN_S)
        except NoAnswer:
            return Answer(None)

    def counters(self, pattern: str) -> dict[str, int]:
        """Statistics whose names fit a pattern."""
        pairs = (line.rpartition(": ") for line in self.admin(f"/stats?filter={pattern}").body.splitlines())
        return {name: int(value) for name, _, value in pairs if value.isdigit()}

    def update(self, file: str, expected: str) -> str:
        """Replaces its listeners: `accepted`, `rejected`, or `neither` if it ends, or does nothing in time."""
        self._ports.clear()
        self._write(file)
        return self._outcome(expected)

    def _outcome(self, expected: str) -> str:
        prefix = "listener_manager.lds.update_"

        def done() -> str | None:
            if not self.lives:
                return "neither"
            seen = self.counters(f"^{prefix}")
            accepted = seen.get(f"{prefix}success", 0)
            if accepted + seen.get(f"{prefix}rejected", 0) + seen.get(f"{prefix}failure", 0) < self._version:
                return None
            grown, self._accepted = accepted > self._accepted, accepted
            return "accepted" if grown else "rejected"

        return poll(done, NEITHER_S if expected == "neither" else UPDATE_S) or "neither"

    def route_updates(self) -> int:
        """How often it has taken or rejected routes that come by discovery."""
        pattern = r"^http[.].*[.]rds[.].*[.]update_(success|rejected|failure)$"
        return sum(self.counters(pattern).values())

    def look(self, what: str, name: str, expected: bool | int | None) -> bool | int | None:
        """What a case looked at, once it is as it was or the time is over: see `dmconform.envoy.transcript.What`."""

        def seen() -> bool | int | None:
            if what == "log":
                return name in self._output.text()
            if what == "statistic":
                return self.counters(f"^{re.escape(name)}$").get(name)
            with contextlib.suppress(OSError):  # it has ended
                return has_mapped(self.process.pid, Path(name))
            return None

        poll(lambda: seen() == expected or not self.lives, LOOK_S)
        return seen()

    def port(self, listener: str) -> int | None:
        """The port of a listener; None if there is none."""
        if listener not in self._ports:
            found = port_of(listener, lambda path: self.admin(path).body)
            if found is None:
                return None
            self._ports[listener] = found
        return self._ports[listener]

    def ended_by_itself(self) -> int | None:
        """Waits for an end of its own, and gives its exit code; None if it lives on."""
        return poll(self.process.poll, STOP_S)

    def stop(self) -> int | None:
        """Asks it to end, and gives its exit code; None if it does not end in time."""
        if self.lives:
            self.process.terminate()
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """Ends it, and what its modules have started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._output.finish(STOP_S)

    def log_tail(self) -> list[str]:
        """The last lines that it printed, without control characters."""
        lines = self._output.text().splitlines()[-LOG_TAIL_LINES:]
        return [re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "?", line) for line in lines]
