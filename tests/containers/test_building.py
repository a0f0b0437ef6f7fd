"""Runs that share a cache share the work: the same modules are built once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
import pytest

from harness import paths
from harness.build.builder import Builder, Built, Toolchain
from harness.build.upstream import DEFAULT_UPSTREAM, UpstreamRepository
from harness.containers.toolchain import obtain_toolchain
from harness.sdks.catalogue import load_sdks

pytestmark = pytest.mark.engine


def test_two_runs_at_once_build_once(client: docker.DockerClient, cache: Path, tmp_path: Path) -> None:
    toolchain = Toolchain(client, obtain_toolchain(client, paths.TOOLCHAIN, cache, print))
    sdk = next(one for one in load_sdks(paths.SDKS) if str(one.id) == "cpp@1.39:reference")

    def run() -> Built:
        repository = UpstreamRepository(DEFAULT_UPSTREAM, tmp_path, print)
        builder = Builder(tmp_path, paths.ABI, paths.TOOLCHAIN, repository, lambda: toolchain, print)
        (built,) = builder.build_all((sdk,))
        assert isinstance(built, Built), built
        return built

    with ThreadPoolExecutor(2) as pool:
        one, other = (future.result() for future in [pool.submit(run), pool.submit(run)])
    assert sorted((one.fresh, other.fresh)) == [False, True]
    assert one.stored == other.stored
