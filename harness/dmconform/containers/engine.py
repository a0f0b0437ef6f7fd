"""A Docker server to build in: the one that answers, else a private one for as long as it is needed.

`keeper.py` describes how runs share the private server, and how it is stopped in every case.

HTTP with the server is left to the `docker` package, which uses `requests` and lets its errors through.
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
def engine(cache: Path, progress: Progress) -> Iterator[docker.DockerClient]:
    """Gives a client of a Docker server.

    A server that answers (where `DOCKER_HOST` says, else at the usual place) is used as it is. Only where there is
    none, a private one is started with its data in `cache`; the last run that uses it stops it.

    Raises:
        HarnessError: there is no server and none can be started, or `DOCKER_HOST` names one that does not answer.
    """
    client = running_server()
    if client is not None:
        progress("using the Docker server that is running")
        with tidied(client):
            yield client
        return
    with private_server(cache / "engine", progress) as socket, tidied(connect(f"unix://{socket}")) as client:
        yield client


@contextlib.contextmanager
def tidied(client: docker.DockerClient) -> Iterator[docker.DockerClient]:
    """Removes at the end what containers this run may have left, and closes the client.

    A job removes its own container; this is for jobs in other threads when the run is interrupted.
    """
    try:
        yield client
    finally:
        with contextlib.suppress(DockerException, requests.RequestException):
            labels.remove_containers(client, f"{labels.RUN}={labels.RUN_ID}")
        client.close()


def running_server() -> docker.DockerClient | None:
    """A client of the server that the environment leads to; None if there is none.

    Raises:
        HarnessError: the user named a server that does not answer. To start another one instead would surprise.
    """
    named = os.environ.get("DOCKER_HOST")
    if named and named.startswith("ssh://"):
        raise HarnessError(
            f"DOCKER_HOST is {named}, which this tool does not speak. Forward the server's socket: ssh -N -L "
            f"/tmp/docker.sock:/var/run/docker.sock {named}; and set DOCKER_HOST=unix:///tmp/docker.sock."
        )
    try:
        probe = docker.from_env(timeout=ENGINE_ANSWER_S)
        with contextlib.closing(probe):
            probe.ping()
    except (DockerException, requests.RequestException) as error:
        if named:
            raise HarnessError(
                f"DOCKER_HOST is {named}, but no Docker server answers there ({error}). "
                "Start it, or unset DOCKER_HOST to have a private server started."
            ) from error
        return None
    return docker.from_env(timeout=ENGINE_REQUEST_S)


def connect(address: str) -> docker.DockerClient:
    """A client of the server at an address."""
    return docker.DockerClient(base_url=address, timeout=ENGINE_REQUEST_S)


@contextlib.contextmanager
def private_server(folder: Path, progress: Progress) -> Iterator[Path]:
    """Gives the socket of a private server, started if it does not run, and stops it if this was its last user."""
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
                with contextlib.closing(connect(f"unix://{socket}")) as client, labels.docker_errors("remove old containers"):
                    labels.remove_containers(client, labels.KIND)  # of runs that were killed: nobody else uses it yet
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
        # In a session of its own: Ctrl-C is for the run, which then has the keeper stop the server.
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/")


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


def remove_engine_data(cache: Path) -> None:
    """Deletes everything that private servers keep in the cache, which belongs to root.

    Raises:
        HarnessError: a run is using it, or there is no right to delete it.
    """
    folder = cache / "engine"
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
        )
    if done.returncode != 0:
        raise HarnessError(f"could not delete {folder}: {done.stderr.strip()}")


def log_tails(folder: Path) -> str:
    """The ends of the logs, for an error message."""
    parts = []
    for name in ("keeper.log", keeper.SERVER_LOG):
        with contextlib.suppress(OSError):
            lines = (folder / name).read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
            if lines:
                parts.append(f"The end of {folder / name}:\n" + "\n".join(lines))
    return "\n".join(parts) or f"Its logs in {folder} are empty."
