"""A host's refusal of a probe stands for other cells only where that cannot hide anything."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from dmconform.binaries.facts import StaticKind, StaticVerdict
from dmconform.core import paths
from dmconform.core.values import AbiVerdict, CellId, Outcome, Relation
from dmconform.hosts.obtain import from_release
from dmconform.matrix.cell import Cell, listener
from dmconform.matrix.plan import Plan, PlannedHost, PlannedVerdict
from dmconform.matrix.refused import FOLDER
from dmconform.matrix.run_cell import CellResult, run_cell
from dmconform.spec.catalogue import load_catalogue
from dmconform.spec.cells import PlannedCell

from tests.hosts.bench import Bench

pytestmark = pytest.mark.host
SDK, HOST = "cpp@1.39:reference", "1.37.0"
REFUSED = StaticVerdict(StaticKind.REFUSED, "for a test")
NOTE = "not tried again, as it was refused in"


@pytest.fixture
def plan(bench: Bench) -> Plan:
    """A plan with a host that refuses the probe, and a static analysis that expects it."""
    known = next(one for one in load_catalogue().hosts if one.release == HOST)
    host = PlannedHost(from_release(known, paths.cache_folder(), lambda _: None), known.abi_version, known.abi_check)
    static = (PlannedVerdict(SDK, HOST, REFUSED),)
    return msgspec.structs.replace(bench.plan, hosts=(*bench.plan.hosts, host), static=static)


def starts(cell: Cell) -> None:
    """A case that needs its probe accepted."""
    with cell.start(listener("identity")):
        pass


def starts_another(cell: Cell) -> None:
    """A case whose probe and listener have names of their own, which are in what the host says."""
    cell.install(name="another")
    with cell.start(listener("identity", name="b", module="another"), module="another"):
        pass


def run(plan: Plan, port: int, name: str, relation: Relation = Relation.UNSUPPORTED, case: object = starts) -> CellResult:
    """What comes of one cell."""
    assert callable(case)
    return run_cell(plan, PlannedCell(CellId(f"self/{name}", SDK, HOST), relation, "for a test"), port, case)


def envoys(plan: Plan, name: str) -> int:
    """How many Envoys a cell has started."""
    return len(list((Path(plan.evidence_folder) / "self" / name).rglob("bootstrap.json")))


def test_the_second_cell_starts_no_host(plan: Plan, upstream_port: int) -> None:
    first, second = run(plan, upstream_port, "first"), run(plan, upstream_port, "second")
    assert (envoys(plan, "first"), envoys(plan, "second")) == (1, 0)
    assert first.outcome is second.outcome is Outcome.REJECTED
    assert second.detail == first.detail.replace("self/first", "self/second")
    assert first.abi_verdict is second.abi_verdict is AbiVerdict.NOT_LOADED
    assert NOTE not in first.facts
    assert second.facts[NOTE] == f"self/first/{SDK}/{HOST}"


def test_a_promised_cell_starts_its_own(plan: Plan, upstream_port: int) -> None:
    run(plan, upstream_port, "first")
    again = run(plan, upstream_port, "second", Relation.SUPPORTED)
    assert (again.outcome, envoys(plan, "second"), NOTE in again.facts) == (Outcome.REJECTED, 1, False)


@pytest.mark.parametrize(
    "static", [(), (PlannedVerdict(SDK, HOST, StaticVerdict(StaticKind.LOADS, "")),)], ids=["none", "loads"]
)
def test_so_does_one_whose_file_does_not_tell(plan: Plan, upstream_port: int, static: tuple[PlannedVerdict, ...]) -> None:
    unsure = msgspec.structs.replace(plan, static=static)
    run(unsure, upstream_port, "first")
    run(unsure, upstream_port, "second")
    assert (envoys(plan, "second"), (Path(plan.evidence_folder) / FOLDER).exists()) == (1, False)


def test_what_is_of_one_case_only_is_not_kept(plan: Plan, upstream_port: int) -> None:
    assert run(plan, upstream_port, "first", case=starts_another).outcome is Outcome.REJECTED
    assert not (Path(plan.evidence_folder) / FOLDER).exists()


def test_a_refusal_by_the_module_is_not_kept(plan: Plan, upstream_port: int) -> None:
    """The probe loads there; it is its configuration that is refused."""
    host = "1.39.3"

    def refused(cell: Cell) -> None:
        with cell.start(listener("refuse")):
            pass

    wrong = msgspec.structs.replace(plan, static=(PlannedVerdict(SDK, host, REFUSED),))
    result = run_cell(wrong, PlannedCell(CellId("self/first", SDK, host), Relation.UNSUPPORTED, ""), upstream_port, refused)
    assert result.outcome is Outcome.REJECTED, result
    assert not (Path(plan.evidence_folder) / FOLDER).exists()
