"""Installs the Debian packages that tests need and this machine lacks.

Arguments: the folders of tests to install for; none: all of them. Called as `python -m tests.ensure_packages`.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from dmconform.containers.bootstrap.install import install_quietly
from dmconform.core.process import tail

from tests.python_library import PACKAGE, python_library


@dataclass(frozen=True)
class Needed:
    """A Debian package, and how to see that what it brings is there, from wherever."""

    package: str
    is_there: Callable[[], bool]


def program(name: str, package: str = "") -> Needed:
    """A package that is needed for a program, whose name it has if nothing else is said."""
    return Needed(package or name, lambda: shutil.which(name) is not None)


def library(name: str, package: str) -> Needed:
    """A package that is needed for a shared library."""
    return Needed(package, lambda: can_be_loaded(name))


def file(path: str, package: str) -> Needed:
    """A package that is needed for a file."""
    return Needed(package, Path(path).exists)


def can_be_loaded(name: str) -> bool:
    """Whether the loader finds a library."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


COMPILER = (program("gcc"), file("/usr/include/stdint.h", "libc6-dev"))
NEEDED = {
    "browser": (
        program("chromium"),
        library("libatomic.so.1", "libatomic1"),  # for the Node.js that playwright brings
    ),
    "foreign": (Needed(PACKAGE, lambda: python_library() is not None),),
    "hosts": (program("jq"), program("bwrap", "bubblewrap"), *COMPILER),  # bubblewrap: what check --isolate runs modules in
    "page": (program("node", "nodejs"), program("npm")),
    "containers": (program("podman"), program("runc")),
    "tools": (program("abidiff", "abigail-tools"), program("g++"), *COMPILER),
}
UNITS = (
    "podman.socket",
    "podman.service",
    "podman-auto-update.service",
    "podman-auto-update.timer",
    "podman-restart.service",
)
"""What of these packages systemd would start: none of the tests needs it."""


def missing(folders: Iterable[str]) -> tuple[str, ...]:
    """The packages to be installed for the tests in some folders."""
    return tuple(one.package for folder in folders for one in NEEDED[folder] if not one.is_there())


def main(arguments: list[str]) -> int:
    """Returns an exit code."""
    unknown = sorted(set(arguments) - NEEDED.keys())
    if unknown:
        print(f"{' '.join(unknown)}: expected some of {' '.join(NEEDED)}", file=sys.stderr)
        return 2
    packages = missing(arguments or NEEDED)
    if not packages:
        return 0
    names = " and ".join(packages)
    apt, sudo = shutil.which("apt-get"), shutil.which("sudo")
    prefix = [] if os.geteuid() == 0 else [sudo] if sudo else None
    if prefix is None or apt is None:
        print(
            f"there is no {'apt-get' if apt is None else 'right'} to install what is missing: install {names}", file=sys.stderr
        )
        return 4
    print(f"installing {names}, for the tests", file=sys.stderr, flush=True)
    done = install_quietly(prefix, apt, packages, UNITS)
    if done.exit_code != 0:
        print(f"apt-get could not install {names}. {tail(done.output)}", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
