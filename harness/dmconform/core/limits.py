"""The limits of this process that Envoys inherit: too low ones would look like failures of hosts and modules."""

from __future__ import annotations

import contextlib
import os
import resource
from pathlib import Path
from typing import Final

from dmconform.core.errors import HarnessError

OPEN_FILES: Final = 1024
"""What an Envoy under load, its clients and its upstream need."""
PROCESSES: Final = 1024
"""Threads included, of all that this user runs."""
SPARE: Final = 64
"""How many open files and processes there must be left in the middle of a cell."""


def raise_limits() -> None:
    """Raises the limits of open files and of processes as far as it may.

    Raises:
        HarnessError: what it may have is too little.
    """
    for name, limit, least, option in (
        ("open files", resource.RLIMIT_NOFILE, OPEN_FILES, "-n"),
        ("processes", resource.RLIMIT_NPROC, PROCESSES, "-u"),
    ):
        soft, hard = resource.getrlimit(limit)
        if hard != resource.RLIM_INFINITY and hard < least:
            raise HarnessError(
                f"Envoys need a limit of {least} {name}, and this process may have {hard}: raise it (ulimit {option})"
            )
        if soft != resource.RLIM_INFINITY and soft < least:
            resource.setrlimit(limit, (least if hard == resource.RLIM_INFINITY else hard, hard))


def lowered_limits() -> str:
    """Returns the limits of this process that may be too low for any host, as `ulimit` has them; empty if it has none."""
    options = {"-v": resource.RLIMIT_AS, "-d": resource.RLIMIT_DATA, "-t": resource.RLIMIT_CPU, "-s": resource.RLIMIT_STACK}
    limited = (option for option, limit in options.items() if resource.getrlimit(limit)[1] != resource.RLIM_INFINITY)
    return ", ".join(f"ulimit {option}" for option in limited)


def shortage() -> str | None:
    """Returns what this process and the Envoys that it starts lack now; None where they have enough.

    Limits can become too low while a run is under way: by `prlimit`, or because something else of this user takes them.
    """
    files, processes = resource.getrlimit(resource.RLIMIT_NOFILE)[0], resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if files != resource.RLIM_INFINITY:
        if files < OPEN_FILES:
            return f"the limit of open files is {files}, and an Envoy needs {OPEN_FILES}; raise it (ulimit -n)"
        if (used := _open_files()) + SPARE > files:
            return f"{used} of {files} open files are in use; raise the limit (ulimit -n)"
    if processes != resource.RLIM_INFINITY and os.geteuid() != 0:  # root is not bound
        if processes < PROCESSES:
            return f"the limit of processes is {processes}, and Envoys need {PROCESSES}; raise it (ulimit -u)"
        if (used := _processes_of_user()) + SPARE > processes:
            return f"{used} of {processes} processes are in use; raise the limit (ulimit -u), or end some"
    return None


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _processes_of_user() -> int:
    """Returns how many processes and threads this user runs."""
    user, found = os.getuid(), 0
    for one in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if one.stat().st_uid == user:
                found += sum(1 for _ in (one / "task").iterdir())
    return found
