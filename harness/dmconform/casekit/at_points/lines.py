"""Lines in which the probe says what it sees where it chooses among hosts."""

from __future__ import annotations

import re

from dmconform.core.timeouts import LOG_LINE_S
from dmconform.core.waiting import poll
from dmconform.envoy.envoy import Envoy
from dmconform.matrix.cell import Cell


def shown(text: str) -> str:
    """Returns text as a value of such a line has it."""
    return text.replace(" ", "\\x20")


def probe_lines(cell: Cell, envoy: Envoy, kind: str, text: str) -> list[dict[str, str]]:
    """Returns the lines of a kind so far.

    Args:
        cell: whose probe has written them.
        envoy: its Envoy.
        kind: the word that follows `dmconform`.
        text: the configuration of the module.
    """
    pattern = rf"^dmconform {kind} {cell.language} \[{re.escape(text)}\] (?P<pairs>\S+=.*)$"
    found = re.finditer(pattern, envoy.read_log(), re.MULTILINE)
    return [dict(pair.partition("=")[::2] for pair in line["pairs"].split(" ")) for line in found]


def probe_line(cell: Cell, envoy: Envoy, kind: str, text: str, number: int = 1, **having: str) -> dict[str, str]:
    """Returns the last line of a kind in which the names have these values.

    Args:
        cell: whose probe has written it.
        envoy: its Envoy.
        kind: the word that follows `dmconform`.
        text: the configuration of the module.
        number: how many such lines there must be.
        **having: the names, and their values.

    Raises:
        AssertionError: there are not so many in time, or more.
    """

    def lines() -> list[dict[str, str]]:
        return [line for line in probe_lines(cell, envoy, kind, text) if having.items() <= line.items()]

    poll(lambda: len(lines()) >= number, LOG_LINE_S)
    envoy.check_alive(f"before the module wrote a line {kind}")
    seen = lines()
    assert len(seen) == number, f"expected {number} lines {kind} of the module [{text}] with {having}, saw {len(seen)}"
    return seen[-1]
