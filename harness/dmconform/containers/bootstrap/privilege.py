"""The right to do what needs root: being root, or sudo without a question."""

from __future__ import annotations

import os
import shutil
import subprocess

from dmconform.core.errors import HarnessError
from dmconform.core.timeouts import SUDO_S

KEPT_VARIABLES = (
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
"""What a server or a package manager started through sudo needs of the environment to reach the outside."""


def as_root(purpose: str) -> list[str]:
    """Returns the words to put before a command to run it as root: nothing, or sudo.

    Raises:
        HarnessError: there is no right to; the message says what to do.
    """
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is not None:
        try:
            asked = subprocess.run(
                [sudo, "-n", "true"], check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=SUDO_S
            )
        except subprocess.TimeoutExpired:
            asked = None
        if asked is not None and asked.returncode == 0:
            return [sudo, "-n", f"--preserve-env={','.join(KEPT_VARIABLES)}", "--"]
    raise HarnessError(
        f"No Docker server answers, and there is no right to {purpose}: this is neither root nor a user with sudo "
        "without a password. Do one of these: start Docker (and set DOCKER_HOST if it is not at the usual place), "
        "join the group that may use it, run this as root, or allow sudo without a password."
    )
