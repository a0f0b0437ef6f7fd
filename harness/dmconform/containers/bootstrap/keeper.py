"""Keeps the private Docker server: starts it, waits until it has no users, stops it and removes its traces.

A separate program, so that the server outlives the run that started it while other runs use it, and is stopped even
if the last of them was killed. It runs as root, perhaps through sudo, from its path: standard library only.

How runs and the keeper agree, all in the folder CACHE/engine:

- `users.lock`: every run holds a shared lock on it. The kernel drops the lock of a run that dies, in whatever way, so
  the keeper learns that no user is left by getting the exclusive lock.
- `keeper.lock`: the keeper holds an exclusive lock on it for as long as anything of the server is there.
- `engine.json`: where the server is. Written and removed by the keeper.
- `stop`: created by the last run, so that it need not wait until the keeper finds out.

If the keeper itself is killed, the kernel sends the server SIGTERM (`setpriv --pdeathsig`); what is left then in the
way of folders, mounts and cgroups the next keeper removes before it starts a server.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

POLL_S = 0.1
"""How often the keeper looks whether it is still needed."""
STOP_TIMEOUT_S = 20.0
"""How long the server may take to end by itself before it is killed; it waits up to 15 s for its containers."""
KILL_TIMEOUT_S = 5.0
"""How long killed processes may take to be gone."""

CGROUPS = Path("/sys/fs/cgroup")
MOUNTS = Path("/proc/self/mountinfo")
USERS_LOCK = "users.lock"
KEEPER_LOCK = "keeper.lock"
RECORD = "engine.json"
STOP_REQUEST = "stop"
SERVER_LOG = "dockerd.log"
PLACE_PREFIX = "dmconform-engine-"
SERVER = "dockerd"
IN_CONTAINERS = "whatever runs in its containers"
PROGRAMS = (SERVER, "containerd", IN_CONTAINERS)


def main(arguments: list[str]) -> int:
    """Keeps one server until it is no longer needed; see the module's description."""
    parser = argparse.ArgumentParser(prog="keeper")
    parser.add_argument("folder", type=Path, help="CACHE/engine")
    parser.add_argument("dockerd", help="the server's program")
    parser.add_argument("uid", type=int, help="who may use the server")
    parser.add_argument("gid", type=int)
    options = parser.parse_args(arguments)
    folder: Path = options.folder

    asked_to_stop: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _: asked_to_stop.append(received))

    own_lock = os.open(folder / KEEPER_LOCK, os.O_RDONLY | os.O_CLOEXEC)
    fcntl.flock(own_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # runs start one keeper at a time: never taken
    users = os.open(folder / USERS_LOCK, os.O_RDONLY | os.O_CLOEXEC)

    remove_leftovers(folder)
    place = Path(tempfile.mkdtemp(prefix=PLACE_PREFIX, dir="/tmp"))  # short: a socket's path has at most 107 bytes
    write_record(folder / RECORD, place)
    server = start_server(options.dockerd, folder, place, options.uid, options.gid)
    try:
        while not (asked_to_stop or (folder / STOP_REQUEST).exists() or server.poll() is not None or is_unused(users)):
            time.sleep(POLL_S)
    finally:
        stop(server)
        remove_leftovers(folder)  # before `keeper.lock` is free again
    return 0


def write_record(record: Path, place: Path) -> None:
    """Records where the server's socket will be, and which temporary folder is to be removed after it."""
    unfinished = record.with_suffix(".new")
    unfinished.write_text(json.dumps({"place": str(place), "socket": str(socket_path(place))}), encoding="utf-8")
    unfinished.replace(record)


def socket_path(place: Path) -> Path:
    """Returns where the server of a place listens."""
    return place / "user" / "docker.sock"


def start_server(dockerd: str, folder: Path, place: Path, uid: int, gid: int) -> subprocess.Popen[bytes]:
    """Starts a server that changes nothing of the machine's network, and has a separate cgroup.

    Args:
        dockerd: the path of the server's program.
        folder: for the server's images and its log; they stay between runs.
        place: for its socket, its process id and its settings; its name is also that of the cgroup.
        uid: the user who may open the socket.
        gid: the group that the socket is given to.
    """
    place.chmod(0o711)
    socket = socket_path(place)
    socket.parent.mkdir(mode=0o700)  # whoever can open the socket is root: let its user in, not the user's whole group
    os.chown(socket.parent, uid, gid)
    settings = place / "daemon.json"  # not the machine's own one, which is for another server
    settings.write_text("{}", encoding="utf-8")
    command = [
        *("setpriv", "--pdeathsig", "TERM", "--", dockerd),
        f"--config-file={settings}",
        f"--data-root={folder / 'data'}",
        f"--exec-root={place / 'exec'}",
        f"--pidfile={place / 'pid'}",
        f"--host=unix://{socket}",
        f"--group={gid}",
        f"--cgroup-parent=/{place.name}",
        "--exec-opt=native.cgroupdriver=cgroupfs",
        "--bridge=none",
        "--iptables=false",
        "--ip6tables=false",
        "--ip-forward=false",
        "--log-level=warn",
    ]
    with (folder / SERVER_LOG).open("wb") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def is_unused(users: int) -> bool:
    """Returns whether no run is left. If so the exclusive lock stays taken, so that no new one comes in before the end."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def stop(server: subprocess.Popen[bytes]) -> None:
    """Ends the server, which ends its containers and its containerd; kills it if that takes too long."""
    server.terminate()
    try:
        server.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def remove_leftovers(folder: Path) -> None:
    """Removes what a server of this folder left: processes, mounts, cgroups, its temporary folder, its record."""
    places = []
    with contextlib.suppress(FileNotFoundError, ValueError, KeyError):
        places.append(Path(json.loads((folder / RECORD).read_bytes())["place"]))
    for place in places:
        wait_until_gone(place, (SERVER,), STOP_TIMEOUT_S)  # the server of a killed keeper is ending by itself
        kill_all(place)
    unmount_below([*places, folder / "data"])
    for place in places:
        remove_cgroups(place.name)
        if not mounts_below([place]):
            shutil.rmtree(place, ignore_errors=True)
    for name in (STOP_REQUEST, RECORD):
        (folder / name).unlink(missing_ok=True)


def wait_until_gone(place: Path, programs: tuple[str, ...], timeout_s: float) -> None:
    """Waits until no such process of the server is left."""
    deadline = time.monotonic() + timeout_s
    while processes(place, programs) and time.monotonic() < deadline:
        time.sleep(POLL_S)


def kill_all(place: Path) -> None:
    """Kills what is left of a server, and what runs in its containers."""
    for process in processes(place):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    wait_until_gone(place, PROGRAMS, KILL_TIMEOUT_S)


def processes(place: Path, programs: tuple[str, ...] = PROGRAMS) -> list[int]:
    """Returns the processes of a server: those that have the place in their arguments, and those in its cgroups."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                program, *arguments = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                # "containerd" matches its shims as well, whose names begin so.
                if Path(program).name.startswith(programs) and any(str(place) in argument for argument in arguments):
                    found.add(int(entry.name))
    for group in cgroups(place.name) if IN_CONTAINERS in programs else ():
        with contextlib.suppress(OSError):
            found.update(int(line) for line in (group / "cgroup.procs").read_text(encoding="utf-8").split())
    return sorted(found)


def cgroups(name: str) -> Iterator[Path]:
    """Yields the cgroups of a server in every hierarchy, inner ones first."""
    for root in (CGROUPS / name, *CGROUPS.glob(f"*/{name}")):
        for folder, _, _ in os.walk(root, topdown=False):
            yield Path(folder)


def remove_cgroups(name: str) -> None:
    """Removes the empty cgroups that a server leaves."""
    for group in cgroups(name):
        with contextlib.suppress(OSError):
            group.rmdir()


def mounts_below(folders: list[Path]) -> list[str]:
    """Returns what is mounted on these folders or below, inner mounts first."""
    found = []
    for line in MOUNTS.read_text(encoding="utf-8").splitlines():
        point = line.split(" ")[4].encode().decode("unicode_escape")  # a space is written \\040
        if any(Path(point).is_relative_to(folder) for folder in folders):
            found.append(point)
    return found[::-1]


def unmount_below(folders: list[Path]) -> None:
    """Unmounts everything on these folders or below."""
    for point in mounts_below(folders):
        subprocess.run(["umount", "--lazy", point], check=False, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
