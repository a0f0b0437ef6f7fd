"""The Envoys that the ABI data was measured on."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.abi.loading import load_every_abi
from dmconform.core import paths
from dmconform.hosts.catalogue import load_hosts
from dmconform.hosts.selection import select_hosts
from dmconform.matrix.prepare import fetch_hosts, lazy_engine


@pytest.fixture(scope="package")
def binaries() -> dict[str, Path]:
    """The Envoy that each minor was measured on."""
    cache = paths.cache_folder()
    releases = {minor: abi.measured_on for minor, abi in load_every_abi().items()}
    known = load_hosts(paths.HOSTS_FILE)
    with lazy_engine(cache) as engine:
        hosts = fetch_hosts(select_hosts(tuple(releases.values()), known), known, engine, cache)
    assert not [host.problem for host in hosts if host.problem]
    by_release = {host.host.id: Path(host.host.binary) for host in hosts}
    return {minor: by_release[release] for minor, release in releases.items()}
