"""Brings images of hosts up to date: the tag of a newest Envoy names another one each night."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dmconform.core.progress import say
from dmconform.matrix.prepare import lazy_engine

_PREFIX = "image:"


def renew_images(hosts: Sequence[str], cache: Path) -> None:
    """Pulls every `image:REF` among the hosts of a selection; where that fails, an image that is here is used as it is."""
    import docker.errors  # slow to import; most nights need no engine here

    images = [spec.removeprefix(_PREFIX) for spec in hosts if spec.startswith(_PREFIX)]
    if not images:
        return
    with lazy_engine(cache) as engine:
        for reference in images:
            try:
                engine.client().images.pull(reference)
            except docker.errors.DockerException as error:
                say(f"image:{reference}: cannot be pulled, what is here is used: {error}")
