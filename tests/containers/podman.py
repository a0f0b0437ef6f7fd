"""Debian's Podman as a Docker server: its service on a socket in a temporary folder, with all of its data there."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from dmconform.containers.bootstrap import keeper
from dmconform.containers.engine import connect
from docker.errors import DockerException

from tests.containers.machine import eventually

CGROUP = "libpod_parent"
"""Where Podman puts its containers' cgroups, whichever folder it works in."""
LOCKS = Path("/dev/shm/libpod_lock")
START_S = 30.0
STOP_S = 20.0


@contextlib.contextmanager
def podman_server() -> Iterator[str]:
    """Gives the address of a server, which nobody else uses, and which leaves nothing.

    The tests that need it fail where there is no Podman: a skipped one would pass for a Podman that works.
    """
    program = shutil.which("podman")
    if program is None:
        pytest.fail("these tests need the program `podman`: `python -m tests.ensure_packages containers` installs it")
    if os.geteuid() != 0:
        pytest.skip(
            "Podman's service is tested as root, with the limits on memory and processes that jobs have; this is not root"
        )
    had_locks = LOCKS.exists()
    folder = Path(tempfile.mkdtemp(prefix="dmconform-podman-", dir="/tmp"))  # short: a socket's path has at most 107 bytes
    try:
        with served(program, folder) as address:
            yield address
    finally:
        keeper.unmount_below([folder])
        keeper.remove_cgroups(CGROUP)  # those that are empty
        shutil.rmtree(folder)
        if not had_locks:
            LOCKS.unlink(missing_ok=True)


@contextlib.contextmanager
def served(program: str, folder: Path) -> Iterator[str]:
    """Starts the service and stops it."""
    socket = folder / "podman.sock"
    temporary = folder / "temporary"
    temporary.mkdir()
    command = [
        program,
        f"--root={folder / 'root'}",
        f"--runroot={folder / 'run'}",
        f"--tmpdir={folder / 'libpod'}",
        "--cgroup-manager=cgroupfs",
        "--runtime=runc",  # as Docker's; crun takes no machine that has both versions of cgroups
        *("system", "service", "--time=0", f"unix://{socket}"),
    ]
    log = folder / "podman.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,  # where conmon leaves a file for each container that ran out of memory
            env={**os.environ, "TMPDIR": str(temporary)},
            start_new_session=True,
        )
    try:
        assert eventually(lambda: process.poll() is not None or answers(socket), START_S), f"no answer:\n{log.read_text()}"
        assert process.poll() is None, f"Podman's service ended at its start:\n{log.read_text()}"
        yield f"unix://{socket}"
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for number in processes(folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        assert eventually(lambda: not processes(folder), STOP_S), f"processes of {folder} are left: {processes(folder)}"


def answers(socket: Path) -> bool:
    """Whether a server answers at a socket."""
    if not socket.exists():
        return False
    try:
        with contextlib.closing(connect(f"unix://{socket}")) as client:
            return bool(client.ping())
    except (DockerException, requests.RequestException):
        return False


def processes(folder: Path) -> list[int]:
    """The processes that have the folder in their arguments: Podman's, its conmons'."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"{folder}/".encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found
