"""The report as JUnit XML, for a CI system's list of tests.

A test suite is an SDK version, a test case a cell; the first suite has no test and says what the whole report comes to.
Failures are what breaks the promise, errors what could not run; what does not gate and did not pass is `skipped` with a
message, so that neither a red nor a green light is lit for it.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping

from dmconform.core.text import first_line, one_line, plain
from dmconform.core.values import Judgement, Outcome, Severity
from dmconform.report.answers.answer import answers
from dmconform.report.answers.evidence import severity_words
from dmconform.report.answers.facts import facts_sentences
from dmconform.report.mismatches import static_entries, static_sentence
from dmconform.report.schema import CellEntry, Report, StaticEntry
from dmconform.report.stability import reruns_in_words, stability
from dmconform.report.summary import FAILURES, SEEN_IN_CELLS, summarise


def render_junit(report: Report) -> str:
    """Renders the XML text of `report`."""
    root = ET.Element("testsuites", name="dmconform")
    _add_answer(root, report)
    static = static_entries(report)
    fixes = {cell: it.fix for it in report.inconsistencies for cell in it.cells}
    by_sdk: dict[str, list[CellEntry]] = {}
    for cell in report.cells:
        by_sdk.setdefault(cell.sdk, []).append(cell)
    for sdk, cells in by_sdk.items():
        suite = ET.SubElement(root, "testsuite", name=one_line(sdk), timestamp=one_line(report.started_at))
        _add_findings(suite, report, sdk)
        for cell in cells:
            _add_cell(suite, cell, static.get((cell.sdk, cell.host)), fixes.get(cell.id))
        _count(suite, sum(cell.duration_s for cell in cells))
    _add_inconsistencies(root, report)
    _add_run(root, report)
    _count(root, report.duration_s)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _add_answer(root: ET.Element, report: Report) -> None:
    """Adds what the whole report comes to, as properties: JUnit itself knows no SDK, no severity, and nothing untested."""
    summary, found = summarise(report), answers(report)
    suite = ET.SubElement(root, "testsuite", name="answer", timestamp=one_line(report.started_at))
    properties = ET.SubElement(suite, "properties")
    values = [("answer", f"{summary.verdict.value}: {summary.headline}"), ("crashes", str(summary.crashes))]
    for name, side in (("official", summary.official), ("control", summary.control)):
        values += [
            (f"{name} supported", str(side.cells)),
            (f"{name} ran", str(side.ran)),
            (f"{name} pass", str(side.passed)),
            (f"{name} fail", _with_severities(side.new_failures, side.failed)),
            (f"{name} known", _with_severities(side.known_failures, side.known)),
            (f"{name} not tested", str(side.not_tested)),
        ]
    values += [("facts", one) for one in facts_sentences(report)]
    values += [(f"may be released: {subject}", verdict.answer.value) for subject, verdict in (*found.sdks, *found.hosts)]
    for name, value in values:
        ET.SubElement(properties, "property", name=one_line(name), value=one_line(value))
    _count(suite, 0.0)


def _with_severities(count: int, severities: Mapping[Severity, int]) -> str:
    return f"{count} ({severity_words(severities)})" if count else "0"


def _add_findings(suite: ET.Element, report: Report, sdk: str) -> None:
    """Adds what breaks the promise in the ABI itself, as properties of the SDK versions whose minor it concerns."""
    minor = next((entry.minor for entry in report.sdks if entry.id == sdk), None)
    found = [finding for finding in report.abi_findings if finding.sdk_minor == minor]
    if not found:
        return
    properties = ET.SubElement(suite, "properties")
    for it in found:
        value = f"{it.sdk_minor} → {it.host_minor}: {it.kind}: {it.subject}: {it.how}"
        ET.SubElement(properties, "property", name="abi finding", value=one_line(value))


def _add_cell(suite: ET.Element, cell: CellEntry, static: StaticEntry | None, fix: str | None) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=one_line(f"{cell.sdk} on {cell.host}"),
        name=one_line(cell.case),
        time=f"{cell.duration_s:.3f}",
    )
    properties = ET.SubElement(case, "properties")
    printed = {
        "relation": cell.relation.value,
        "outcome": cell.outcome.value,
        "judgement": cell.judgement.value,
        "abi": cell.abi_verdict.value,
        "static": static_sentence(static),
        "probe": cell.probe_load.load.value,
        **({"mismatch": cell.mismatch} if cell.mismatch is not None else {}),
        **({"fix": fix} if fix is not None else {}),
        "fact": cell.beside_record,
        **({"changed fact": "; ".join(one.words for one in cell.changed)} if cell.changed else {}),
        **({"stability": stability(cell).value} if cell.reruns else {}),
        **cell.facts,
    }
    for name, value in printed.items():
        ET.SubElement(properties, "property", name=one_line(name), value=one_line(value))
    what = first_line(cell.detail)
    message = f"{cell.outcome.value}: {what}" if what else cell.outcome.value
    if cell.judgement is Judgement.MISMATCH:
        _add_result(case, "failure", cell, f"static/run-time mismatch: {cell.mismatch or ''}")
    elif cell.judgement is Judgement.CHANGED:
        _add_result(case, "failure", cell, f"changed fact: {cell.reason}")
    elif cell.judgement in FAILURES:
        _add_result(case, "failure", cell, message if cell.judgement is Judgement.FAIL else f"xpass: {message}")
    elif cell.judgement is Judgement.ERROR:
        _add_result(case, "error", cell, message)
    elif cell.judgement is Judgement.XFAIL:
        ET.SubElement(case, "skipped", message=one_line(f"known failure {cell.known_failure or ''}: {message}"))
    elif cell.judgement is Judgement.SKIP:
        ET.SubElement(case, "skipped", message=one_line(message))
    elif cell.outcome is not Outcome.PASS:
        ET.SubElement(case, "skipped", message=one_line(f"informational ({cell.relation.value}): {message}"))
    if cell.evidence:
        ET.SubElement(case, "system-out").text = plain(f"evidence: {cell.evidence}\nreproduce: {cell.reproduce}")


def _add_result(case: ET.Element, kind: str, cell: CellEntry, message: str) -> None:
    result = ET.SubElement(case, kind, message=one_line(message), type=cell.outcome.value)
    result.text = plain("\n".join([cell.detail, "", *filter(None, [reruns_in_words([cell])]), f"reproduce: {cell.reproduce}"]))


def _add_inconsistencies(root: ET.Element, report: Report) -> None:
    """Adds a test for each inconsistency about a record itself: no cell is red for these."""
    found = [it for it in report.inconsistencies if it.kind not in SEEN_IN_CELLS]
    if not found:
        return
    suite = ET.SubElement(root, "testsuite", name="expectations", timestamp=one_line(report.started_at))
    for it in found:
        case = ET.SubElement(suite, "testcase", classname=it.kind.value, name=one_line(it.record or ""), time="0.000")
        failure = ET.SubElement(case, "failure", message=one_line(f"{it.kind.value}: {it.text}"), type=it.kind.value)
        failure.text = plain("\n".join([*it.cells, "", f"fix: {it.fix}"]))
    _count(suite, 0.0)


def _add_run(root: ET.Element, report: Report) -> None:
    """Adds a test of the run itself, which shows that cells are missing."""
    missing = summarise(report).missing
    if report.complete and not missing:
        return
    suite = ET.SubElement(root, "testsuite", name="run", timestamp=one_line(report.started_at))
    case = ET.SubElement(suite, "testcase", classname="run", name="complete", time=f"{report.duration_s:.3f}")
    reason = report.incomplete_reason or "no reason was given"
    ET.SubElement(case, "error", message=one_line(f"incomplete, {missing} cells never begun: {reason}"), type="incomplete")
    _count(suite, report.duration_s)


def _count(element: ET.Element, seconds: float) -> None:
    element.set("tests", str(len(element.findall(".//testcase"))))
    element.set("failures", str(len(element.findall(".//testcase/failure"))))
    element.set("errors", str(len(element.findall(".//testcase/error"))))
    element.set("skipped", str(len(element.findall(".//testcase/skipped"))))
    element.set("time", f"{seconds:.3f}")
