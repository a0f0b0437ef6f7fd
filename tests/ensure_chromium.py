"""Installs Debian's chromium and what its driver needs, for the tests of the report page, where they are missing."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import sys

from dmconform.core.process import run_program

INSTALL_TIMEOUT_S = 900.0


def missing() -> list[str]:
    """The Debian packages to be installed."""
    found = ["chromium", "libatomic1"]
    if shutil.which("chromium"):
        found.remove("chromium")
    with contextlib.suppress(OSError):
        ctypes.CDLL("libatomic.so.1")  # needed by the Node.js that playwright brings
        found.remove("libatomic1")
    return found


def main() -> int:
    """Returns an exit code."""
    packages = missing()
    if not packages:
        return 0
    names = " and ".join(packages)
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    if prefix and not shutil.which("sudo"):
        print(f"there is no right to install what is missing: install Debian's {names}", file=sys.stderr)
        return 4
    print(f"installing {names}, for the tests of the report page", file=sys.stderr, flush=True)
    for words in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *packages]):
        done = run_program([*prefix, "apt-get", *words], timeout_s=INSTALL_TIMEOUT_S, env={"DEBIAN_FRONTEND": "noninteractive"})
        if done.exit_code != 0:
            print(f"apt-get {words[0]} failed:\n{done.output[-3000:]}", file=sys.stderr)
            return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
