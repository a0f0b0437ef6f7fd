"""A host that says it has found a mistake in itself fails every case, whatever the case looks at."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from dmconform.core import paths
from dmconform.core.values import Outcome
from dmconform.envoy.config import HttpFilter, Listener, ModuleRef
from dmconform.envoy.outcomes import NotApplicable
from dmconform.hosts.catalogue import load_hosts
from dmconform.hosts.obtain import from_file, from_release
from dmconform.matrix.cell import PROBE, Cell, listener
from dmconform.matrix.host_record import planned_host
from dmconform.matrix.run_cell import ALARM

from tests.hosts.bench import Bench

pytestmark = pytest.mark.host
BUG = "envoy bug failure: planted. Details: for a test"
PLANTED = f"[2026-11-30 15:25:17.372][1][error][envoy_bug] [source/a.cc:1] {BUG}"


def saying(bench: Bench, folder: Path, *lines: str) -> Bench:
    """The bench with a host that prints some lines before it starts."""
    file = folder / "envoy.sh"
    prints = [f"echo {shlex.quote(line)} >&2" for line in lines]
    file.write_text("\n".join(("#!/bin/sh", *prints, f'exec {bench.plan.hosts[0].host.binary} "$@"', "")), encoding="utf-8")
    file.chmod(0o755)
    known = load_hosts(paths.HOSTS_FILE)
    host = planned_host(from_file(file, known, "file envoy.sh"), None, known, paths.cache_folder())
    return Bench(bench.with_plan(hosts=(host,)).plan, bench.upstream_port, host.host.id)


def serves(cell: Cell) -> None:
    """A case that looks at nothing but an answer."""
    with cell.start(listener("log", BUG)) as envoy:
        assert envoy.request("/").status == 200


def test_a_line_of_the_host_fails_a_case_that_would_pass(bench: Bench, tmp_path: Path) -> None:
    result = saying(bench, tmp_path, PLANTED).run(serves)
    assert (result.outcome, result.detail) == (Outcome.FAIL, f"expected no alarm of the host's own in its log, it has: {BUG}")
    assert (bench.evidence(result) / "envoy.log").is_file(), "the log is kept"


def test_a_sanitizer_does_so(bench: Bench, tmp_path: Path) -> None:
    result = saying(bench, tmp_path, "==1==ERROR: AddressSanitizer: heap-use-after-free").run(serves)
    assert result.outcome is Outcome.FAIL
    assert "AddressSanitizer: heap-use-after-free" in result.detail


def test_what_a_module_logs_or_prints_does_not(bench: Bench, tmp_path: Path) -> None:
    result = saying(bench, tmp_path, f"a module: {BUG}", "no ERROR: AddressSanitizer: here").run(serves)
    assert result.outcome is Outcome.PASS, result


def test_a_case_that_does_not_apply_fails_by_it(bench: Bench, tmp_path: Path) -> None:
    def case(cell: Cell) -> None:
        serves(cell)
        raise NotApplicable("for a test")

    assert saying(bench, tmp_path, PLANTED).run(case).outcome is Outcome.FAIL


def test_a_case_that_fails_stays_as_it_ended(bench: Bench, tmp_path: Path) -> None:
    def case(cell: Cell) -> None:
        serves(cell)
        raise AssertionError("expected 1, saw 2")

    result = saying(bench, tmp_path, PLANTED).run(case)
    assert (result.outcome, result.detail, result.facts) == (Outcome.FAIL, "expected 1, saw 2", {ALARM: BUG})


def test_what_a_release_really_logs_is_one(bench: Bench) -> None:
    release = next(one for one in load_hosts(paths.HOSTS_FILE) if one.release == "1.38.2")
    found = from_release(release, paths.cache_folder(), lambda _: None)
    host = planned_host(found, None, (release,), paths.cache_folder())

    def sets_a_state_twice(cell: Cell) -> None:
        filters = (HttpFilter(ModuleRef(PROBE), "filter_state", text) for text in ("one", "two"))
        with cell.start(Listener("main", tuple(filters))) as envoy:
            assert envoy.request("/").status == 200

    result = Bench(bench.with_plan(hosts=(host,)).plan, bench.upstream_port, "1.38.2").run(sets_a_state_twice)
    assert result.outcome is Outcome.FAIL
    assert "it has: envoy bug failure" in result.detail
