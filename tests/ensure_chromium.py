"""Installs Debian's chromium, for the tests of the report page, where it is missing."""

from __future__ import annotations

import os
import shutil
import sys

from harness.process import run_program

INSTALL_TIMEOUT_S = 900.0


def main() -> int:
    """Returns an exit code."""
    if shutil.which("chromium"):
        return 0
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    if prefix and not shutil.which("sudo"):
        print("chromium is missing, and there is no right to install it: install Debian's package chromium", file=sys.stderr)
        return 4
    print("installing chromium, for the tests of the report page", file=sys.stderr, flush=True)
    for words in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "chromium"]):
        done = run_program([*prefix, "apt-get", *words], timeout_s=INSTALL_TIMEOUT_S, env={"DEBIAN_FRONTEND": "noninteractive"})
        if done.exit_code != 0:
            print(f"apt-get {words[0]} failed:\n{done.output[-3000:]}", file=sys.stderr)
            return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
