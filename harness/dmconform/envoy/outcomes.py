"""How a case ends other than by passing. A failed assertion is the remaining way: it means `failed`."""

from __future__ import annotations

import signal
from pathlib import Path

from dmconform.core.values import Outcome


class CellEnd(Exception):
    """A case ended with this outcome; the text says what was expected and what was seen."""

    outcome: Outcome


class HostCrashed(CellEnd):
    """The Envoy ended by itself."""

    outcome = Outcome.CRASH

    @classmethod
    def with_code(cls, exit_code: int, during: str) -> HostCrashed:
        """Returns the error for an `exit_code` as of `subprocess`: negative for a signal."""
        if exit_code < 0:
            return cls(f"Envoy was killed by {signal.Signals(-exit_code).name} {during}")
        return cls(f"Envoy ended by itself with exit code {exit_code} {during}")


class HostHung(CellEnd):
    """The Envoy did not answer, or did not end, in time."""

    outcome = Outcome.HANG


class ModuleRejected(CellEnd):
    """The Envoy refused a configuration that the case needs accepted; the text is the Envoy's."""

    outcome = Outcome.REJECTED


class NotApplicable(CellEnd):
    """The case says nothing about this cell, for the reason given."""

    outcome = Outcome.NOT_APPLICABLE


class Blocked(CellEnd):
    """The case could not be run here, for the reason given."""

    outcome = Outcome.ERROR


def linker_error(log: str, binary: Path) -> str | None:
    """Returns what the dynamic linker printed last before it ended a process of this binary for a symbol that it did not find.

    It does so at the first call of a function that was to be looked up then. The exit code is 127, as where a launcher finds no
    program to start; but a launcher's own line begins with another name.
    """
    mark = f"{binary}: symbol lookup error: "
    return next((line.partition(mark)[2].strip() for line in reversed(log.splitlines()) if mark in line), None)
