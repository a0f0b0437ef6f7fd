"""How long a warm and a cold default matrix take, and what a cell costs against a bare Envoy.

The cost of a cell is a ratio: the mean duration of the cells of a warm matrix, over that of a bare loop of "start Envoy, one
request, stop", which runs between the matrices, as many at once and on the same hosts.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dmconform.core import paths
from dmconform.core.paths import REPORT_FILE
from dmconform.core.progress import say
from dmconform.core.threads import thread_pool
from dmconform.core.timeouts import HOST_START_S, HOST_STOP_S, REQUEST_S
from dmconform.core.waiting import poll
from dmconform.envoy.connection import Request
from dmconform.envoy.http1 import exchange
from dmconform.hosts.catalogue import load_hosts
from dmconform.hosts.obtain import from_release
from dmconform.report.reading import read_report
from dmconform.report.schema import CellEntry, Report
from dmconform.report.slowest import slowest

BARE_ROUNDS = 20
BOUND_S = 3600.0


def bare_loop(binary: Path, folder: Path) -> float:
    """Returns seconds for one bare Envoy: start, one request, stop. Nothing of the harness but the wait is in it."""
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bare",
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}]}
            ]
        },
        "http_filters": [
            {
                "name": "router",
                "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
            }
        ],
    }
    any_port = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    listener = {"name": "bare", "address": any_port, "filter_chains": [chain]}
    configuration = {"admin": {"address": any_port}, "static_resources": {"listeners": [listener]}}
    (folder / "bare.json").write_text(json.dumps(configuration), encoding="utf-8")
    address_file = folder / "admin"
    address_file.unlink(missing_ok=True)
    started = time.perf_counter()
    command: list[str | Path] = [binary, "--config-path", folder / "bare.json", "--admin-address-path", address_file]
    command += ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = poll(lambda: (address_file.exists() and address_file.read_text(encoding="utf-8")) or None, HOST_START_S)
        if not address:
            raise RuntimeError("the bare Envoy did not start")
        admin_port = int(address.rpartition(":")[2])
        found = json.loads(exchange(admin_port, Request("/listeners?format=json"), REQUEST_S).body)
        port = found["listener_statuses"][0]["local_address"]["socket_address"]["port_value"]
        if not poll(lambda: exchange(port, Request(), REQUEST_S).status, HOST_START_S):
            raise RuntimeError("the bare Envoy did not answer")
        process.terminate()
        process.wait(HOST_STOP_S)
    finally:
        process.kill()
        process.wait()
    return time.perf_counter() - started


def bare_cost(binaries: Sequence[Path], workers: int) -> float:
    """Returns mean seconds of a bare Envoy, with as many at once as the matrix has workers."""
    with tempfile.TemporaryDirectory(prefix="dmconform-bench-") as scratch:

        def loop(worker: int) -> list[float]:
            folder = Path(scratch) / str(worker)
            folder.mkdir()
            return [bare_loop(binaries[i % len(binaries)], folder) for i in range(BARE_ROUNDS)]

        with thread_pool(workers, "bare") as pool:
            return statistics.fmean(cost for costs in pool.map(loop, range(workers)) for cost in costs)


def matrix(arguments: Sequence[str], cache: Path | None = None) -> tuple[float, Report]:
    """Returns seconds of a whole `dmconform run`, and its report.

    Raises:
        RuntimeError: it wrote no report.
    """
    with tempfile.TemporaryDirectory(prefix="dmconform-bench-") as scratch:
        out = Path(scratch) / "report"
        environment = {**os.environ, **({"DMCONFORM_CACHE": str(cache)} if cache else {})}
        started = time.perf_counter()
        command = [sys.executable, "-m", "dmconform", "run", "--out", str(out), *arguments]
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, timeout=BOUND_S, check=False)
        elapsed_s = time.perf_counter() - started
        report = out / REPORT_FILE
        if not report.exists():
            raise RuntimeError(f"dmconform run ended with {done.returncode} and wrote no report")
        return elapsed_s, read_report(report)


def mean_cell(report: Report) -> float:
    """Returns mean seconds of the cells that ran."""
    return statistics.fmean(cell.duration_s for cell in report.cells if cell.outcome.is_verdict)


@dataclass(frozen=True)
class Figures:
    """The measured figures; seconds, and the cost of a cell in bare Envoys. `cold_s` is None where it was not asked for."""

    warm_s: tuple[float, ...]
    cell_ratios: tuple[float, ...]
    cells: int
    cold_s: float | None
    slowest: tuple[CellEntry, ...]  # of the last matrix


def measure(rounds: int, cold: bool, run_arguments: Sequence[str]) -> Figures:
    """Runs matrices, with bare Envoys between them."""
    workers = os.cpu_count() or 1
    cold_s = cold_matrix(run_arguments) if cold else None
    binaries = [
        Path(from_release(host, paths.cache_folder(), say).binary) for host in load_hosts(paths.HOSTS_FILE) if host.default
    ]
    warm: list[float] = []
    ratios: list[float] = []
    cells = 0
    longest: tuple[CellEntry, ...] = ()
    matrix(run_arguments)  # fills the cache
    for number in range(rounds):
        say(f"warm matrix {number + 1} of {rounds}")
        before = bare_cost(binaries, workers)
        elapsed_s, report = matrix(run_arguments)
        bare = statistics.fmean((before, bare_cost(binaries, workers)))
        cell = mean_cell(report)
        warm.append(elapsed_s)
        ratios.append(cell / bare)
        cells = sum(one.outcome.is_verdict for one in report.cells)
        longest = slowest(report)
        say(f"matrix {elapsed_s:.1f} s, cell {cell * 1000:.0f} ms, bare Envoy {bare * 1000:.0f} ms")
    return Figures(tuple(warm), tuple(ratios), cells, cold_s, longest)


def cold_matrix(run_arguments: Sequence[str]) -> float:
    """Returns seconds of a matrix from nothing, without the SDK source."""
    say("a cold matrix")
    with tempfile.TemporaryDirectory(prefix="dmconform-cold-") as scratch:
        cache = Path(scratch) / "cache"
        elapsed_s, _ = matrix(["--sdk-source", str(Path(scratch) / "none"), *run_arguments], cache)
        environment = {**os.environ, "DMCONFORM_CACHE": str(cache)}
        subprocess.run([sys.executable, "-m", "dmconform", "clean"], env=environment, check=True, timeout=BOUND_S)
    return elapsed_s
