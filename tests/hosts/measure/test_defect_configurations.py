"""A defect's configuration shows it with nothing but a real Envoy, and not on releases that do not have it."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.core import paths
from dmconform.core.process import run_program
from dmconform.hosts.catalogue import load_hosts
from dmconform.hosts.selection import select_hosts
from dmconform.matrix.prepare import fetch_hosts, lazy_engine
from dmconform.spec.defects import Defect, load_defects

pytestmark = pytest.mark.host

SHOWN = [one for one in load_defects(paths.DEFECTS) if one.example.endswith(".yaml")]
ENDS_S = 30.0
SEGMENTATION_FAULT = -11


@pytest.fixture(scope="module")
def envoys() -> dict[str, Path]:
    """The Envoys of all releases that a configuration was tried on, the default ones alone."""
    cache, known = paths.cache_folder(), load_hosts(paths.HOSTS_FILE)
    default = {host.release for host in known if host.default}
    releases = sorted({release for one in SHOWN for release in (*one.releases, *one.clean)} & default)
    with lazy_engine(cache) as engine:
        hosts = fetch_hosts(select_hosts(tuple(releases), known), known, engine, cache)
    assert not [host.problem for host in hosts if host.problem]
    return {host.host.id: Path(host.host.binary) for host in hosts}


@pytest.mark.parametrize("one", SHOWN, ids=lambda one: one.id)
def test_a_start_ends_where_it_was_seen_and_validation_refuses(one: Defect, envoys: dict[str, Path], tmp_path: Path) -> None:
    file = paths.DEFECTS / "configurations" / Path(one.example).name
    for release in {*one.releases, *one.clean} & envoys.keys():
        command: list[str | Path] = [envoys[release], "-c", file, "--concurrency", "1", "--disable-hot-restart"]
        validated = run_program([*command, "--mode", "validate"], timeout_s=ENDS_S, env={}, cwd=tmp_path)
        started = run_program(command, timeout_s=ENDS_S, env={}, cwd=tmp_path)
        assert validated.exit_code == 1, f"{release}: {validated.output}"
        expected = SEGMENTATION_FAULT if release in one.releases else 1
        assert started.exit_code == expected, f"{release}: expected exit code {expected}, saw {started.output}"
