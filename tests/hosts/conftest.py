"""Benches: real Envoys with real probes, for functions that stand for cases."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from dmconform.matrix.plan import Plan

from tests.hosts.bench import Bench


@pytest.fixture
def bench(everything: Plan, upstream_port: int, tmp_path: Path) -> Bench:
    """A bench whose evidence folder is empty; of cells that pass nothing is kept."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    plan = msgspec.structs.replace(everything, evidence_folder=str(folder), keep_evidence=False)
    return Bench(plan, upstream_port, everything.hosts[0].host.id)
