"""The errors a user can meet, each with the exit code it ends the tool with.

Every message names the thing, what was expected, what was seen and what to do next.
"""

from __future__ import annotations

import enum
from pathlib import Path


class ExitCode(enum.IntEnum):
    """Exit codes of `dmconform`; documented in the README, each with a test."""

    OK = 0  # every supported cell passes, apart from known failures
    FAIL = 1  # a supported cell fails, or its static analysis and its run-time observation contradict each other
    USAGE = 2  # the command or a data file is wrong
    EMPTY = 3  # the selection has no cell
    ERROR = 4  # planned work could not run


class HarnessError(Exception):
    """An error: work that was asked for could not be done, for trouble with the harness, a build or a download."""

    exit_code = ExitCode.ERROR


class UsageError(HarnessError):
    """An error: the command line asks for something that makes no sense."""

    exit_code = ExitCode.USAGE


class EmptySelection(HarnessError):
    """An error: the selectors leave nothing to do."""

    exit_code = ExitCode.EMPTY


class DataFileError(UsageError):
    """An error: a data file is missing or not of its format."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
