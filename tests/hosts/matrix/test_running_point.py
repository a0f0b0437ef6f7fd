"""What brings modules to extension points: updates of clusters, and Envoys that take the place of others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dmconform.casekit import Cell, ModuleRejected, RunningPoint, probe_at
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Outcome
from dmconform.envoy.extension_points.use import ModuleUse
from dmconform.envoy.outcomes import HostCrashed

from tests.hosts.bench import Bench

pytestmark = pytest.mark.host


def run(bench: Bench, point: ExtensionPoint, case: Callable[[Cell], None]) -> None:
    """Runs a function as a case at an extension point, which must pass."""
    result = bench.run(case, name=f"points/self@{point.value}", language="rust")
    assert result.outcome is Outcome.PASS, result


def hosts(cell: Cell, name: str = "hosts") -> ModuleUse:
    """The probe's cluster, whose configuration is the port of the server."""
    return probe_at(cell, str(cell.upstream_port), name)


def test_a_cluster_comes_by_an_update_and_goes_by_one(bench: Bench) -> None:
    def case(cell: Cell) -> None:
        with RunningPoint(cell) as running:
            assert running.is_updated
            assert not cell.loaded
            running.take(hosts(cell))
            assert cell.loaded
            assert running.envoy.has_mapped(cell.modules_folder / "libprobe.so")
            refused = running.bring(hosts(cell, "unknown"))
            assert not refused.accepted
            assert "upstream" in refused.message, refused
            assert running.envoy.request("/").status == 200
            running.clear()
            assert running.envoy.request("/").status == 200

    run(bench, ExtensionPoint.CLUSTER, case)


def test_the_first_cluster_must_be_accepted(bench: Bench) -> None:
    def case(cell: Cell) -> None:
        try:
            with RunningPoint(cell, hosts(cell, "unknown")):
                raise AssertionError("expected a cluster that is refused not to run")
        except ModuleRejected:
            assert not cell.loaded

    run(bench, ExtensionPoint.CLUSTER, case)


def test_a_bootstrap_extension_comes_with_another_envoy(bench: Bench) -> None:
    def case(cell: Cell) -> None:
        with RunningPoint(cell) as running:
            assert not running.is_updated
            running.take(probe_at(cell, "count", "statistics"))
            first = running.envoy
            refused = running.bring(probe_at(cell, "neither", "statistics"))
            assert not refused.accepted
            assert running.envoy is first
            assert first.request("/").status == 200
            running.take(probe_at(cell, "count", "statistics"))
            assert running.envoy is not first
            assert first.exit_code == 0
            running.stop()
            assert running.envoy.exit_code == 0

    run(bench, ExtensionPoint.BOOTSTRAP_EXTENSION, case)


def test_a_bootstrap_extension_that_ends_its_envoy_is_no_refusal(bench: Bench) -> None:
    def case(cell: Cell) -> None:
        start = cell.start_anyhow

        def killed(*arguments: object, **options: object) -> object:
            envoy = start(*arguments, **options)  # type: ignore[arg-type] # as they come
            envoy.reap()
            return envoy

        cell.start_anyhow = killed  # type: ignore[method-assign,assignment] # in this cell alone
        with RunningPoint(cell) as running:
            try:
                running.bring(probe_at(cell, "count", "statistics"))
            except HostCrashed:
                return
            raise AssertionError("expected an Envoy that is killed not to have refused its configuration")

    run(bench, ExtensionPoint.BOOTSTRAP_EXTENSION, case)
