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


def lowered_limits() -> str:
    """Returns the limits of this process that may be too low for any host, as `ulimit` has them; empty if it has none."""
    options = {"-v": resource.RLIMIT_AS, "-d": resource.RLIMIT_DATA, "-t": resource.RLIMIT_CPU, "-s": resource.RLIMIT_STACK}
    limited = (option for option, limit in options.items() if resource.getrlimit(limit)[1] != resource.RLIM_INFINITY)
    return ", ".join(f"ulimit {option}" for option in limited)
