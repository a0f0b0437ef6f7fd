"""Installs Debian's chromium and what its driver needs, for the tests of the report page: `python -m tests.ensure_chromium`."""

from __future__ import annotations

import contextlib
import ctypes
import shutil
import sys

from dmconform.core.errors import ExitCode, HarnessError

from tests.debian_packages import install


def missing() -> list[str]:
    """Returns the Debian packages to be installed."""
    found = ["chromium", "libatomic1"]
    if shutil.which("chromium"):
        found.remove("chromium")
    with contextlib.suppress(OSError):
        ctypes.CDLL("libatomic.so.1")  # needed by the Node.js that playwright brings
        found.remove("libatomic1")
    return found


def main() -> int:
    """Returns an exit code."""
    try:
        install(missing(), "the tests of the report page")
    except HarnessError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
