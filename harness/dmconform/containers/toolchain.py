"""The image with all compilers, built from `sdks/toolchain` in the Docker server that is in use."""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import docker
import msgspec
from docker.errors import ImageNotFound

from dmconform.containers import apt_sources, gowheel, labels, outside
from dmconform.containers.bootstrap.base_image import BaseDefinition, BaseKind, load_definition, obtain_base
from dmconform.containers.files import IGNORED, TarTree, disk_full, header
from dmconform.containers.labels import docker_errors
from dmconform.containers.locks import only_one
from dmconform.containers.sandbox import take
from dmconform.core.errors import HarnessError
from dmconform.core.timeouts import TOOLCHAIN_BUILD_S

STEP_PREFIXES = ("Step ", "STEP ")
"""How Docker and Podman begin the line of a step."""
LOG_TAIL_LINES = 40
INSIDE = "opt/toolchain"
FACTS_BYTES = 1 << 20


class ToolchainIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The identity of what the probes are built with."""

    image_id: str
    base_kind: BaseKind
    versions: dict[str, str]
    """The locked packages, and Go: which version is installed."""
    drift: tuple[str, ...]
    """The packages that are not at the locked version, each with both versions."""


def obtain_toolchain(
    client: docker.DockerClient, folder: Path, cache: Path, progress: Callable[[str], None]
) -> ToolchainIdentity:
    """Returns the toolchain image of the definition in a folder, built if the server does not have it.

    Args:
        client: the server that has or builds the image.
        folder: `sdks/toolchain/`, or another one with the same files.
        cache: for downloads, temporary files and the lock.
        progress: called before each step that takes longer, and with the lines of the build.

    Raises:
        HarnessError: it cannot be built; the message has the end of the log.
    """
    definition = load_definition(folder)
    found = find(client, folder)
    if found is None:
        with only_one(cache / "toolchain.lock", TOOLCHAIN_BUILD_S, "building the toolchain image"):
            found = find(client, folder)  # built meanwhile by another run
            if found is None:
                found = build(client, definition, folder, cache, progress)
    return found


def toolchain_key(folder: Path, kind: BaseKind) -> str:
    """Returns the hash that names the image: over its definition and the kind of its base."""
    return hashlib.sha256(f"{definition_tree(folder).digest()} {kind.value}".encode()).hexdigest()[:16]


def definition_tree(folder: Path) -> TarTree:
    """Returns the files that define the image."""
    return TarTree.from_folder(folder, IGNORED | {"README.md"})


def tag(folder: Path, kind: BaseKind) -> str:
    """Returns the image's name in the server."""
    return f"{labels.TOOLCHAIN_REPOSITORY}:{toolchain_key(folder, kind)}"


def find(client: docker.DockerClient, folder: Path) -> ToolchainIdentity | None:
    """Returns the image of this definition that is there already, on either kind of base."""
    for kind in BaseKind:
        with docker_errors("look for the toolchain image"):
            try:
                image = client.images.get(tag(folder, kind))
            except ImageNotFound:
                continue
        return identify(client, str(image.id), kind)
    return None


def build(
    client: docker.DockerClient, definition: BaseDefinition, folder: Path, cache: Path, progress: Callable[[str], None]
) -> ToolchainIdentity:
    """Builds the image.

    Args:
        client: the server that builds the image.
        definition: the base image.
        folder: `sdks/toolchain/`, or another one with the same files.
        cache: for downloads and temporary files.
        progress: called before each step that takes longer, and with the lines of the build.

    Raises:
        HarnessError: it cannot be built; the message has the end of the log.
    """
    wheel = gowheel.obtain_wheel(folder / gowheel.LOCK, cache, progress)
    base = obtain_base(client, definition, cache, progress)
    progress("building the toolchain image; this takes a minute or two, once")
    with disk_full(tempfile.gettempdir()), tempfile.TemporaryFile() as context:
        write_context(context, folder, wheel, definition.release)
        context.seek(0)
        with docker_errors("build the toolchain image"):
            steps = client.api.build(
                fileobj=context,
                custom_context=True,
                tag=tag(folder, base.kind),
                network_mode="host",  # a private server has no other
                rm=True,
                forcerm=True,
                decode=True,
                buildargs={"BASE": base.image_id, **proxies()},
                labels={labels.KIND: "toolchain", "dmconform.base": base.kind.value},
            )
            follow(steps, progress)
    found = find(client, folder)
    if found is None:
        raise HarnessError("the toolchain image was built, and is not there")
    return found


def proxies() -> dict[str, str]:
    """Returns the variables for proxies, which the server knows as arguments of any build and keeps out of the image."""
    return {name: os.environ[name] for name in sorted(outside.PROXIES) if os.environ.get(name)}


def write_context(file: IO[bytes], folder: Path, wheel: Path, release: str) -> None:
    """Writes what the image is built with: the Dockerfile, and one archive with all files that go into the image.

    An archive in the archive, because the server then writes its thousands of files once, and not twice.

    Args:
        file: takes the tar archive.
        folder: `sdks/toolchain/`, or another one with the same files.
        wheel: the wheel that holds Go.
        release: the code name of the base's Debian, whose mirrors the image uses.
    """
    sources = apt_sources.machine_sources(release)
    apt = {"debian.sources": apt_sources.render(sources)} if sources else {}
    if any(source.uri.startswith("https:") for source in sources):
        apt["ca.crt"] = outside.ca_bundle(os.environ)
    with tempfile.TemporaryFile() as root:
        with tarfile.open(fileobj=root, mode="w", format=tarfile.PAX_FORMAT) as archive:
            definition_tree(folder).add_to(archive, INSIDE)
            TarTree.from_files(apt).add_to(archive, f"{INSIDE}/apt")
            gowheel.add_go(archive, wheel, "opt")
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            TarTree.from_files({"Dockerfile": (folder / "Dockerfile").read_bytes()}).add_to(archive, "")
            info = header("root.tar", 0o644)
            info.size = root.seek(0, os.SEEK_END)
            root.seek(0)
            archive.addfile(info, root)


def follow(steps: Iterator[dict[str, str]], progress: Callable[[str], None]) -> None:
    """Follows a build to its end.

    Raises:
        HarnessError: it failed.
    """
    log: deque[str] = deque(maxlen=LOG_TAIL_LINES)
    for step in steps:
        text = step.get("stream", "").rstrip()
        if text:
            log.append(text)
        if text.startswith(STEP_PREFIXES):
            progress(text)
        if "error" in step:
            raise HarnessError(f"The toolchain image could not be built: {step['error']}\n" + "\n".join(log))


def identify(client: docker.DockerClient, image_id: str, kind: BaseKind) -> ToolchainIdentity:
    """Reads the description that the image got when it was built."""
    with docker_errors("read what the toolchain image consists of"):
        container = client.containers.create(image_id, ["true"], labels=labels.for_container("reader"))
        try:
            facts = {name: take(container, f"/{INSIDE}/{name}", FACTS_BYTES) for name in ("versions", "drift")}
        finally:
            container.remove(v=True, force=True)
    lines = {name: next(iter(files.values()), b"").decode().splitlines() for name, files in facts.items()}
    versions = dict(line.split(" ", 1) for line in lines["versions"])
    return ToolchainIdentity(image_id, kind, versions, tuple(lines["drift"]))
