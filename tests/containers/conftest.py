"""A private Docker server and a small image for the tests of this folder.

They are kept in one cache for the whole session; `DMCONFORM_TEST_CACHE` names one that is kept for longer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from dmconform.containers.bootstrap.base_image import BaseImage, load_definition, obtain_base
from dmconform.containers.bootstrap.server import private_server
from dmconform.containers.engine import connect, tidied

TOOLCHAIN = Path(__file__).parents[2] / "sdks" / "toolchain"


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
