"""Podman's socket does in place of Docker's: from the base image to a module, and to the removal of everything."""

from __future__ import annotations

import io
import re
import sys
import tarfile
from pathlib import Path

import pytest
from dmconform.containers import labels
from dmconform.containers.engine import connect, tidied
from dmconform.core import paths
from dmconform.core.process import run_program
from dmconform.hosts.catalogue import load_hosts
from dmconform.hosts.obtain import from_image

from tests.containers.conftest import Server
from tests.containers.podman import podman_server
from tests.hosts.project import Project

pytestmark = pytest.mark.engine

SDK = "cpp@1.39:reference"
UNUSED = re.compile(r"^(clang-tidy|libclang1|libabsl|rustc|libstd-rust|cargo|rust)-.*\n", re.MULTILINE)
"""Packages of the toolchain that this SDK does without: leaving them out saves half of the time."""
BUILD_S = 500.0


def test_probes_are_built_with_podman(podman: Server, tmp_path: Path) -> None:
    project = Project.copy(tmp_path / "project")
    lock = project.folder / "sdks" / "toolchain" / "packages.lock"
    lock.write_text(UNUSED.sub("", lock.read_text()))
    (project.folder / "sdks" / "toolchain" / "warm-go").write_text("#!/bin/sh\n")

    done = run_program(
        [sys.executable, "-m", "dmconform", "build", "--sdk", SDK],
        timeout_s=BUILD_S,
        env={
            "DOCKER_HOST": podman.address,
            "DMCONFORM_CACHE": str(tmp_path / "cache"),
            "PYTHONPATH": str(project.folder / "harness"),
        },
        cwd=project.folder,
    )

    assert done.exit_code == 0, done.output
    assert "using the Docker server that is running" in done.output
    assert "STEP 1/" in done.output, "expected the steps of the image's building to be shown"
    (probe,) = (tmp_path / "cache" / "modules").glob("*/libprobe.so")
    assert str(probe) in done.output
    assert probe.read_bytes().startswith(b"\x7fELF")
    assert podman.client.containers.list(all=True) == []
    assert podman.client.volumes.list() == []
    assert {image.labels.get(labels.KIND) for image in podman.client.images.list()} == {"base", "toolchain"}


def test_a_host_comes_out_of_an_image_in_podman(podman: Server, tmp_path: Path) -> None:
    program = b"#!/bin/sh\necho 'envoy  version: 0123abc/1.41.0-dev/Clean/RELEASE/BoringSSL'\n"
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as files:
        info = tarfile.TarInfo("usr/local/bin/envoy")
        info.size, info.mode = len(program), 0o755
        files.addfile(info, io.BytesIO(program))
    name = "dmconform-test:1"
    podman.client.api.import_image_from_data(archive.getvalue(), repository=name)
    try:
        host = from_image(podman.client, name, load_hosts(paths.HOSTS_FILE), tmp_path)
        assert Path(host.binary).read_bytes() == program
        assert podman.client.containers.list(all=True) == []
    finally:
        podman.client.images.remove(name)


def test_everything_is_removed_from_podman() -> None:
    """As from Docker: what is somebody else's stays."""
    with podman_server() as address, tidied(connect(address)) as own:
        own.api.import_image_from_data(bytes(1024), repository="somebody-elses:1")
        own.api.import_image_from_data(bytes(1024), repository=f"{labels.BASE_REPOSITORY}:1")
        toolchain = f"{labels.TOOLCHAIN_REPOSITORY}:1"
        own.api.import_image_from_data(bytes(1024), repository=toolchain, changes=[f"LABEL {labels.KIND}=toolchain"])
        own.containers.create("somebody-elses:1", ["true"], labels=labels.for_container("job"))

        assert labels.remove_everything(own) == 3

        assert [tag.rpartition("/")[2] for image in own.images.list() for tag in image.tags] == ["somebody-elses:1"]
        assert own.containers.list(all=True) == []
