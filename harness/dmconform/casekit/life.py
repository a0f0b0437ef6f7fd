"""What the probe writes of the things that a host has it make at an extension point: each begins, is used, and ends."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dmconform.core.timeouts import LOG_LINE_S
from dmconform.core.waiting import poll
from dmconform.envoy.envoy import Envoy
from dmconform.matrix.cell import Cell

_LINE = re.compile(
    r"^dmconform life (?P<point>\w+) (?P<what>\w+) (?P<language>\w+) \[(?P<config>.*)\] (?P<event>begins|used|ends) "
    r"on=(?P<thread>main|worker)(?: module=.* responses=(?P<responses>\d+))?$",
    re.MULTILINE,
)
CONFIGURATION = "configuration"
"""The thing that an extension point has first, and that makes all others."""


@dataclass(frozen=True)
class LifeLine:
    """One line: what happened to what, with which configuration, on which thread."""

    what: str
    config: bytes
    event: str
    thread: str
    responses: int | None  # how many responses the filter `identity` of the same library has had; where it was used


def life_lines(cell: Cell, log: str) -> list[LifeLine]:
    """Returns the lines of a log that are about the cell's extension point, in their order."""
    return [
        LifeLine(
            found["what"],
            found["config"].encode().decode("unicode_escape").encode("latin-1"),
            found["event"],
            found["thread"],
            None if found["responses"] is None else int(found["responses"]),
        )
        for found in _LINE.finditer(log)
        if found["point"] == cell.point.value and found["language"] == cell.language
    ]


def used(cell: Cell, envoy: Envoy, before: int) -> LifeLine:
    """Returns the newest line that says that something was used, once there are more than `before`.

    Raises:
        AssertionError: there is none in time.
    """

    def newest() -> LifeLine | None:
        lines = lines_of_use(cell, envoy)
        return lines[-1] if len(lines) > before else None

    found = poll(newest, LOG_LINE_S)
    envoy.check_alive("before the module said that it was used")
    assert found is not None, f"expected the module to say that it was used, it has not within {LOG_LINE_S:g} s"
    return found


def lines_of_use(cell: Cell, envoy: Envoy) -> list[LifeLine]:
    """Returns the lines so far that say that something was used."""
    return [line for line in life_lines(cell, envoy.read_log()) if line.event == "used"]


def assert_all_ended(cell: Cell, envoy: Envoy, text: str) -> None:
    """Asserts that what began with this configuration has ended, each once, the configuration last, and that something did."""

    def lines() -> list[LifeLine]:
        return [line for line in life_lines(cell, envoy.read_log()) if line.config == text.encode()]

    def count(event: str) -> dict[str, int]:
        return {what: sum(line.what == what and line.event == event for line in seen) for what in kinds}

    poll(lambda: sum(one.event == "ends" for one in lines()) >= sum(one.event == "begins" for one in lines()), LOG_LINE_S)
    seen = lines()
    kinds = sorted({line.what for line in seen})
    began, ended = count("begins"), count("ends")
    assert began, f"expected something with the configuration {text!r} to have begun, nothing has"
    assert began == ended, f"expected all that began with {text!r} to end, each once: {began} began, {ended} ended"
    assert seen[-1].what == CONFIGURATION, f"expected the configuration {text!r} to end last, {seen[-1].what} did"
