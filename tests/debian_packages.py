"""Installs Debian's packages that tests need, where they are missing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from typing import Final

from dmconform.core.errors import HarnessError
from dmconform.core.process import run_ok

INSTALL_TIMEOUT_S: Final = 900.0


def install(packages: Sequence[str], purpose: str) -> None:
    """Installs `packages` with apt-get, as root or through sudo, and says for what; does nothing where there are none.

    Raises:
        HarnessError: There is no right to install packages, or apt-get is missing or fails.
    """
    if not packages:
        return
    names = " and ".join(packages)
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    if prefix and not shutil.which("sudo"):
        raise HarnessError(f"{purpose} need {names}, and there is no right to install them: install Debian's {names}")
    print(f"installing {names}, for {purpose}", file=sys.stderr, flush=True)
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    for words in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *packages]):
        run_ok([*apt, *words], INSTALL_TIMEOUT_S, f"install {names} (apt-get {words[0]})")
