"""Runs `dmconform` in its own process, and measures what it and the processes that it waits for need."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from dmconform.core.paths import IMPORT_ROOT

TIMEOUT_S = 120.0
# A small process between: what a process has in memory when it begins is counted, too.
_BETWEEN = """
import json, os, resource, sys
limits, measured, *words = json.loads(sys.argv[1])
pid = os.fork()
if not pid:
    for kind, value in limits:
        resource.setrlimit(kind, (value, value))
    os.execv(words[0], words)
_, status, used = os.wait4(pid, 0)
with open(measured, "w") as file:
    print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss << 10, file=file)
"""


@dataclass(frozen=True)
class Measured:
    """How a command ended, and what it took."""

    exit_code: int
    printed: str
    errors: str
    processor_s: float
    wall_s: float
    memory_bytes: int  # of the largest of its processes

    @property
    def output(self) -> str:
        """Standard output and standard error."""
        return self.printed + self.errors


def run_measured(*words: str | Path, limits: Mapping[int, int] | None = None) -> Measured:
    """Runs a command of the tool.

    Args:
        *words: what follows `dmconform`.
        limits: the caller's own limits, by their number.
    """
    command = [sys.executable, "-m", "dmconform", *map(str, words)]
    with tempfile.NamedTemporaryFile("r") as measured:
        job = msgspec.json.encode([list((limits or {}).items()), measured.name, *command]).decode()
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _BETWEEN, job],
            capture_output=True,
            text=True,
            errors="replace",
            env={**os.environ, "PYTHONPATH": str(IMPORT_ROOT)},
            timeout=TIMEOUT_S,
            check=True,
        )
        wall_s = time.monotonic() - started
        code, processor_s, memory = measured.read().split()
    return Measured(int(code), done.stdout, done.stderr, float(processor_s), wall_s, int(memory))
