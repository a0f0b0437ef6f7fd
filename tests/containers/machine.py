"""What of a Docker server can be seen on the machine, to tell that nothing of it is left."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import docker
from dmconform.containers.bootstrap import keeper

GONE_TIMEOUT_S = 40.0
"""How long a server whose users were killed may take to be gone."""


def place_of(cache: Path) -> Path:
    """The temporary folder of the private server in a cache."""
    return Path(json.loads((cache / "engine" / keeper.RECORD).read_bytes())["place"])


def traces(cache: Path, place: Path) -> list[str]:
    """Processes, mounts, cgroups and folders of a private server."""
    found = [f"process {number}" for number in keeper.processes(place)]
    found += [f"process {number}" for number in keepers(cache)]
    found += [f"mount {point}" for point in keeper.mounts_below([place, cache])]
    found += [f"cgroup {group}" for group in keeper.cgroups(place.name)]
    found += [f"folder {path}" for path in (place, cache / "engine" / keeper.RECORD) if path.exists()]
    return found


def keepers(cache: Path) -> list[int]:
    """The keepers of a cache."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if keeper.__file__.encode() in arguments and str(cache / "engine").encode() in arguments:
            found.append(int(entry.name))
    return found


def interfaces() -> set[str]:
    """The machine's network interfaces."""
    return {path.name for path in Path("/sys/class/net").iterdir()}


def eventually(seen: Callable[[], object], timeout_s: float = GONE_TIMEOUT_S) -> bool:
    """Whether something becomes true in time."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if seen():
            return True
        time.sleep(0.1)
    return False


def socket_address(client: docker.DockerClient) -> str:
    """The address of the session's server."""
    return f"unix://{place_of(Path(client.info()['DockerRootDir']).parents[1]) / 'user' / 'docker.sock'}"
