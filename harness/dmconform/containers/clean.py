"""Removes what runs leave for the next one: the cache with hosts, modules and the private engine's images."""

from __future__ import annotations

import shutil
from pathlib import Path

from dmconform.containers.engine import remove_private_data, running_server
from dmconform.containers.labels import remove_everything
from dmconform.core.progress import say


def clean(cache: Path) -> None:
    """Removes what the tool has made on this machine."""
    client = running_server()
    if client is not None:
        say("removing this tool's images and containers from the Docker server")
        remove_everything(client)
    remove_private_data(cache)
    if cache.exists():
        say("removing the cache")
        shutil.rmtree(cache)
