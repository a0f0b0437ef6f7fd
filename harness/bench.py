"""The benchmark: how long a warm and a cold default matrix take, and what a cell costs against a bare Envoy.

Prints three figures, each as a median over rounds. The cost of a cell is a ratio: the mean duration of the cells of a warm
matrix, over that of a bare loop of "start Envoy, one request, stop", which runs between the matrices, as many at once and on
the same hosts.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import paths
from harness.app.progress import say
from harness.hosts.catalogue import load_hosts
from harness.hosts.obtain import from_release
from harness.report.schema import Report, read_report
from harness.run.waiting import poll
from harness.timeouts import HOST_START_S, HOST_STOP_S, REQUEST_S

BARE_ROUNDS = 20
BOUND_S = 3600.0


def bare_loop(binary: Path, folder: Path) -> float:
    """Seconds for one bare Envoy: start, one request, stop. Nothing of the harness but the wait is in it."""
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
    (folder / "bare.json").write_text(json.dumps(configuration))
    address_file = folder / "admin"
    address_file.unlink(missing_ok=True)
    started = time.perf_counter()
    command: list[str | Path] = [binary, "--config-path", folder / "bare.json", "--admin-address-path", address_file]
    command += ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = poll(lambda: (address_file.exists() and address_file.read_text()) or None, HOST_START_S)
        if not address:
            raise RuntimeError("the bare Envoy did not start")
        admin = http.client.HTTPConnection(address, timeout=REQUEST_S)
        admin.request("GET", "/listeners?format=json")
        statuses = json.loads(admin.getresponse().read())["listener_statuses"]
        admin.close()
        port = statuses[0]["local_address"]["socket_address"]["port_value"]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=REQUEST_S)

        def answered() -> bool:
            try:
                connection.request("GET", "/")
            except ConnectionError:
                connection.close()
                return False
            return connection.getresponse().read() is not None

        poll(answered, HOST_START_S)
        connection.close()
        process.terminate()
        process.wait(HOST_STOP_S)
    finally:
        process.kill()
        process.wait()
    return time.perf_counter() - started


def bare_cost(binaries: Sequence[Path], workers: int) -> float:
    """Mean seconds of a bare Envoy, with as many at once as the matrix has workers."""
    with tempfile.TemporaryDirectory(prefix="dmconform-bench-") as scratch:

        def loop(worker: int) -> list[float]:
            folder = Path(scratch) / str(worker)
            folder.mkdir()
            return [bare_loop(binaries[i % len(binaries)], folder) for i in range(BARE_ROUNDS)]

        with ThreadPoolExecutor(max_workers=workers) as pool:
            return statistics.fmean(cost for costs in pool.map(loop, range(workers)) for cost in costs)


def matrix(arguments: Sequence[str], cache: Path | None = None) -> tuple[float, Report]:
    """Seconds of a whole `dmconform run`, and its report.

    Raises:
        RuntimeError: it wrote no report.
    """
    with tempfile.TemporaryDirectory(prefix="dmconform-bench-") as scratch:
        out = Path(scratch) / "report"
        environment = {**os.environ, **({"DMCONFORM_CACHE": str(cache)} if cache else {})}
        started = time.perf_counter()
        command = [sys.executable, "-m", "harness", "run", "--out", str(out), *arguments]
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, timeout=BOUND_S, check=False)
        elapsed_s = time.perf_counter() - started
        if not (out / "report.json").exists():
            raise RuntimeError(f"dmconform run ended with {done.returncode} and wrote no report")
        return elapsed_s, read_report(out / "report.json")


def mean_cell(report: Report) -> float:
    """Mean seconds of the cells that ran."""
    return statistics.fmean(cell.duration_s for cell in report.cells if cell.outcome.is_verdict)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark and prints its figures."""
    parser = argparse.ArgumentParser(prog="python -m harness.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="warm matrices to run (default: 3)")
    parser.add_argument("--cold", action="store_true", help="also one matrix from nothing, without upstream's repository")
    parser.add_argument("run", nargs="*", help="arguments of dmconform run, such as --sdk '*@*:reference' (after --)")
    chosen = parser.parse_args(arguments)
    workers = os.cpu_count() or 1
    cold_s: float | None = None
    if chosen.cold:
        say("a cold matrix")
        with tempfile.TemporaryDirectory(prefix="dmconform-cold-") as scratch:
            cold_s, _ = matrix(["--upstream", str(Path(scratch) / "none"), *chosen.run], Path(scratch) / "cache")
            subprocess.run(
                [sys.executable, "-m", "harness", "clean"],
                env={**os.environ, "DMCONFORM_CACHE": str(Path(scratch) / "cache")},
                check=True,
                timeout=BOUND_S,
            )
    binaries = [
        Path(from_release(host, paths.cache_folder(), say).binary) for host in load_hosts(paths.HOSTS_FILE) if host.default
    ]
    warm: list[float] = []
    ratios: list[float] = []
    cells = 0
    matrix(chosen.run)  # fills the cache
    for number in range(chosen.rounds):
        say(f"warm matrix {number + 1} of {chosen.rounds}")
        before = bare_cost(binaries, workers)
        elapsed_s, report = matrix(chosen.run)
        bare = statistics.fmean((before, bare_cost(binaries, workers)))
        cell = mean_cell(report)
        warm.append(elapsed_s)
        ratios.append(cell / bare)
        cells = sum(one.outcome.is_verdict for one in report.cells)
        say(f"matrix {elapsed_s:.1f} s, cell {cell * 1000:.0f} ms, bare Envoy {bare * 1000:.0f} ms")
    print(f"warm default matrix: {statistics.median(warm):.1f} s (median of {len(warm)}; {cells} cells ran, {workers} at once)")
    print(f"cold default matrix: {f'{cold_s / 60:.1f} min (one run)' if cold_s else 'not measured; add --cold'}")
    print(f"a cell costs {statistics.median(ratios):.2f} bare Envoys (median of {len(ratios)}, same run)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
