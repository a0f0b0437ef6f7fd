"""The private Docker server: started for the first run that needs it, stopped by the last.

`keeper.py` describes how runs share it, and how it is stopped in every case.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import requests
from docker.errors import DockerException

from dmconform.containers import labels
from dmconform.containers.bootstrap import install, keeper
from dmconform.containers.bootstrap.privilege import as_root
from dmconform.containers.locks import is_locked, lock_within, open_lock, unlock
from dmconform.core.errors import HarnessError
from dmconform.core.timeouts import ENGINE_ANSWER_S, ENGINE_INSTALL_S, ENGINE_REQUEST_S, ENGINE_START_S

Progress = Callable[[str], None]

STOP_TIMEOUT_S = keeper.STOP_TIMEOUT_S + keeper.KILL_TIMEOUT_S + 5.0
"""How long the keeper may take to stop the server and to clean up."""
STARTERS_TIMEOUT_S = ENGINE_INSTALL_S + ENGINE_START_S
"""How long to wait for another run which is starting the server, or even installing it."""
POLL_S = 0.05
LOG_TAIL_LINES = 15


@contextlib.contextmanager
def private_server(folder: Path, progress: Progress) -> Iterator[Path]:
    """Yields the socket of a private server, started if it does not run, and stops it if this was its last user."""
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    with (
        open_lock(folder / keeper.USERS_LOCK) as users,
        open_lock(folder / keeper.KEEPER_LOCK) as keeping,
        open_lock(folder / "start.lock") as starting,
    ):
        if not lock_within(users, fcntl.LOCK_SH, STOP_TIMEOUT_S):
            raise HarnessError(f"the Docker server in {folder} is being stopped, and is not done after {STOP_TIMEOUT_S:.0f} s")
        child: subprocess.Popen[bytes] | None = None
        try:
            if not lock_within(starting, fcntl.LOCK_EX, STARTERS_TIMEOUT_S):
                raise HarnessError(f"another run has been starting the Docker server in {folder} for too long")
            if not is_locked(keeping):
                child = start_keeper(folder, progress)
            socket = wait_for_answer(folder, keeping, child)
            if child is not None:
                remove_old_containers(socket)
            unlock(starting)
            yield socket
        finally:
            leave(folder, users, keeping)
            if child is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(0 if is_locked(keeping) else STOP_TIMEOUT_S)


def start_keeper(folder: Path, progress: Progress) -> subprocess.Popen[bytes]:
    """Starts the keeper, as root."""
    prefix = as_root("start a Docker server")
    dockerd = install.find_or_install_dockerd(progress)
    progress("starting a private Docker server")
    (folder / keeper.STOP_REQUEST).unlink(missing_ok=True)
    command = [*prefix, sys.executable, "-I", keeper.__file__, str(folder), dockerd, str(os.getuid()), str(os.getgid())]
    with (folder / "keeper.log").open("wb") as log:
        # In a separate session: Ctrl-C is for the run, which then has the keeper stop the server.
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/")


def remove_old_containers(socket: Path) -> None:
    """Removes the containers of runs that were killed; no other run uses the server yet."""
    client = docker.DockerClient(base_url=f"unix://{socket}", timeout=ENGINE_REQUEST_S)
    with contextlib.closing(client), labels.docker_errors("remove old containers"):
        labels.remove_containers(client, labels.KIND)


def wait_for_answer(folder: Path, keeping: int, child: subprocess.Popen[bytes] | None) -> Path:
    """Waits until the private server answers and returns its socket."""
    deadline = time.monotonic() + ENGINE_START_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError, DockerException, requests.RequestException):
            socket = Path(json.loads((folder / keeper.RECORD).read_bytes())["socket"])
            with contextlib.closing(docker.APIClient(base_url=f"unix://{socket}", timeout=ENGINE_ANSWER_S)) as client:
                client.ping()
            return socket
        ended = child.poll() is not None if child is not None else not is_locked(keeping)
        if ended:
            raise HarnessError(f"the private Docker server ended at its start. {log_tails(folder)}")
        time.sleep(POLL_S)
    raise HarnessError(f"the private Docker server does not answer after {ENGINE_START_S:.0f} s. {log_tails(folder)}")


def leave(folder: Path, users: int, keeping: int) -> None:
    """Ends the use of the private server; the last user has it stopped and waits until it is gone."""
    if lock_within(users, fcntl.LOCK_EX, 0):
        if is_locked(keeping):
            (folder / keeper.STOP_REQUEST).touch()
            if not lock_within(keeping, fcntl.LOCK_SH, STOP_TIMEOUT_S):
                raise HarnessError(
                    f"the private Docker server is not stopped after {STOP_TIMEOUT_S:.0f} s. {log_tails(folder)}"
                )
            unlock(keeping)
    else:
        # Others use it, or it is being stopped at this moment: then wait, so that nothing is left on return.
        lock_within(users, fcntl.LOCK_SH, STOP_TIMEOUT_S)
    unlock(users)


def remove_data(folder: Path) -> None:
    """Deletes the folder of private servers, which belongs to root.

    Raises:
        HarnessError: a run is using it, or there is no right to delete it.
    """
    if not folder.exists():
        return
    with open_lock(folder / keeper.USERS_LOCK) as users:
        if not lock_within(users, fcntl.LOCK_EX, 0):
            raise HarnessError(f"{folder} is in use by another run: try again when that has ended")
        done = subprocess.run(
            [*as_root(f"delete {folder}"), "rm", "-rf", "--one-file-system", "--", str(folder.resolve())],
            check=False,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
    if done.returncode != 0:
        raise HarnessError(f"could not delete {folder}: {done.stderr.strip()}")


def log_tails(folder: Path) -> str:
    """Returns the ends of the logs, for an error message."""
    parts = []
    for name in ("keeper.log", keeper.SERVER_LOG):
        with contextlib.suppress(OSError):
            lines = (folder / name).read_text(errors="replace", encoding="utf-8").splitlines()[-LOG_TAIL_LINES:]
            if lines:
                parts.append(f"The end of {folder / name}:\n" + "\n".join(lines))
    return "\n".join(parts) or f"Its logs in {folder} are empty."
