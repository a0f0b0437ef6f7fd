"""From host specifications to a measurement of faults."""

from __future__ import annotations

import os

from dmconform.abi.fault_reactions import PointFaults
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.progress import say
from dmconform.envoy.temporary import temporary_folder
from dmconform.envoy.upstream import upstream_server
from dmconform.measure.faults.measure import measure_faults
from dmconform.measure.hooks.run import hosts_and_compiler


def measure_faults_of(
    specs: tuple[str, ...], workers: int | None = None, only: frozenset[ExtensionPoint] | None = None
) -> tuple[PointFaults, ...]:
    """Measures the hosts that specifications such as `1.39` or `all` name; see `dmconform.measure.faults.measure`.

    Raises:
        HarnessError: one of them is not available, a module cannot be compiled, or the machine does not let Envoys run.
    """
    with (
        hosts_and_compiler(specs) as (hosts, compiler),
        upstream_server() as port,
        temporary_folder("faults") as folder,
    ):
        workers = workers or os.cpu_count() or 1
        return measure_faults(hosts, folder, compiler, port, workers=workers, progress=say, only=only)
