"""How a result counts beside the fact on record of its release."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec
import pytest
from dmconform.core.values import (
    AbiVerdict,
    CellId,
    FactsLevel,
    FactState,
    Host,
    Judgement,
    Load,
    Outcome,
    ProbeLoad,
    Relation,
)
from dmconform.matrix.classification import classify
from dmconform.matrix.plan import Plan, PlannedHost, PlannedSdk
from dmconform.matrix.run_cell import CellResult
from dmconform.report.recorded import behaviour_of
from dmconform.spec.cells import PlannedCell
from dmconform.spec.facts import Behaviour, FactEntry, Facts, FactsFile, RecordedRun, chance_of

from tests.unit.by_chance import REASON, end_by_chance
from tests.unit.report_samples import cell

SDK, RELEASE, WRAPPED = "cpp@1.37:reference", "1.40.0", "1.40.0~01234567"
CASE = "window/loads"
RUN = RecordedRun("2026-11-21T00:00:00+00:00", "a" * 40)
BUILD = "9e55/1.40.0/Clean/RELEASE/BoringSSL"
ON_RECORD = Behaviour(Outcome.PASS, AbiVerdict.DEPRECATED, Load.LOADED, {"file": "$CELL/modules/libprobe.so"})
FACTS = Facts([FactsFile(1, (RUN,), {CASE: (FactEntry(ON_RECORD, {RELEASE: SDK}, 0),)})])
FOLDER = "/tmp/run/evidence"


def plan(
    host: str = WRAPPED, known_as: str | None = RELEASE, level: FactsLevel = FactsLevel.FAIL, *, unreleased: bool = False
) -> Plan:
    """A plan of one cell."""
    planned = PlannedHost(Host(host, RELEASE, "envoy", "0" * 64, BUILD, "file envoy"), None, None, known_as=known_as)
    sdk = PlannedSdk(SDK, "v0.1.0", False, False, True, None, {}, unreleased=unreleased)
    cells = (PlannedCell(CellId(CASE, SDK, host), Relation.UNSUPPORTED, ""),)
    return Plan(FOLDER, False, (), (planned,), (sdk,), cells, facts=level)


def result(host: str = WRAPPED, case: str = CASE, changes: Mapping[str, object] = MappingProxyType({})) -> CellResult:
    """A result that is as on record, but for some changes."""
    its = CellId(case, SDK, host)
    found = CellResult(
        its,
        Outcome.PASS,
        abi_verdict=AbiVerdict.DEPRECATED,
        facts={"file": f"{FOLDER}/{its.folder}/modules/libprobe.so", "growth": "17 KiB"},
        probe_load=ProbeLoad(Load.LOADED),
    )
    return msgspec.structs.replace(found, **changes)


def test_what_is_as_on_record_is_informational() -> None:
    made = plan()
    found = classify(made, made.cells[0], result(), (), FACTS)
    assert (found.judgement, found.fact, found.changed) == (Judgement.INFORMATIONAL, FactState.SAME, ())


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"abi_verdict": AbiVerdict.SILENT}, "ABI verdict"),  # a warning is lost
        ({"abi_verdict": AbiVerdict.MATCHED}, "ABI verdict"),
        ({"outcome": Outcome.NOT_APPLICABLE, "abi_verdict": AbiVerdict.DEPRECATED}, "outcome"),
        ({"outcome": Outcome.CRASH, "detail": "killed by SIGSEGV"}, "outcome"),
        ({"facts": {"file": "elsewhere"}}, "file"),
        ({"facts": {}}, "file"),
        ({"probe_load": ProbeLoad(Load.MIXED)}, "load of the probe"),
    ],
)
@pytest.mark.parametrize("host", [RELEASE, WRAPPED])
def test_what_is_not_as_on_record_is_a_changed_fact(host: str, changes: dict[str, object], what: str) -> None:
    made = plan(host)
    found = classify(made, made.cells[0], result(host, CASE, changes), (), FACTS)
    assert (found.judgement, found.fact) == (Judgement.CHANGED, FactState.CHANGED)
    assert found.changed[0].what == what
    warned = classify(plan(host, level=FactsLevel.WARN), made.cells[0], result(host, CASE, changes), (), FACTS)
    assert warned.changed == found.changed
    expected = Judgement.SKIP if changes.get("outcome") is Outcome.NOT_APPLICABLE else Judgement.INFORMATIONAL
    assert warned.judgement is expected, "a warning changes no judgement"


def test_a_case_without_a_record_has_no_fact() -> None:
    made = plan()
    planned = PlannedCell(CellId("window/other", SDK, WRAPPED), Relation.UNSUPPORTED, "")
    found = classify(made, planned, result(case="window/other"), (), FACTS)
    assert (found.judgement, found.fact) == (Judgement.INFORMATIONAL, FactState.NONE)


def test_what_ends_by_chance_is_not_compared_and_the_reason_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case, release = "neighbours/ahead_of_tcp_proxy", "1.37.0"
    end_by_chance(f"{case}/*/{release}", tmp_path, monkeypatch)
    assert chance_of(f"{case}/{SDK}/{RELEASE}") is None
    for host in (release, f"{release}~01234567"):
        planned = PlannedCell(CellId(case, SDK, host), Relation.UNSUPPORTED, "")
        found = classify(plan(host, release), planned, result(host, case), (), FACTS)
        assert (found.fact, found.chance) == (FactState.NOT_COMPARED, REASON), "a gap that no report could close"
        assert found.judgement is Judgement.INFORMATIONAL
    found = classify(plan(host, release, FactsLevel.IGNORE), planned, result(host, case), (), FACTS)
    assert (found.fact, found.chance) == (FactState.NOT_COMPARED, ""), "no record is looked at"


@pytest.mark.parametrize(
    ("made", "changes"),
    [
        (plan(level=FactsLevel.IGNORE), {}),
        (plan(known_as=None), {}),
        (plan(unreleased=True), {}),
        (plan(), {"outcome": Outcome.ERROR, "detail": "no room"}),
        (plan(), {"outcome": Outcome.NOT_TESTED, "detail": "no source"}),
    ],
    ids=["ignored", "unknown host", "unreleased SDK", "error", "not tested"],
)
def test_what_cannot_be_compared_is_not(made: Plan, changes: dict[str, object]) -> None:
    found = classify(made, made.cells[0], result(changes={"abi_verdict": AbiVerdict.SILENT, **changes}), (), FACTS)
    assert (found.fact, found.changed) == (FactState.NOT_COMPARED, ())


def test_a_result_and_its_entry_in_the_report_are_one_behaviour() -> None:
    entry = cell(CASE, SDK, RELEASE, abi_verdict=AbiVerdict.DEPRECATED, probe_load=ProbeLoad(Load.LOADED))
    entry = msgspec.structs.replace(entry, facts={"file": "$CELL/modules/libprobe.so", "growth": "99 KiB"})
    assert behaviour_of(entry) == ON_RECORD
