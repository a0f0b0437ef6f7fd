"""A Docker server to build in: the one that answers, else a private one for as long as it is needed.

Any server that speaks Docker's API serves, such as Podman's. How a private one comes about is `bootstrap`'s business.

HTTP with the server is left to the `docker` package, which uses `requests` and lets its errors through.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import requests
from docker.errors import DockerException

from dmconform.containers import labels
from dmconform.containers.bootstrap import server
from dmconform.core.errors import HarnessError
from dmconform.core.timeouts import ENGINE_ANSWER_S, ENGINE_REQUEST_S

Progress = Callable[[str], None]


@contextlib.contextmanager
def engine(cache: Path, progress: Progress) -> Iterator[docker.DockerClient]:
    """Yields a client of a Docker server.

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
    with server.private_server(private_folder(cache), progress) as socket, tidied(connect(f"unix://{socket}")) as client:
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
    """Returns a client of the server that the environment leads to; None if there is none.

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
    """Returns a client of the server at an address."""
    return docker.DockerClient(base_url=address, timeout=ENGINE_REQUEST_S)


def remove_private_data(cache: Path) -> None:
    """Deletes everything that private servers keep in the cache, which belongs to root.

    Raises:
        HarnessError: a run is using it, or there is no right to delete it.
    """
    server.remove_data(private_folder(cache))


def private_folder(cache: Path) -> Path:
    """Returns where a private server of this cache keeps its data."""
    return cache / "engine"
