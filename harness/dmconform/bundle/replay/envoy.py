"""One Envoy of a replay: started as the recorded one was, asked through its admin interface, and ended whatever happens."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dmconform.bundle.replay.places import Places, Trouble
from dmconform.core.waiting import poll
from dmconform.envoy.client import Answer, NoAnswer
from dmconform.envoy.driver import Driver
from dmconform.envoy.launch import BOUNDING, bounds

START_S = 30.0
UPDATE_S = 15.0
NEITHER_S = 5.0  # where an update had no outcome when it was recorded
STOP_S = 15.0
ADMIN_S = 10.0
LOOK_S = 10.0
LOG_TAIL_LINES = 15


def _words_before(prefix: list[str]) -> list[str]:
    """Returns the words before the command, as far as they make sense here."""
    if prefix[:2] == ["setpriv", "--bounding-set"] and os.geteuid() != 0:
        return []  # takes a right away that only root has
    if prefix and shutil.which(prefix[0]) is None:
        raise Trouble(f"the recorded Envoy was started by {prefix[0]!r}, which this machine has not")
    return prefix


class ReplayedEnvoy:
    """A running Envoy. Nothing that it does raises: it is compared with what was recorded."""

    def __init__(self, step: Mapping[str, Any], places: Places) -> None:
        """Starts it with the recorded words, environment and first configuration."""
        self._places = places
        self._driver = Driver(places.folder(step["folder"]), self.admin)
        self._ports: dict[str, int] = {}
        self._driver.write_bootstrap(places.configuration(step["bootstrap"]))
        self._driver.write_listeners(places.configuration(step["listeners"]))
        self._first_outcome = step["outcome"]
        prefix = _words_before([places.here(word) for word in step["prefix"]])
        environment = {name: places.here(value) for name, value in step["environment"].items()}
        self._launchers = {*BOUNDING, *prefix[:1]}
        words = [*bounds(), *prefix, str(places.envoy), *(places.here(word) for word in step["arguments"])]
        self._driver.start(words, environment, places.here(step["working_folder"]))

    @property
    def lives(self) -> bool:
        """Whether the process has not ended."""
        return self._driver.lives

    @property
    def exit_code(self) -> int | None:
        """The exit code of the process, as `subprocess` has it; None while it runs."""
        return self._driver.exit_code

    def starts(self) -> str:
        """Waits until it is ready, and returns the outcome of its first configuration, as `update` does.

        Raises:
            Trouble: the program that was to start it says why it does not.
        """
        if not self._driver.await_admin(START_S):
            self._check_launcher()
            return "neither"
        self._driver.await_ready(START_S)
        return self._outcome(self._first_outcome)

    def _check_launcher(self) -> None:
        if self.lives:
            return
        self._driver.end(STOP_S)
        for line in self.log_tail():
            launcher, colon, _ = line.partition(": ")
            if colon and launcher in self._launchers:
                raise Trouble(f"the recorded Envoy was started by {launcher!r}, which cannot do so here; it says: {line}")

    def admin(self, path: str, method: str = "GET") -> Answer:
        """Asks the admin interface; returns a cut connection if nothing comes."""
        try:
            return self._driver.admin(path, method, ADMIN_S)
        except NoAnswer:
            return Answer(None)

    def update(self, file: str, expected: str) -> str:
        """Replaces its listeners; returns `accepted`, `rejected`, or `neither` if it ends, or does nothing in time."""
        self._ports.clear()
        self._driver.write_listeners(self._places.configuration(file))
        return self._outcome(expected)

    def _outcome(self, expected: str) -> str:
        def done() -> str | None:
            if not self.lives:
                return "neither"
            settled = self._driver.settled()
            if settled is None:
                return None
            return "accepted" if settled.accepted else "rejected"

        return poll(done, NEITHER_S if expected == "neither" else UPDATE_S) or "neither"

    def route_updates(self) -> int:
        """Returns how often it has taken or rejected routes that come by discovery."""
        pattern = r"^http[.].*[.]rds[.].*[.]update_(success|rejected|failure)$"
        return sum(self._driver.counters(pattern).values())

    def look(self, what: str, name: str, expected: bool | int | None) -> bool | int | None:
        """Returns what a case looked at, once it is as recorded or the time is over: see `dmconform.envoy.transcript.Look`."""

        def seen() -> bool | int | None:
            if what == "log":
                return name in self._driver.printed()
            if what == "statistic":
                return self._driver.counters(f"^{re.escape(name)}$").get(name)
            with contextlib.suppress(OSError):  # it has ended
                return self._driver.has_mapped(Path(name))
            return None

        poll(lambda: seen() == expected or not self.lives, LOOK_S)
        return seen()

    def port(self, listener: str) -> int | None:
        """Returns the port of a listener; None if there is none."""
        if listener not in self._ports:
            found = self._driver.port(listener)
            if found is None:
                return None
            self._ports[listener] = found
        return self._ports[listener]

    def ended_by_itself(self) -> int | None:
        """Waits until it ends by itself, and returns its exit code; None if it lives on."""
        return poll(lambda: self.exit_code, STOP_S)

    def stop(self) -> int | None:
        """Asks it to end, and returns its exit code; None if it does not end in time."""
        return self._driver.stop(STOP_S)

    def kill(self) -> None:
        """Ends it, and what its modules have started."""
        self._driver.end(STOP_S)

    def log_tail(self) -> list[str]:
        """Returns the last lines that it printed, without control characters."""
        lines = self._driver.printed().splitlines()[-LOG_TAIL_LINES:]
        return [re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "?", line) for line in lines]
