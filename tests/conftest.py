"""What tests of several folders need: real Envoys and built probes, had through the harness's own API."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from tests.built import build_everything

if TYPE_CHECKING:
    from dmconform.matrix.plan import Plan


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A plan with the probes of every language on one host; what the cache lacks is downloaded and built.

    Its cells are all cells of that selection.
    """
    folder = tmp_path_factory.mktemp("plan")
    # Workers of one session wait for the first, so that nothing is built twice.
    with FileLock(_common_folder(tmp_path_factory) / "prepare.lock"):
        return build_everything(folder)


@pytest.fixture(scope="session")
def probes_on(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Plan]:
    """Makes a plan with the probes of a host's own minor, in these languages, on that host."""

    @functools.cache
    def plan(host: str, *languages: str) -> Plan:
        folder = tmp_path_factory.mktemp("plan")
        minor = host.rpartition(".")[0]
        with FileLock(_common_folder(tmp_path_factory) / "prepare.lock"):
            return build_everything(folder, host, tuple(f"{language}@{minor}:reference" for language in languages))

    return plan


@pytest.fixture(scope="session")
def upstream_port() -> Iterator[int]:
    """The port of a server behind the Envoys."""
    from dmconform.envoy.upstream import upstream_server

    with upstream_server() as port:
        yield port


def _common_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the workers of one session share with nobody else."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
