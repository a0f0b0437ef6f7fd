"""The base image comes from a registry where one answers, and is made here where none does."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import msgspec
import pytest
from dmconform.containers import apt_sources, labels
from dmconform.containers.apt_sources import render
from dmconform.containers.bootstrap import base_image, debian
from dmconform.containers.bootstrap.base_image import (
    BaseDefinition,
    BaseImage,
    BaseKind,
    RegistryUnavailable,
    load_definition,
    obtain_base,
    pull,
)
from dmconform.core.errors import DataFileError, HarnessError
from dmconform.core.process import run_ok

from tests.containers.conftest import TOOLCHAIN
from tests.containers.machine import eventually

pytestmark = pytest.mark.engine


@dataclass(frozen=True)
class Registry:
    """A registry on this machine's loopback, which has the base image."""

    address: str
    definition: BaseDefinition


def unpack_registry(folder: Path) -> Path:
    """Gets the registry's program out of Debian's package, without installing it."""
    sources = folder / "debian.sources"
    sources.write_bytes(render(debian.release_sources("bookworm")))
    (package,) = debian.download(folder, sources, ["docker-registry"])
    run_ok(["dpkg-deb", "--extract", str(package), str(folder / "tool")], 60, "unpack the registry")
    return folder / "tool" / "usr" / "bin" / "docker-registry"


@pytest.fixture(scope="module")
def registry(client: docker.DockerClient, base: BaseImage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """The registry, filled with the base image."""
    folder = tmp_path_factory.mktemp("registry")
    program = unpack_registry(folder)
    settings = folder / "config.yml"
    settings.write_text(
        "version: 0.1\n"
        "log: {level: info}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder / 'data'}}}}}\n"
        "http: {addr: '127.0.0.1:0'}\n"
    )
    log = folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen([program, "serve", settings], stdout=file, stderr=file)
    try:
        assert eventually(lambda: re.search(r"listening on (127\.0\.0\.1:\d+)", log.read_text())), log.read_text()
        found = re.search(r"listening on (127\.0\.0\.1:\d+)", log.read_text())
        assert found is not None
        yield filled(client, base, found[1])
    finally:
        process.kill()
        process.wait()


def filled(client: docker.DockerClient, base: BaseImage, address: str) -> Registry:
    """Pushes an image like the base to a registry."""
    repository = f"{address}/debian"
    container = client.containers.create(base.image_id, ["true"])
    pushed = container.commit(repository=repository, tag="dated", changes="LABEL from=registry")
    container.remove()
    answer = client.images.push(repository, tag="dated", stream=True, decode=True)
    digests = [step["aux"]["Digest"] for step in answer if "aux" in step]
    client.images.remove(str(pushed.id), force=True)
    definition = msgspec.structs.replace(load_definition(TOOLCHAIN), image=f"{repository}:dated", digest=digests[0])
    return Registry(address, definition)


def remove(client: docker.DockerClient, image: BaseImage) -> None:
    """Removes a pulled image."""
    client.images.remove(image.image_id, force=True)


def test_the_definition_of_the_project_is_pinned_by_digest() -> None:
    definition = load_definition(TOOLCHAIN)
    assert definition.digest is not None
    assert definition.reference == f"debian@{definition.digest}"


def test_an_unknown_key_in_the_definition_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text((TOOLCHAIN / "base.toml").read_text() + "colour = 1\n")
    with pytest.raises(DataFileError, match="colour"):
        load_definition(tmp_path)


def test_the_image_is_pulled_where_a_registry_answers(
    client: docker.DockerClient, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_image, "minimal_debian", lambda *_: pytest.fail("made an image"))
    pulled = obtain_base(client, registry.definition, tmp_path, print)
    try:
        assert pulled.kind is BaseKind.REGISTRY
        assert client.images.get(pulled.image_id).labels["from"] == "registry"
        printed: list[str] = []
        assert obtain_base(client, registry.definition, tmp_path, printed.append) == pulled
        assert printed == [], "what is there is used without asking the registry"
    finally:
        remove(client, pulled)


def test_without_a_digest_the_tag_is_pulled(client: docker.DockerClient, registry: Registry) -> None:
    pulled = pull(client, msgspec.structs.replace(registry.definition, digest=None))
    remove(client, pulled)
    assert pulled.kind is BaseKind.REGISTRY


def test_another_content_than_the_digest_is_not_taken(client: docker.DockerClient, registry: Registry) -> None:
    with pytest.raises(RegistryUnavailable):
        pull(client, msgspec.structs.replace(registry.definition, digest="sha256:" + "0" * 64))


def test_a_registry_that_accepts_and_says_nothing_is_given_up(
    client: docker.DockerClient, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_image, "REGISTRY_S", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        image = f"127.0.0.1:{silent.getsockname()[1]}/debian:dated"
        with pytest.raises(RegistryUnavailable, match="no answer for 2 s"):
            pull(client, msgspec.structs.replace(registry.definition, image=image))


def test_the_image_is_made_where_no_registry_answers(client: docker.DockerClient, cache: Path) -> None:
    """With the whole of Perl taken from its packages, as on a machine that has only its base."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]  # closed again: nobody answers there
    definition = msgspec.structs.replace(load_definition(TOOLCHAIN), image=f"127.0.0.1:{port}/debian:dated", include=())
    printed: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        whole = debian.perl_is_whole
        patch.setattr(debian, "perl_is_whole", lambda perl: perl != ["perl"] and whole(perl))
        made = obtain_base(client, definition, cache, printed.append)
    try:
        assert made.kind is BaseKind.MMDEBSTRAP
        assert any("could not pull" in line and "refused" in line for line in printed), printed
        assert client.images.get(made.image_id).labels[labels.KIND] == "base"
        release = client.containers.run(made.image_id, ["cat", "/etc/os-release"], remove=True, network_mode="none")
        assert b"VERSION_CODENAME=bookworm" in release
    finally:
        remove(client, made)
    assert not list(cache.glob("debian-*")), "its temporary folder is still there"


def test_without_sources_of_debian_the_message_says_what_to_do(
    client: docker.DockerClient, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apt_sources, "machine_sources", lambda _: ())
    with pytest.raises(HarnessError, match=r"apt has sources of Debian bookworm\. Make the registry reachable"):
        base_image.make(client, registry.definition, tmp_path, print)


def test_mmdebstrap_is_not_taken_from_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = tmp_path / "debian.sources"
    sources.write_bytes(render(debian.release_sources("bookworm")))
    monkeypatch.setattr(shutil, "which", lambda name, **_: None if name == debian.TOOL else f"/usr/bin/{name}")
    command = debian.fetch_mmdebstrap(tmp_path, sources)
    assert Path(command[-1]).is_relative_to(tmp_path)
    run_ok([*command, "--version"], 30, "run mmdebstrap")
