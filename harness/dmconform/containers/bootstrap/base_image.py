"""The image that the toolchain is built on: pulled from a registry, or made by mmdebstrap where none answers."""

from __future__ import annotations

import contextlib
import enum
import hashlib
import queue
import threading
from collections.abc import Callable
from pathlib import Path

import docker
import msgspec
import requests
from docker.errors import DockerException, ImageNotFound

from dmconform.containers import labels
from dmconform.containers.bootstrap.debian import minimal_debian
from dmconform.containers.labels import docker_errors
from dmconform.core.errors import DataFileError
from dmconform.core.timeouts import REGISTRY_S

DEFINITION = "base.toml"
PLATFORM = "linux/amd64"


class BaseKind(enum.Enum):
    """The origin of the base image."""

    REGISTRY = "registry"
    MMDEBSTRAP = "mmdebstrap"


class BaseDefinition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The data in `base.toml`, where each value is explained."""

    release: str
    image: str
    include: tuple[str, ...]
    source_date_epoch: int
    digest: str | None = None

    @property
    def reference(self) -> str:
        """The reference to pull: by its digest where that is known, which the server then verifies."""
        repository = self.image.rpartition(":")[0]
        return f"{repository}@{self.digest}" if self.digest else self.image


class BaseImage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A base image in the Docker server."""

    image_id: str
    kind: BaseKind


class RegistryUnavailable(Exception):
    """An error: the image is not available from its registry; the message gives the reason."""


def load_definition(folder: Path) -> BaseDefinition:
    """Reads `base.toml` of the toolchain's folder.

    Raises:
        DataFileError: it is missing or not of the format.
    """
    path = folder / DEFINITION
    try:
        return msgspec.toml.decode(path.read_bytes(), type=BaseDefinition)
    except (OSError, msgspec.DecodeError) as error:
        raise DataFileError(path, str(error)) from error


def obtain_base(
    client: docker.DockerClient, definition: BaseDefinition, cache: Path, progress: Callable[[str], None]
) -> BaseImage:
    """Returns a base image: one that is there already, else a pulled one, else one made here.

    Args:
        client: the server that gets the image.
        definition: release, packages and digest of the base.
        cache: for temporary files of a base image that is made here.
        progress: called before each step that takes longer.

    Raises:
        HarnessError: no registry gives it, and it cannot be made on this machine.
    """
    with docker_errors("look for the base image"):
        for kind in BaseKind:
            with contextlib.suppress(ImageNotFound):
                return BaseImage(str(client.images.get(tag(definition, kind)).id), kind)
    progress(f"pulling {definition.image}")
    try:
        return pull(client, definition)
    except RegistryUnavailable as reason:
        progress(f"could not pull {definition.image} ({reason}): making it with mmdebstrap")
    return make(client, definition, cache, progress)


def tag(definition: BaseDefinition, kind: BaseKind) -> str:
    """Returns the name of a base image in the server, different for every definition."""
    digest = hashlib.sha256(msgspec.json.encode((definition, kind)))
    return f"{labels.BASE_REPOSITORY}:{digest.hexdigest()[:16]}"


def pull(client: docker.DockerClient, definition: BaseDefinition) -> BaseImage:
    """Pulls the image.

    Raises:
        NoAnswer: no registry answers, or it does not give the image.
    """
    was_there = bool(client.images.list(filters={"reference": definition.reference}))
    steps: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    # In a thread: the client offers no way to give up a server that itself waits for a registry.
    threading.Thread(target=pull_steps, args=(client, definition, steps), daemon=True).start()
    while True:
        try:
            trouble = steps.get(timeout=REGISTRY_S)
        except queue.Empty:
            raise RegistryUnavailable(f"no answer for {REGISTRY_S} s") from None
        if trouble is None:
            break
        if trouble:
            raise RegistryUnavailable(trouble)
    image = client.images.get(definition.reference)
    if not was_there:
        image.tag(tag(definition, BaseKind.REGISTRY))  # marks it as one to remove with ours
    return BaseImage(str(image.id), BaseKind.REGISTRY)


def pull_steps(client: docker.DockerClient, definition: BaseDefinition, steps: queue.SimpleQueue[str | None]) -> None:
    """Pulls, and puts the trouble after each step into `steps`, "" for none; None at the end."""
    try:
        repository, _, image_tag = definition.image.rpartition(":")
        for step in client.api.pull(
            repository, tag=definition.digest or image_tag, stream=True, decode=True, platform=PLATFORM
        ):
            steps.put(step.get("error", ""))
        steps.put(None)
    except (DockerException, requests.RequestException) as error:
        steps.put(str(getattr(error, "explanation", None) or error))


def make(client: docker.DockerClient, definition: BaseDefinition, cache: Path, progress: Callable[[str], None]) -> BaseImage:
    """Makes the image with mmdebstrap, from the Debian mirrors of this machine's own package manager.

    Args:
        client: the server that gets the image.
        definition: release, packages and date of the base.
        cache: for temporary files.
        progress: called before each step that takes longer.

    Raises:
        HarnessError: this machine has no mirrors of the release, or mmdebstrap failed.
    """
    with (
        minimal_debian(definition.release, definition.include, definition.source_date_epoch, cache, progress) as archive,
        docker_errors("import the base image"),
    ):
        name = tag(definition, BaseKind.MMDEBSTRAP)
        # Name and tag in one: Podman's API (4.3) ignores a tag apart.
        client.api.import_image_from_file(str(archive), repository=name, changes=[f"LABEL {labels.KIND}=base"])
        image = client.images.get(name)
    return BaseImage(str(image.id), BaseKind.MMDEBSTRAP)
