"""A host that has no right to pass over the permissions of files, also where the harness runs as root."""

from __future__ import annotations

import os
from typing import Final

_PASS_OVER: Final = "-dac_override,-dac_read_search"


def unprivileged_prefix() -> tuple[str, ...]:
    """Returns the words that start a program without root's right to read and search everything; none without such a right."""
    return ("setpriv", "--bounding-set", _PASS_OVER) if os.geteuid() == 0 else ()
