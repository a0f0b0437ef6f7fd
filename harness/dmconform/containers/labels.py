"""The labels on everything that this tool creates in a Docker server, and the removal of what carries them."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator

import docker
import requests
from docker.errors import APIError, DockerException, NotFound

from dmconform.core.errors import HarnessError

KIND = "dmconform.kind"
"""On every image and container: what it is (`base`, `toolchain`, `job`, `reader`)."""
RUN = "dmconform.run"
"""On every container: which run created it."""
RUN_ID = f"{os.getpid()}-{secrets.token_hex(4)}"
BASE_REPOSITORY = "dmconform-base"
TOOLCHAIN_REPOSITORY = "dmconform-toolchain"


def for_container(kind: str) -> dict[str, str]:
    """Returns the labels of a container."""
    return {KIND: kind, RUN: RUN_ID}


def remove_containers(client: docker.DockerClient, label: str) -> int:
    """Removes the containers with a label (`NAME` or `NAME=VALUE`) and their volumes; returns how many there were."""
    count = 0
    for container in client.api.containers(all=True, filters={"label": label}):
        with contextlib.suppress(NotFound):
            client.api.remove_container(container["Id"], v=True, force=True)
        count += 1
    return count


def remove_everything(client: docker.DockerClient) -> int:
    """Removes all containers and images of this tool; returns how many there were.

    A base image that was pulled has no label of ours, but a name that it has only if this tool pulled it.
    """
    with docker_errors("remove the containers and images of this tool"):
        count = remove_containers(client, KIND)
        images = {image["Id"]: None for image in client.api.images(all=False, filters={"label": KIND})}
        for repository in (TOOLCHAIN_REPOSITORY, BASE_REPOSITORY):
            images |= {image["Id"]: None for image in client.api.images(name=repository)}
        for image in images:
            with contextlib.suppress(NotFound):
                client.api.remove_image(image, force=True)
        return count + len(images)


@contextlib.contextmanager
def docker_errors(doing: str) -> Iterator[None]:
    """Turns the errors of the Docker client into ones for users.

    Raises:
        HarnessError: the server refused or did not answer; the message says what was to be done.
    """
    try:
        yield
    except APIError as error:
        raise HarnessError(f"The Docker server could not {doing}: {error.explanation or error}") from error
    except (DockerException, requests.RequestException) as error:
        raise HarnessError(f"The Docker server does not answer any more; it was to {doing}: {error}") from error
