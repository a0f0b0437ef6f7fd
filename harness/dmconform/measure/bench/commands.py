"""How long commands take as whole processes, against the start of a bare Python and of bare Envoys.

Rounds of all commands take turns with their yardsticks, so that a busy moment of the machine meets them alike.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dmconform.core import paths
from dmconform.core.progress import say
from dmconform.hosts.catalogue import load_hosts
from dmconform.hosts.obtain import from_release
from dmconform.measure.bench.matrix import BOUND_S, bare_loop

MODULE_BYTES = 10 << 20  # the size of module that `check --no-run` is measured with
SDK = "rust@1.39:reference"


@dataclass(frozen=True)
class Figure:
    """A command: median seconds, its bound in the project's goals, and how often it takes as long as its yardstick."""

    what: str
    median_s: float
    goal_s: float
    yardstick: str
    ratio: float


def measure(rounds: int) -> tuple[Figure, ...]:
    """Times each command in turn, `rounds` times.

    Raises:
        RuntimeError: a command ends in another way than it should.
    """
    hosts = [host for host in load_hosts(paths.HOSTS_FILE) if host.default]
    binaries = [Path(from_release(host, paths.cache_folder(), say).binary) for host in hosts]
    with tempfile.TemporaryDirectory(prefix="dmconform-bench-") as scratch:
        module = _probe(Path(scratch))
        big = Path(scratch) / "libbig.so"
        shutil.copyfile(module, big)
        with big.open("ab") as file:
            file.write(os.urandom(max(0, MODULE_BYTES - module.stat().st_size)))
        commands = _commands(module, big, len(hosts))
        taken: dict[str, list[float]] = {command.what: [] for command in commands}
        python_s: list[float] = []
        envoys_s: list[float] = []
        for number in range(rounds):
            say(f"commands, round {number + 1} of {rounds}")
            python_s.append(_timed((sys.executable, "-c", "pass")))
            folder = Path(scratch) / f"bare-{number}"
            folder.mkdir()
            envoys_s.append(sum(bare_loop(binary, folder) for binary in binaries))
            for command in commands:
                taken[command.what].append(_timed((sys.executable, "-m", "dmconform", *command.arguments)))
    return tuple(_figure(command, taken[command.what], envoys_s if command.starts_envoys else python_s) for command in commands)


@dataclass(frozen=True)
class _Command:
    what: str
    arguments: tuple[str, ...]
    goal_s: float
    starts_envoys: bool = False


def _commands(module: Path, big: Path, hosts: int) -> tuple[_Command, ...]:
    http = ("--extension-point", "http_filter", "--filter-name", "transform")
    return (
        _Command("abi diff 1.38 1.39", ("abi", "diff", "1.38", "1.39"), 1.0),
        _Command("abi diff 1.39 1.40", ("abi", "diff", "1.39", "1.40"), 1.0),
        _Command("check --no-run of 10 MB, all known hosts", ("check", str(big), "--no-run", "--host", "all"), 1.0),
        _Command(f"check, {hosts} hosts run", ("check", str(module), *http), 5.0, starts_envoys=True),
    )


def _figure(command: _Command, taken_s: Sequence[float], yardstick_s: Sequence[float]) -> Figure:
    median_s = statistics.median(taken_s)
    yardstick = "bare Envoys on these hosts, one after another" if command.starts_envoys else "the start of a bare Python"
    return Figure(command.what, median_s, command.goal_s, yardstick, median_s / statistics.median(yardstick_s))


def _probe(scratch: Path) -> Path:
    """Copies a built probe, as a user's module."""
    done = subprocess.run(
        [sys.executable, "-m", "dmconform", "build", "--sdk", SDK],
        capture_output=True,
        text=True,
        timeout=BOUND_S,
        check=True,
        encoding="utf-8",
    )
    path = next(line.split()[-1] for line in done.stdout.splitlines() if line.split()[1] == "probe")
    return Path(shutil.copyfile(path, scratch / "libprobe.so"))


def _timed(command: Sequence[str]) -> float:
    """Returns seconds of a whole process that gives a verdict."""
    started = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=BOUND_S, check=False)
    elapsed_s = time.perf_counter() - started
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return elapsed_s
