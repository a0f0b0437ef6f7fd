"""What processes there are on the machine, to tell that none is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

GONE_S = 10.0
"""How long something that was ended may take to be gone."""


def naming(text: Path | str) -> dict[int, str]:
    """The processes whose command line holds `text`, as process ids and command lines."""
    return {pid: line for pid, line in _command_lines() if str(text) in line}


def of_session(session: int) -> dict[int, str]:
    """The processes of a session."""
    found = {}
    for pid, line in _command_lines():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        state, its_session = fields[0], int(fields[3])
        if its_session == session and state != "Z":
            found[pid] = line
    return found


def eventually(seen: Callable[[], object], timeout_s: float = GONE_S) -> bool:
    """Whether something becomes true in time."""
    deadline = time.monotonic() + timeout_s
    while not seen():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.01)
    return True


def _command_lines() -> list[tuple[int, str]]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        if line:
            found.append((int(entry.name), line))
    return found
