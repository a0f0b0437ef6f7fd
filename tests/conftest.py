"""What tests of several folders need: real Envoys and built probes, had through the harness's own API."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

if TYPE_CHECKING:
    from dmconform.matrix.plan import Plan

HOST = "1.39.3"
LANGUAGES = ("cpp", "go", "rust")
SDKS = tuple(f"{language}@1.39:reference" for language in LANGUAGES)


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A plan with the probes of every language on one host; what the cache lacks is downloaded and built.

    Its cells are all cells of that selection.
    """
    from dmconform.matrix.prepare import Selection, prepare  # slow to import; most tests do without
    from dmconform.spec.catalogue import load_catalogue

    folder = tmp_path_factory.mktemp("plan")
    # Workers of one session wait for the first, so that nothing is built twice.
    with FileLock(_common_folder(tmp_path_factory) / "prepare.lock"):
        plan = prepare(load_catalogue(), Selection(hosts=(HOST,), sdks=SDKS), folder).plan
    problems = [sdk.problem for sdk in plan.sdks if sdk.problem] + [host.problem for host in plan.hosts if host.problem]
    assert not problems, f"expected {SDKS} and Envoy {HOST} to be had: {problems}"
    return plan


@pytest.fixture(scope="session")
def upstream_port() -> Iterator[int]:
    """The port of a server behind the Envoys."""
    from dmconform.envoy.upstream import upstream_server

    with upstream_server() as port:
        yield port


def _common_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the workers of one session share with nobody else."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
