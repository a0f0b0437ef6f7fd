"""The shared library of the Python that runs the tests, which modules that embed Python need."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

NAME = f"libpython{sys.version_info.major}.{sys.version_info.minor}.so.1.0"
PACKAGE = f"libpython{sys.version_info.major}.{sys.version_info.minor}"
"""Debian's package of it."""


def python_library() -> Path | None:
    """Returns the file, where the Python has one."""
    folder = Path(sysconfig.get_config_var("LIBDIR") or "/usr/lib")
    multiarch = sysconfig.get_config_var("MULTIARCH") or "x86_64-linux-gnu"
    return next((file for file in (folder / NAME, folder / multiarch / NAME) if file.exists()), None)
