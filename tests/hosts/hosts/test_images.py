"""`image:REF`: the Envoy in a container image, which is never started."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import docker
import pytest
from dmconform.containers.engine import engine
from dmconform.core import paths
from dmconform.core.errors import UsageError
from dmconform.core.values import Outcome
from dmconform.hosts.catalogue import load_hosts
from dmconform.hosts.obtain import from_image
from dmconform.matrix.cell import Cell, listener
from dmconform.matrix.plan import Plan, PlannedHost
from dmconform.release.nightly.renew import renew_images

from tests.hosts.bench import Bench
from tests.hosts.registry import registry

pytestmark = [pytest.mark.host, pytest.mark.engine]

KNOWN = load_hosts(paths.HOSTS_FILE)


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    """A Docker server."""
    with engine(paths.cache_folder(), lambda _: None) as client:
        yield client


@contextmanager
def image(client: docker.DockerClient, folder: Path, files: dict[str, Path | bytes]) -> Iterator[str]:
    """An image with these files and nothing else."""
    packed = folder / "image.tar"
    with tarfile.open(packed, "w") as archive:
        for name, content in files.items():
            if isinstance(content, Path):
                archive.add(content, name)
            else:
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(content), 0o755
                archive.addfile(info, io.BytesIO(content))
    reference = f"dmconform-test:{uuid4().hex[:12]}"
    repository, _, tag = reference.partition(":")
    client.api.import_image_from_file(str(packed), repository=repository, tag=tag)
    packed.unlink()
    try:
        yield reference
    finally:
        left = client.containers.list(all=True, filters={"ancestor": reference})
        client.images.remove(reference, force=True)
        assert not left, f"expected no container to be left: {left}"


@pytest.mark.parametrize("place", ["usr/local/bin/envoy", "usr/bin/envoy"])
def test_the_envoy_of_an_image_is_found_and_works(
    client: docker.DockerClient, bench: Bench, everything: Plan, tmp_path: Path, place: str
) -> None:
    original = everything.hosts[0]
    with image(client, tmp_path, {place: Path(original.host.binary)}) as reference:
        found = from_image(client, reference, KNOWN, tmp_path / "cache")
        again = from_image(client, reference, KNOWN, tmp_path / "cache")
    assert found == again
    assert (found.id, found.sha256, found.origin) == (original.host.id, original.host.sha256, f"image {reference}")
    assert Path(found.binary).is_relative_to(tmp_path / "cache")
    assert list((tmp_path / "cache" / "hosts").iterdir()) == [Path(found.binary)]

    def serves(cell: Cell) -> None:
        with cell.start(listener("identity")) as envoy:
            assert envoy.request("/direct").status == 200
            assert str(Path(f"/proc/{envoy.pid}/exe").readlink()) == found.binary

    planned = PlannedHost(found, original.abi_version, original.abi_check)
    assert bench.with_plan(hosts=(planned,)).run(serves).outcome is Outcome.PASS
    Path(found.binary).unlink()


def test_an_image_without_an_envoy(client: docker.DockerClient, tmp_path: Path) -> None:
    with (
        image(client, tmp_path, {"etc/motd": b"hello"}) as reference,
        pytest.raises(UsageError, match=f"image:{reference}: no Envoy in it; looked for /usr/local/bin/envoy"),
    ):
        from_image(client, reference, KNOWN, tmp_path / "cache")


def test_an_image_whose_envoy_is_something_else(client: docker.DockerClient, tmp_path: Path) -> None:
    with (
        image(client, tmp_path, {"usr/local/bin/envoy": b"#!/bin/sh\necho hello\n"}) as reference,
        pytest.raises(UsageError, match=r"not an Envoy executable: expected --version to print .* observed: hello"),
    ):
        from_image(client, reference, KNOWN, tmp_path / "cache")


def test_an_image_whose_envoy_is_a_folder(client: docker.DockerClient, tmp_path: Path) -> None:
    with (
        image(client, tmp_path, {"envoy/README": b"hello"}) as reference,
        pytest.raises(UsageError, match="not an Envoy executable"),
    ):
        from_image(client, reference, KNOWN, tmp_path / "cache")


def test_an_image_that_does_not_exist(client: docker.DockerClient, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="image:localhost:1/absent:1: no such image here, and it cannot be pulled"):
        from_image(client, "localhost:1/absent:1", KNOWN, tmp_path)


@pytest.mark.parametrize("reference", ["UPPER CASE", "a@b@c", ":::"])
def test_a_reference_that_is_none(client: docker.DockerClient, tmp_path: Path, reference: str) -> None:
    with pytest.raises(UsageError, match="image:"):
        from_image(client, reference, KNOWN, tmp_path)


def test_a_night_takes_what_the_tag_means_tonight(
    client: docker.DockerClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    programs = [f"#!/bin/sh\necho 'envoy  version: 0123abc/1.41.0-dev/Clean/{night}/BoringSSL'\n".encode() for night in "AB"]

    def found() -> bytes:
        return Path(from_image(client, made.reference, KNOWN, tmp_path).binary).read_bytes()

    images: list[str] = []
    try:
        with registry() as made:
            made.publish("usr/local/bin/envoy", programs[0])
            assert found() == programs[0]
            images.append(str(client.images.get(made.reference).id))
            made.publish("usr/local/bin/envoy", programs[1])
            assert found() == programs[0], "what a server has is not pulled again by itself"
            renew_images(["1.39", f"image:{made.reference}"], paths.cache_folder())
            assert found() == programs[1]
            images.append(str(client.images.get(made.reference).id))
            assert "cannot be pulled" not in capsys.readouterr().err
        renew_images([f"image:{made.reference}"], paths.cache_folder())
        assert f"image:{made.reference}: cannot be pulled, what is here is used" in capsys.readouterr().err
        assert found() == programs[1]
    finally:
        for one in images:
            client.images.remove(one, force=True)
