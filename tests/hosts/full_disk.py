"""A disk that is soon full."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Path]:
    """A file system of a few bytes in a folder, as long as the block lasts; skips the test where none can be mounted."""
    folder.mkdir()
    prefix = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    owner = f"uid={os.geteuid()},gid={os.getegid()}"
    mount = [*prefix, "mount", "-t", "tmpfs", "-o", f"size={size_bytes},mode=700,{owner}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        pytest.skip(f"a small file system needs root or sudo: {error}")
    if done.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run([*prefix, "umount", "--lazy", str(folder)], check=True)
