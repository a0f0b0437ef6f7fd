"""The limits of this process that Envoys inherit: too low ones would look like failures of hosts and modules."""

from __future__ import annotations

import resource
from typing import Final

from dmconform.core.errors import HarnessError

OPEN_FILES: Final = 1024
"""What an Envoy under load, its clients and its upstream need."""
PROCESSES: Final = 1024
"""Threads included, of all that this user runs."""


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
