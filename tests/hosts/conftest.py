"""Benches: real Envoys with real probes, for functions that stand for cases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from dmconform.matrix.plan import Plan

from tests.built import HOST
from tests.hosts.bench import Bench


@pytest.fixture
def bench(everything: Plan, upstream_port: int, tmp_path: Path) -> Bench:
    """A bench whose evidence folder is empty; of cells that pass nothing is kept."""
    return _bench(everything, upstream_port, tmp_path)


@pytest.fixture
def bench_on(
    request: pytest.FixtureRequest, probes_on: Callable[..., Plan], upstream_port: int, tmp_path: Path
) -> Callable[..., Bench]:
    """Makes such a bench with a host; those other than `HOST` have the probes of the given languages only."""

    def made(host: str, *languages: str) -> Bench:
        plan: Plan = request.getfixturevalue("everything") if host == HOST else probes_on(host, *languages)
        return _bench(plan, upstream_port, tmp_path)

    return made


def _bench(everything: Plan, upstream_port: int, tmp_path: Path) -> Bench:
    folder = tmp_path / "evidence"
    folder.mkdir()
    plan = msgspec.structs.replace(everything, evidence_folder=str(folder), keep_evidence=False)
    host = everything.hosts[0].host
    return Bench(plan, upstream_port, host.id, sdk_minor=str(host.release.minor))
