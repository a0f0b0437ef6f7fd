"""A release that behaves otherwise than it is on record to do is never quietly green, though no promise is broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.core import paths
from dmconform.core.values import AbiVerdict, FactsLevel, FactState, Judgement, Outcome, Relation
from dmconform.hosts.catalogue import load_hosts
from dmconform.hosts.obtain import from_file, from_release
from dmconform.matrix.cell import Cell, listener
from dmconform.matrix.classification import Classified, classify
from dmconform.matrix.host_record import planned_host

from tests.hosts.bench import Bench

pytestmark = pytest.mark.host
KNOWN = load_hosts(paths.HOSTS_FILE)
RELEASE = "1.40.0"
CASE = "window/local_reply"


def wrapped(bench: Bench, folder: Path, filtered: str = "") -> Bench:
    """The bench with a script as host that becomes the release; lines of its log with some words are lost."""
    binary = from_release(next(one for one in KNOWN if one.release == RELEASE), paths.cache_folder(), lambda _: None).binary
    script = folder / "envoy.sh"
    lost = f" 2> >(exec grep --line-buffered -v {filtered!r} >&2)" if filtered else ""
    script.write_text(f'#!/bin/bash\nexec {binary} "$@"{lost}\n', encoding="utf-8")
    script.chmod(0o755)
    host = planned_host(from_file(script, KNOWN, "file envoy.sh"), None, KNOWN, paths.cache_folder())
    plan = bench.with_plan(hosts=(host,), facts=FactsLevel.FAIL).plan
    return Bench(plan, bench.upstream_port, host.host.id, Relation.UNSUPPORTED)


def judged(bench: Bench) -> tuple[AbiVerdict, Outcome, Classified]:
    """What comes of the case of that name, as far as the host's verdict on the ABI string goes."""

    def case(cell: Cell) -> None:
        with cell.start(listener("local_reply", "418")) as envoy:
            assert envoy.request("/anything").status == 418

    result = bench.run(case, name=CASE)
    return result.abi_verdict, result.outcome, classify(bench.plan, bench.planned(CASE), result, ())


def test_a_script_that_is_nothing_but_the_release_is_as_on_record(bench: Bench, tmp_path: Path) -> None:
    verdict, outcome, found = judged(wrapped(bench, tmp_path))
    assert (verdict, outcome) == (AbiVerdict.DEPRECATED, Outcome.PASS)
    assert (found.judgement, found.fact) == (Judgement.INFORMATIONAL, FactState.SAME)


def test_a_lost_warning_is_a_changed_fact(bench: Bench, tmp_path: Path) -> None:
    verdict, outcome, found = judged(wrapped(bench, tmp_path, "is deprecated"))
    assert (verdict, outcome) == (AbiVerdict.SILENT, Outcome.PASS)
    assert found.judgement is Judgement.CHANGED
    (change,) = found.changed
    assert change.words == "ABI verdict: on record deprecated, observed silent"
