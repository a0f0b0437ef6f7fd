"""Runs that share a cache share the work: the same modules are built once. And the server may be on another machine."""

from __future__ import annotations

import contextlib
import os
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
import pytest
from dmconform.containers.toolchain import obtain_toolchain
from dmconform.core import paths
from dmconform.core.process import run_program
from dmconform.sdks.builder import Builder, Built, Toolchain
from dmconform.sdks.catalogue import load_sdks
from dmconform.sdks.sources import DEFAULT_SOURCE, SourceRepository

from tests.checkout import ROOT
from tests.containers.machine import socket_address
from tests.hosts.project import NEEDED

pytestmark = pytest.mark.engine


def test_two_runs_at_once_build_once(client: docker.DockerClient, cache: Path, tmp_path: Path) -> None:
    toolchain = Toolchain(client, obtain_toolchain(client, paths.TOOLCHAIN, cache, print))
    sdk = next(one for one in load_sdks(paths.SDKS) if str(one.id) == "cpp@1.39:reference")

    def run() -> Built:
        repository = SourceRepository(DEFAULT_SOURCE, tmp_path, print)
        builder = Builder(tmp_path, paths.ABI, paths.TOOLCHAIN, repository, lambda: toolchain, print)
        (built,) = builder.build_all((sdk,))
        assert isinstance(built, Built), built
        return built

    with ThreadPoolExecutor(2) as pool:
        one, other = (future.result() for future in [pool.submit(run), pool.submit(run)])
    assert sorted((one.fresh, other.fresh)) == [False, True]
    assert one.stored == other.stored


@contextlib.contextmanager
def over_tcp(socket_path: str) -> Iterator[str]:
    """An address of the server on this machine's loopback, as one on another machine would have."""

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as server:
                server.connect(socket_path)
                back = threading.Thread(target=copy_all, args=(server, self.request), daemon=True)
                back.start()
                copy_all(self.request, server)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay) as relay:
        relay.daemon_threads = True
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        yield f"tcp://127.0.0.1:{relay.server_address[1]}"
        relay.shutdown()


def copy_all(source: socket.socket, target: socket.socket) -> None:
    """Hands on what one side sends, and its end."""
    with contextlib.suppress(OSError):
        while block := source.recv(1 << 16):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)


ELSEWHERE = """
set -e
mount -t tmpfs none "$PLACE"
mkdir "$PLACE/project" "$TMPDIR"
cp -r $NEEDED "$PLACE/project"
cd "$PLACE/project"
exec "$PYTHON" -m dmconform build --sdk cpp@1.39:reference
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="a mount that the server does not see takes root")
def test_a_server_elsewhere_builds_without_a_file_of_this_machine(
    client: docker.DockerClient, cache: Path, tmp_path: Path
) -> None:
    """DOCKER_HOST is an address, and whatever the client has is on a disk that the server does not see."""
    obtain_toolchain(client, paths.TOOLCHAIN, cache, print)
    place = tmp_path / "elsewhere"
    place.mkdir()
    needed = [str(ROOT / name) for name in NEEDED]
    assert not any(" " in name for name in needed)
    before = {container.id for container in client.containers.list(all=True)}
    with over_tcp(socket_address(client).removeprefix("unix://")) as address:
        done = run_program(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", ELSEWHERE],
            timeout_s=300.0,
            env={
                "DOCKER_HOST": address,
                "DMCONFORM_CACHE": f"{place}/cache",
                "TMPDIR": f"{place}/tmp",
                "PYTHONPATH": f"{place}/project/harness",
                "PLACE": str(place),
                "NEEDED": " ".join(needed),
                "PYTHON": sys.executable,
            },
        )
    assert done.exit_code == 0, done.output
    assert "using the Docker server that is running" in done.output
    assert f"{place}/cache/modules/" in done.output
    assert list(place.iterdir()) == [], "expected nothing of it where the server could see it"
    assert {container.id for container in client.containers.list(all=True)} == before
