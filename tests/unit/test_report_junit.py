"""The report as JUnit XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from harness.model import Judgement
from harness.report.junit import render_junit
from harness.report.schema import CellEntry
from tests.unit.report_samples import ALL_KINDS, cell, hostile_report, known, matrix, report

RESULTS = {
    Judgement.AS_PROMISED: None,
    Judgement.BROKEN: "failure",
    Judgement.STALE: "failure",
    Judgement.KNOWN: "skipped",
    Judgement.INCOMPLETE: "error",
    Judgement.NOT_RUN: "skipped",
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
    hung, passed = (it for it in ALL_KINDS if it.judgement is Judgement.FACT)
    assert [*results(render_junit(report([hung, passed]))).values()] == ["skipped", None]
    assert 'message="not promised (beyond): host hung"' in render_junit(report([hung]))


def test_counts_agree_with_the_elements() -> None:
    root = ET.fromstring(render_junit(report(ALL_KINDS)))
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "9",
        "failures": "2",
        "errors": "1",
        "skipped": "4",
    }
    assert sum(int(suite.get("tests", "")) for suite in root) == 9


def test_a_known_failure_names_its_record_and_what_was_seen() -> None:
    (skipped,) = ET.fromstring(render_junit(report([known()]))).iter("skipped")
    assert skipped.get("message") == "known failure known-1: host crashed: SIGABRT: panic in a function that cannot unwind"


def test_a_run_that_stopped_early_is_an_error() -> None:
    xml = render_junit(report([cell()], planned=3, complete=False, incomplete_reason="interrupted"))
    assert results(xml)["run", "complete"] == "error"
    assert "incomplete, 2 cells never begun: interrupted" in xml
    assert ("run", "complete") not in results(render_junit(report([cell()])))


def test_hostile_text_stays_text_and_the_xml_stays_valid() -> None:
    xml = render_junit(hostile_report())
    root = ET.fromstring(xml)
    assert "<script" not in xml
    assert not any(ord(character) < 0x20 and character != "\n" for character in xml)
    (failure,) = root.iter("failure")
    assert '<script>alert("x")</script>' in (failure.text or "")
    assert {it.tag for it in root.iter()} <= {
        *("testsuites", "testsuite", "testcase", "properties", "property", "failure", "error", "skipped", "system-out")
    }


def test_every_cell_is_a_test_case() -> None:
    whole = matrix()
    assert set(results(render_junit(whole))) == {(f"{it.sdk} on {it.host}", it.case) for it in whole.cells}
