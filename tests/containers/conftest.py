"""A private Docker server, Podman in its place, and a small image for the tests of this folder.

They are kept in one cache for the whole session; `DMCONFORM_TEST_CACHE` names one that is kept for longer.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest
from dmconform.containers import labels
from dmconform.containers.bootstrap import base_image
from dmconform.containers.bootstrap.base_image import BaseImage, load_definition, obtain_base
from dmconform.containers.bootstrap.server import private_server
from dmconform.containers.engine import connect, tidied

from tests.containers.machine import socket_address
from tests.containers.podman import podman_server

TOOLCHAIN = Path(__file__).parents[2] / "sdks" / "toolchain"


@dataclass(frozen=True)
class Server:
    """A server that speaks Docker's API, with a client of it and an image for jobs."""

    name: str
    address: str
    client: docker.DockerClient
    image: str


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of the session."""
    named = os.environ.get("DMCONFORM_TEST_CACHE")
    if named:
        return Path(named)
    base = tmp_path_factory.getbasetemp()
    return (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "cache"


@pytest.fixture(scope="session")
def client(cache: Path) -> Iterator[docker.DockerClient]:
    """A client of a private server, so that nothing here touches a server of the machine."""
    with private_server(cache / "engine", print) as socket, tidied(connect(f"unix://{socket}")) as client:
        yield client


@pytest.fixture(scope="session")
def base(client: docker.DockerClient, cache: Path) -> BaseImage:
    """A small Debian."""
    return obtain_base(client, load_definition(TOOLCHAIN), cache, print)


@pytest.fixture(scope="session")
def image(base: BaseImage) -> str:
    """An image for jobs; it has a shell and Perl."""
    return base.image_id


@pytest.fixture(scope="session")
def podman(client: docker.DockerClient, image: str, cache: Path) -> Iterator[Server]:
    """Debian's Podman, into which the small Debian was imported as one that was made on the spot."""
    with podman_server() as address, tidied(connect(address)) as its:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(base_image, "minimal_debian", lambda *_: exported(client, image, cache))  # saves a minute
            made = base_image.make(its, load_definition(TOOLCHAIN), cache, print)
        yield Server("Podman", address, its, made.image_id)


@contextlib.contextmanager
def exported(client: docker.DockerClient, image: str, folder: Path) -> Iterator[Path]:
    """The files of an image as an archive."""
    container = client.containers.create(image, ["true"], labels=labels.for_container("reader"))
    try:
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".tar") as archive:
            for block in client.api.export(str(container.id)):
                archive.write(block)
            archive.flush()
            yield Path(archive.name)
    finally:
        container.remove(v=True)


@pytest.fixture(scope="module", params=["Docker", "Podman"])
def docker_api(request: pytest.FixtureRequest) -> Server:
    """Each server in turn."""
    if request.param == "Podman":
        found: Server = request.getfixturevalue("podman")
        return found
    client: docker.DockerClient = request.getfixturevalue("client")
    return Server("Docker", socket_address(client), client, request.getfixturevalue("image"))
