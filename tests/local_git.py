"""Git on repositories that a test makes."""

from __future__ import annotations

import subprocess
from pathlib import Path

GIT_S = 30.0


def git(folder: Path, *words: str) -> str:
    """What git prints in a folder."""
    identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
    done = subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, timeout=GIT_S, check=True)
    return done.stdout.strip()
