"""Changed facts come first in every form of a report, and what has no fact is counted."""

from __future__ import annotations

import io

import msgspec
from dmconform.core.values import FactsLevel, FactState, Judgement, Outcome, Relation
from dmconform.matrix.rerun import cells_to_run_again
from dmconform.report.answer_lines import answer_lines
from dmconform.report.answers.facts import changed_groups, facts_sentences
from dmconform.report.answers.fields import FieldState, fields
from dmconform.report.details import print_details
from dmconform.report.github import annotations_of_run
from dmconform.report.html import render_html
from dmconform.report.junit import render_junit
from dmconform.report.markdown import render_markdown
from dmconform.report.schema import Report
from dmconform.report.summary import RunVerdict, summarise
from rich.console import Console

from tests.unit.report_samples import broken, cell, changed, report

CHANGE = "ABI verdict: on record matched, observed deprecated"
UNPROMISED = {"relation": Relation.UNSUPPORTED, "host": "1.36.4"}


def mixed() -> Report:
    """A report with changed facts, promised or not, and another failure."""
    same = cell("window/same", fact=FactState.SAME)
    new = cell("window/new", fact=FactState.NONE)
    return report([broken("window/broken"), changed("load/one", **UNPROMISED), changed("load/two", **UNPROMISED), same, new])


def terminal(whole: Report) -> str:
    return "\n".join(line.text for line in answer_lines(whole))


def test_they_are_grouped_by_what_changed() -> None:
    other = msgspec.structs.replace(changed("load/one").changed[0], observed="silent")
    (one, two) = changed_groups(report([changed("load/one"), changed("load/two"), changed("load/three", changed=(other,))]))
    assert (one.words, one.where, one.counts) == (CHANGE, "load/one and 1 more case on 1.39.3", True)
    assert one.since == "the run of 2026-11-21T04:30:00Z, suite 0123456789"
    assert two.words == "ABI verdict: on record matched, observed silent"
    assert one.fix == "if the release does so: dmconform facts REPORT --write --correct 'load/one/*'"


def test_a_binary_that_only_calls_itself_a_release_has_no_record_to_correct() -> None:
    (group,) = changed_groups(report([changed("load/one", host="1.39.3~01234567")]))
    assert group.fix == "does Envoy 1.39.3 itself do so? dmconform reproduce load/one/rust@1.39:reference/1.39.3"


def test_they_come_first_in_the_terminal() -> None:
    text = terminal(mixed())
    assert text.index("Changed facts: 2 cells, 1 change") < text.index("New failures")
    assert f"    {CHANGE}" in text
    assert "4 cells" not in text
    assert "3 cells compared with the facts on record of their release: 2 differ" in text
    assert "No fact on record: 1 cell (window/new)" in text


def test_they_come_first_in_the_details() -> None:
    sink = io.StringIO()
    print_details(mixed(), Console(file=sink, width=200))
    text = sink.getvalue()
    assert text.index("Changed facts: 2 cells, 1 change") < text.index("New failures")
    assert "on record since the run of 2026-11-21T04:30:00Z, suite 0123456789" in text


def test_they_come_first_in_markdown() -> None:
    text = render_markdown(mixed())
    assert text.index("## Changed facts") < text.index("## New failures")
    assert text.index("## Changed facts") < text.index("## Matrix")
    assert CHANGE in text
    assert "FAILS the run" in text


def test_they_are_failures_of_junit_and_errors_of_github() -> None:
    text = render_junit(mixed())
    assert f'message="changed fact: {CHANGE}"' in text
    assert text.count("<failure") == 3
    first = next(iter(annotations_of_run(mixed())))
    assert (first.level.value, first.title) == ("error", "load/one and 1 more case on 1.36.4: changed fact")


def test_the_page_has_them() -> None:
    text = render_html(mixed())
    assert "changed facts, of all cells: not as on record of the release" in text
    assert CHANGE in text
    assert "CHANGED" in text


def test_what_is_never_compared_is_no_gap_and_says_why() -> None:
    reason = "what memory holds decides it"
    never = [cell(name, fact=FactState.NOT_COMPARED, chance=reason) for name in ("window/never", "window/nor")]
    whole = report([cell("window/new", fact=FactState.NONE), *never])
    gap, not_compared = facts_sentences(whole)
    assert gap.startswith("No fact on record: 1 cell (window/new); ")
    assert not_compared == f"Not compared: 2 cells (2 cases): {reason}"
    assert [one.beside_record for one in whole.cells] == ["no fact on record", *[f"not compared: {reason}"] * 2]
    sink = io.StringIO()
    print_details(whole, Console(file=sink, width=200))
    assert f"not compared: {reason}" in render_html(whole)
    assert f'name="fact" value="not compared: {reason}"' in render_junit(whole)
    for text in (terminal(whole), sink.getvalue(), render_markdown(whole)):
        assert f"Not compared: 2 cells (2 cases): {reason}" in text


def test_a_run_with_changed_facts_alone_fails_and_says_why() -> None:
    whole = report([cell(), changed("load/one", **UNPROMISED)])
    summary = summarise(whole)
    assert summary.verdict is RunVerdict.FAIL
    assert summary.headline == "A host does not behave as is on record of its release (changed facts: 1 cell)"
    assert {one.host: one.state for one in fields(whole)} == {"1.39.3": FieldState.HOLDS, "1.36.4": FieldState.CHANGED}
    assert "≢ 1 changed" in terminal(report([changed("load/one")]))


def test_one_that_does_not_apply_any_more_is_no_tick() -> None:
    (field,) = fields(report([cell(), changed("load/one", outcome=Outcome.NOT_APPLICABLE)]))
    assert (field.state, field.evidence.changed) == (FieldState.CHANGED, 1)


def test_a_warning_is_shown_first_and_fails_nothing() -> None:
    warned = [changed(name, judgement=Judgement.INFORMATIONAL, **UNPROMISED) for name in ("load/one", "load/two")]
    whole = msgspec.structs.replace(report([cell(), *warned]), facts=FactsLevel.WARN)
    assert whole.exit_code == 0
    text = terminal(whole)
    assert "Changed facts: 2 cells, 1 change, a warning (--facts warn)" in text
    assert summarise(whole).verdict is not RunVerdict.FAIL
    assert "| 2 | a warning |" in render_markdown(whole)
    assert next(iter(annotations_of_run(whole))).level.value == "warning"


def test_they_are_run_again_alone() -> None:
    assert cells_to_run_again(mixed()) == (
        "window/broken/rust@1.39:reference/1.39.3",
        "load/one/rust@1.39:reference/1.36.4",
        "load/two/rust@1.39:reference/1.36.4",
    )


def test_an_older_report_says_nothing_of_facts() -> None:
    older = msgspec.structs.replace(report([cell()]), facts=FactsLevel.IGNORE)
    assert facts_sentences(older) == ()
