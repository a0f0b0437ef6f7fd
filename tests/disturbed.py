"""Runs a command on a busy machine whose scheduler is unkind: what ends well by luck alone ends badly here.

As many processes as there are processors do nothing but compute. All processes that the command starts, Envoys and workers of
pytest among them, are stopped now and then for up to 50 ms, and each of their threads is given another priority.

    python -m tests.disturbed pytest tests/hosts/matrix/test_cases.py -n 2
    python -m tests.disturbed --seed 7 dmconform run --host all
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LONGEST_STOP_S: Final = 0.05
BETWEEN_S: Final = 0.02  # at most, between two rounds
STOPPED: Final = 0.2  # how many of the processes are, each round
NICE: Final = 19  # the lowest priority
END_S: Final = 30.0  # the command, once it was interrupted
# Ends with this program, however that ends.
_COMPUTES: Final = "import os, sys\nwhile os.getppid() == int(sys.argv[1]):\n    pass\n"


@dataclass
class Disturbance:
    """What was done so far, by chance of which the seed is known."""

    chance: random.Random
    stops: int = 0
    priorities: int = 0

    def of(self, process: int) -> None:
        """Disturbs a process, if it is there still."""
        with contextlib.suppress(OSError):  # it ended, or nobody but root may make a thread faster again
            for thread in Path(f"/proc/{process}/task").iterdir():
                os.setpriority(os.PRIO_PROCESS, int(thread.name), self.chance.randint(0, NICE))
                self.priorities += 1
        with contextlib.suppress(ProcessLookupError):
            if self.chance.random() < STOPPED:
                os.kill(process, signal.SIGSTOP)
                try:
                    time.sleep(self.chance.uniform(0, LONGEST_STOP_S))
                finally:
                    os.kill(process, signal.SIGCONT)
                self.stops += 1


def started_by(ancestor: int) -> Iterator[int]:
    """A process and all that it has started, directly or not."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
            parents.setdefault(parent, []).append(int(entry.name))
    waiting = [ancestor]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += parents.get(one, ())


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Every processor has something else to do."""
    computing = [subprocess.Popen([sys.executable, "-c", _COMPUTES, str(os.getpid())]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for one in computing:
            one.kill()
            one.wait()


def disturbed(command: list[str], disturbance: Disturbance) -> int:
    """Runs a command to its end, disturbed; its exit code."""
    process = subprocess.Popen(command)
    try:
        while process.poll() is None:
            for one in started_by(process.pid):
                disturbance.of(one)
            time.sleep(disturbance.chance.uniform(0, BETWEEN_S))
    except KeyboardInterrupt:  # the command has got it too
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_S)
    finally:
        if process.poll() is None:
            process.kill()
    return process.wait()


def main() -> int:
    """Returns the exit code of the command."""
    summary, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m tests.disturbed",
        description=summary,
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="of the chance (default: a new one)")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="with its arguments")
    arguments = parser.parse_args()
    if not arguments.command:
        parser.error("expected a command to run, such as: pytest tests/hosts/matrix/test_cases.py -n 2")
    disturbance = Disturbance(random.Random(arguments.seed))
    with busy():
        code = disturbed(arguments.command, disturbance)
    print(f"disturbed: {disturbance.stops} stops, {disturbance.priorities} priorities, seed {arguments.seed}; exit code {code}")
    return code


if __name__ == "__main__":
    sys.exit(main())
