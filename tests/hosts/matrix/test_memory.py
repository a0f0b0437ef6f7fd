"""A worker stays small while it runs the cells that need most: large bodies, modules that are changed, a module of 32 MiB."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from dmconform.core.errors import ExitCode

from tests.checkout import ROOT
from tests.hosts.processes import eventually, of_session
from tests.hosts.project import Project, ended

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("everything")]

LIMIT_BYTES: Final = 60 << 20  # it takes 45 MB; 150 with LIEF in it, 110 with the module of 32 MiB
LARGE: Final = (
    "window/large_bodies",
    "remote_source/*large",
    "configuration/only_required_hooks",
    "discovery/needed_library_*",
)


def private_bytes(process: int) -> int:
    """What a process has for itself; nothing if it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) << 10


def test_a_worker_takes_little_beside_its_envoys(tmp_path: Path) -> None:
    cases = [word for case in LARGE for word in ("--case", case)]
    selected = ["--host", "1.39.3", "--sdk", "cpp@1.39:reference", "--sdk", "rust@1.39:reference", *cases, "-n", "1"]
    process = Project(ROOT).start("run", *selected, "--out", tmp_path / "out")
    peak = 0

    def looked_until_it_ends() -> bool:
        nonlocal peak
        # A worker's program comes to it by its standard input.
        workers = [pid for pid, line in of_session(process.pid).items() if "exec(eval(sys.stdin.readline()))" in line]
        peak = max([peak, *map(private_bytes, workers)])
        return process.poll() is not None

    assert eventually(looked_until_it_ends, 100)
    done = ended(process)
    assert done.exit_code == ExitCode.OK, done
    assert 20 << 20 < peak < LIMIT_BYTES, f"expected a worker to have less than {LIMIT_BYTES} bytes for itself, it had {peak}"
    print(f"peak: {peak >> 20} MB")
