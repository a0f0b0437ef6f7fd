"""The report as JUnit XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import msgspec
import pytest
from dmconform.binaries.facts import StaticKind
from dmconform.core.values import Judgement
from dmconform.report.junit import render_junit
from dmconform.report.schema import CellEntry
from dmconform.spec.inconsistencies import Inconsistency, InconsistencyKind

from tests.unit.report_samples import (
    ALL_KINDS,
    FINDING,
    INCONSISTENCIES,
    cell,
    contradicted,
    hostile_report,
    known,
    matrix,
    report,
    static,
)

RESULTS = {
    Judgement.PASS: None,
    Judgement.FAIL: "failure",
    Judgement.XPASS: "failure",
    Judgement.MISMATCH: "failure",
    Judgement.CHANGED: "failure",
    Judgement.XFAIL: "skipped",
    Judgement.ERROR: "error",
    Judgement.SKIP: "skipped",
}


def results(xml: str) -> dict[tuple[str, str], str | None]:
    """What each test case came to, by class and name."""
    found = {}
    for case in ET.fromstring(xml).iter("testcase"):
        kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        assert len(kinds) <= 1
        found[case.get("classname", ""), case.get("name", "")] = kinds[0] if kinds else None
    return found


@pytest.mark.parametrize("entry", [it for it in ALL_KINDS if it.judgement in RESULTS], ids=lambda it: it.judgement.value)
def test_each_judgement_is_the_right_result(entry: CellEntry) -> None:
    assert results(render_junit(report([entry]))) == {(f"{entry.sdk} on {entry.host}", entry.case): RESULTS[entry.judgement]}


def test_what_is_not_promised_is_neither_green_nor_red_when_it_fails() -> None:
    hung, passed = (it for it in ALL_KINDS if it.judgement is Judgement.INFORMATIONAL)
    assert [*results(render_junit(report([hung, passed]))).values()] == ["skipped", None]
    assert 'message="informational (unsupported): hang"' in render_junit(report([hung]))


def test_counts_agree_with_the_elements() -> None:
    root = ET.fromstring(render_junit(report(ALL_KINDS)))
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "11",
        "failures": "4",
        "errors": "1",
        "skipped": "4",
    }
    assert sum(int(suite.get("tests", "")) for suite in root) == 11


def test_a_known_failure_names_its_record_and_what_was_seen() -> None:
    (skipped,) = ET.fromstring(render_junit(report([known()]))).iter("skipped")
    assert skipped.get("message") == "known failure known-1: crash: SIGABRT: panic in a function that cannot unwind"


def test_a_run_that_stopped_early_is_an_error() -> None:
    xml = render_junit(report([cell()], planned=3, complete=False, incomplete_reason="interrupted"))
    assert results(xml)["run", "complete"] == "error"
    assert "incomplete, 2 cells never begun: interrupted" in xml
    assert ("run", "complete") not in results(render_junit(report([cell()])))


def test_a_disagreement_is_reported_in_the_failure_and_prediction_and_observation_as_properties() -> None:
    entries = [contradicted(), cell("load/luck", judgement=Judgement.INFORMATIONAL, mismatch="halves differ")]
    half = static("rust@1.39:reference", "1.39.3", StaticKind.REFUSED, 2)
    root = ET.fromstring(render_junit(report(entries, static=[half])))
    (failure,) = root.iter("failure")
    assert (failure.get("message") or "").startswith("static/run-time mismatch: static analysis: refused at load")
    printed = [{it.get("name"): it.get("value") for it in case.iter("property")} for case in root.iter("testcase")]
    assert [(it["static"].partition(":")[0], it["probe"]) for it in printed] == [  # type: ignore[union-attr]
        ("refused at load", "loaded"),
        ("refused at load", "not seen"),
    ]
    assert printed[1]["mismatch"] == "halves differ"
    assert "mismatch" not in ET.tostring(ET.fromstring(render_junit(report([cell()]))), encoding="unicode")


def test_findings_are_properties_of_the_sdks_they_concern() -> None:
    root = ET.fromstring(render_junit(report([cell(), cell(sdk="rust@1.38:official")], abi_findings=[FINDING])))
    found = {suite.get("name"): [it.get("value") for it in suite.findall("properties/property")] for suite in root}
    del found["answer"]
    assert found == {
        "rust@1.39:reference": [],
        "rust@1.38:official": [f"1.38 → 1.39: callback removed: {FINDING.subject}: {FINDING.how}"],
    }


def test_hostile_text_stays_text_and_the_xml_stays_valid() -> None:
    xml = render_junit(hostile_report())
    root = ET.fromstring(xml)
    assert "<script" not in xml
    assert not any(ord(character) < 0x20 and character != "\n" for character in xml)
    failures = list(root.iter("failure"))
    assert len(failures) == 1 + 3, "one cell, and an inconsistency about records of each kind that no cell shows"
    assert all('<script>alert("x")</script>' in (failure.text or "") for failure in failures)
    assert {it.tag for it in root.iter()} <= {
        *("testsuites", "testsuite", "testcase", "properties", "property", "failure", "error", "skipped", "system-out")
    }


def test_every_cell_is_a_test_case() -> None:
    whole = matrix()
    assert set(results(render_junit(whole))) == {(f"{it.sdk} on {it.host}", it.case) for it in whole.cells}


def test_complaints_about_records_are_failures_of_their_own() -> None:
    xml = render_junit(report([cell()], inconsistencies=INCONSISTENCIES, exit_code=1))
    found = results(xml)
    alone = (InconsistencyKind.TOO_MUCH, InconsistencyKind.NOTHING, InconsistencyKind.OVERDUE)
    assert {name for name, kind in found.items() if kind} == {(kind.value, "known-1") for kind in alone}
    assert all(f"fix: {it.fix}" in xml for it in INCONSISTENCIES if it.kind in alone)


def test_a_cell_that_is_complained_about_has_the_command_as_a_property() -> None:
    whole = report(ALL_KINDS)
    bad = next(it for it in whole.cells if it.judgement is Judgement.FAIL)
    inconsistency = Inconsistency(InconsistencyKind.NEW, None, (bad.id,), "text", "dmconform expectations record NEW-ID")
    root = ET.fromstring(render_junit(msgspec.structs.replace(whole, inconsistencies=(inconsistency,))))
    mends = [it.get("value") for it in root.iter("property") if it.get("name") == "fix"]
    assert mends == [inconsistency.fix]
