"""Every form of a report has the same counts, and they are those of a script that shares no code with the package."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from dmconform.core.values import Outcome, Severity
from dmconform.release.publish.history import history_text
from dmconform.release.publish.summary import summary_text
from dmconform.report.answers.evidence import Evidence
from dmconform.report.answers.failures import failure_groups, new_and_known
from dmconform.report.answers.fields import FieldState, fields
from dmconform.report.console import print_answer
from dmconform.report.github import annotations_of_run
from dmconform.report.junit import render_junit
from dmconform.report.markdown import render_markdown
from dmconform.report.reading import read_report
from dmconform.report.schema import Report, report_json, write_report
from dmconform.report.summary import summarise
from rich.console import Console

from tests import recount
from tests.checkout import ROOT
from tests.unit.report_samples import ALL_KINDS, broken, cell, known, matrix, report, unreachable

PUBLISHED = sorted((ROOT / "reports" / "published").glob("*/report.json.xz"))


def of_every_severity() -> Report:
    """Failures of each severity, new and known, of both providers."""
    outcomes = (Outcome.FAIL, Outcome.CRASH, Outcome.HANG, Outcome.REJECTED)
    cells = [
        msgspec.structs.replace(make(f"a/{make.__name__}_{number}", sdk=sdk), outcome=outcomes[number % 4])
        for sdk in ("rust@1.39:official", "rust@1.39:reference", "go@1.39:official")
        for make in (broken, known)
        for number in range(7)
    ]
    whole = report([*cells, cell(), unreachable(), unreachable(sdk="rust@1.39:official"), *ALL_KINDS[7:]])
    cases = (msgspec.structs.replace(one, severity=Severity.MESSAGE) if one.id.endswith("_4") else one for one in whole.cases)
    return msgspec.structs.replace(whole, cases=tuple(cases))


SAMPLES: dict[str, Callable[[], Report]] = {
    "the default matrix": matrix,
    "every judgement": lambda: report(ALL_KINDS),
    "every severity": of_every_severity,
    "the control alone": lambda: report([cell(), known("a/b")]),
}


def counted(name: str, folder: Path) -> tuple[Report, dict[str, Any]]:
    """A report as the package reads it, and its counts by the script."""
    published = next((path for path in PUBLISHED if path.parent.name == name), None)
    if published is not None:
        return read_report(published), recount.recount(recount.load(published))
    whole = SAMPLES[name]()
    write_report(whole, folder / "report.json")
    return whole, recount.recount(recount.load(folder / "report.json"))


each = pytest.mark.parametrize("name", [*SAMPLES, *(path.parent.name for path in PUBLISHED)])


def words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts.items())


def with_severities(counts: Mapping[str, int]) -> str:
    return f"{sum(counts.values())} ({words(counts)})" if counts else "0"


def of_evidence(side: Evidence) -> dict[str, Any]:
    return {
        "supported": side.cells,
        "ran": side.ran,
        "pass": side.passed,
        "fail": {one.value: count for one, count in side.failed.items()},
        "known": {one.value: count for one, count in side.known.items()},
        "changed": side.changed,
        "to fix": side.against,
        "error": side.errors,
        "not tested": side.not_tested,
    }


def in_columns(side: Mapping[str, Any], *, short: bool) -> list[str]:
    """The counts of a side as a table has them: in short without severities."""
    severities: Callable[[Mapping[str, int]], str] = (lambda one: str(sum(one.values()))) if short else with_severities
    return [severities(value) if isinstance(value, dict) else str(value) for value in side.values()]


def crashes(found: Mapping[str, int]) -> tuple[str, str]:
    """The beginning of the line about crashes, and its end."""
    parts = ((found["official"], "official"), (found["control"], "control"), (found["others"], "not promised"))
    if not found["total"]:
        return "No crash of Envoy in ", ""
    noun = "crash" if found["total"] == 1 else "crashes"
    return f"{found['total']} {noun} of Envoy in ", ", ".join(f"{count} {word}" for count, word in parts if count)


def row_of(lines: Iterable[str], start: str) -> list[str]:
    (line,) = (line for line in lines if line.startswith(start))
    return [part.strip() for part in line.strip("|").split("|")]


@each
def test_the_summary_has_the_counts_of_the_script(name: str, tmp_path: Path) -> None:
    whole, found = counted(name, tmp_path)
    summary = summarise(whole)
    assert (summary.planned, summary.ran) == (found["planned"], found["ran"])
    assert of_evidence(summary.official) == found["official"]
    assert of_evidence(summary.control) == found["control"]
    assert vars(summary.crashed) == found["crashes"]
    states = {(one.sdk, one.host): one.state.value for one in fields(whole) if one.state is not FieldState.UNSUPPORTED}
    assert states == found["states"]
    _, recorded = new_and_known(failure_groups(whole))
    assert {one.record: {word.value: count for word, count in one.severities.items()} for one in recorded} == found["records"]


@each
def test_the_terminal_has_the_counts_of_the_script(name: str, tmp_path: Path) -> None:
    whole, found = counted(name, tmp_path)
    stream = io.StringIO()
    print_answer(whole, Console(file=stream, width=200))
    lines, text = stream.getvalue().splitlines(), " ".join(stream.getvalue().split())
    start = next(place for place, line in enumerate(lines) if line.lstrip().startswith("supported "))
    heads = re.split(r" {2,}| (?=not tested|ran|pass|fail|known|changed|to fix|error)", lines[start].strip())
    for offset, side in ((1, "official"), (2, "control")):
        shown = dict(zip(heads, re.findall(r"\d+", lines[start + offset]), strict=True))
        expected = dict(zip(found[side], in_columns(found[side], short=True), strict=True))
        assert shown == {head: expected[head] for head in heads}
        assert all(head in heads or expected[head] == "0" for head in expected)
    begin, rest = crashes(found["crashes"])
    (line,) = (line for line in lines if line.startswith(begin))
    assert rest in line
    if found["official"]["known"]:
        assert words(found["official"]["known"]) in text
    if found["official"]["fail"]:
        assert f"that ran fail: {words(found['official']['fail'])}" in text
    glyphs = {state.value: state.glyph for state in FieldState}
    columns = lines[0].split()[3:]
    for row in lines[1:]:
        sdk, *values = re.split(r" {2,}", row)
        for host, value in zip(columns, values, strict=False):
            state = found["states"].get((f"{sdk}:official", host.rstrip("*")))
            assert state is None or value.startswith(glyphs[state]), (sdk, host)


@each
def test_markdown_junit_and_annotations_have_the_counts_of_the_script(name: str, tmp_path: Path) -> None:
    whole, found = counted(name, tmp_path)
    begin, rest = crashes(found["crashes"])
    sides = (("official", "| the official SDKs |"), ("control", "| the reference SDK (control) |"))
    for text in (render_markdown(whole), summary_text(whole, "2026-11-21-a", "SHA256SUMS")):
        lines = text.splitlines()
        for side, start in sides:
            assert row_of(lines, start)[1:] == in_columns(found[side], short=False)
        assert any(line.startswith(begin) and rest in line for line in lines)
    root = ET.fromstring(render_junit(whole))
    properties = {one.get("name"): one.get("value") for one in root.iterfind("testsuite[@name='answer']/properties/property")}
    assert properties["crashes"] == str(found["crashes"]["total"])
    for side, _ in sides:
        named = {key: properties[f"{side} {key}"] for key in ("supported", "ran", "pass", "fail", "known", "not tested")}
        expected = dict(zip(found[side], in_columns(found[side], short=False), strict=True))
        assert named == {key: expected[key] for key in named}
    *_, answer = annotations_of_run(whole)
    for side, start in (("official", "official SDKs: "), ("control", "control: ")):
        (line,) = (line for line in answer.text.splitlines() if line.startswith(start))
        one = found[side]
        assert line == (
            f"{start}{one['supported']} supported, {one['ran']} ran, {one['pass']} pass, {counted_as(one['fail'], 'fail')}, "
            f"{counted_as(one['known'], 'known')}, {one['not tested']} not tested"
        )
    assert any(line.startswith(begin) and rest in line for line in answer.text.splitlines())


def counted_as(counts: Mapping[str, int], word: str) -> str:
    return f"{sum(counts.values())} {word}" + (f" ({words(counts)})" if counts else "")


def test_the_page_of_the_published_reports_has_the_counts_of_the_script() -> None:
    lines = history_text().splitlines()
    for path in PUBLISHED:
        found = recount.recount(recount.load(path))
        official, control = found["official"], found["control"]
        assert row_of(lines, f"| [{path.parent.name}](")[4:] == [
            *(str(official[key]) for key in ("supported", "ran", "pass")),
            with_severities(official["fail"]),
            with_severities(official["known"]),
            str(official["not tested"]),
            f"{control['pass']} of {control['supported']}",
            str(found["crashes"]["total"]),
        ]


def test_the_script_needs_nothing_of_the_package(tmp_path: Path) -> None:
    """It counts the same when it is run alone, without the package in reach."""
    (tmp_path / "report.json").write_bytes(report_json(of_every_severity()))
    command = [sys.executable, "-I", "-S", str(ROOT / "tests/recount.py"), str(tmp_path / "report.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    found = msgspec.json.decode(done.stdout)
    assert found["official"] == of_evidence(summarise(of_every_severity()).official)
