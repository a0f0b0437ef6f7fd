"""A system library folder with one module more, seen by one process only: the machine's own is never written to.

The Envoy starts in a separate mount namespace, in which an overlay lays a folder of the cell over /usr/lib.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

from dmconform.core.errors import HarnessError
from dmconform.core.process import run_program
from dmconform.core.timeouts import MOUNT_PROBE_S
from dmconform.envoy.outcomes import Blocked

SYSTEM_FOLDER = Path("/usr/lib")
_SCRIPT = """#!/bin/sh
# Lays the folder $1 over the system's library folder, for this process only, and runs the rest.
(cd "$1" && mount -t overlay overlay -o lowerdir=.:/usr/lib /usr/lib) || exit 125
shift
exec "$@"
"""


def system_folder_prefix(cell_folder: Path, extra: Path) -> tuple[str, ...]:
    """Returns the words that start a program with `extra` laid over the system's library folder.

    Raises:
        Blocked: this machine does not let the harness have a mount namespace.
    """
    problem = _why_not()
    if problem:
        raise Blocked(problem)
    script = cell_folder / "with-system-folder.sh"
    script.write_text(_SCRIPT, encoding="utf-8")
    script.chmod(0o755)
    return (*_unshare(), str(script), str(extra))


def _unshare() -> tuple[str, ...]:
    rootless = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    return ("unshare", *rootless, "--mount", "--propagation", "private")


@functools.cache
def _why_not() -> str | None:
    """Returns why there can be no such namespace here; None if there can."""
    command = [*_unshare(), "mount", "-t", "overlay", "overlay", "-o", "lowerdir=/etc:/usr/lib", "/usr/lib"]
    try:
        done = run_program(command, timeout_s=MOUNT_PROBE_S)
    except HarnessError as error:
        return f"a private system library folder is not to be had: {error}"
    if done.exit_code != 0:
        return f"a private system library folder needs a mount namespace and overlayfs; unshare says: {done.output.strip()}"
    return None
