"""Cells that were run again: what is said of them in each form of a report, in comparisons and by gates."""

from __future__ import annotations

import io
from collections.abc import Callable

import msgspec
import pytest
from dmconform.core.values import Judgement, Outcome
from dmconform.matrix.rerun import MOST_CELLS, cells_to_run_again
from dmconform.release.gate.show import render_verdict
from dmconform.report.answers.judge import gate_report
from dmconform.report.answers.policy import FOLDER, load_policy
from dmconform.report.comparison.compare import compare
from dmconform.report.comparison.markdown import render_comparison
from dmconform.report.console import print_answer
from dmconform.report.github import annotations_of_run
from dmconform.report.html import render_html
from dmconform.report.junit import render_junit
from dmconform.report.markdown import render_markdown
from dmconform.report.schema import CellEntry, Report, RerunEntry
from dmconform.report.stability import Stability, reruns_in_words, stability
from rich.console import Console

from tests.unit.report_samples import ENVIRONMENT, broken, cell, contradicted, known, report

PASSES = RerunEntry(Outcome.PASS, Judgement.PASS, "")
FAILS = RerunEntry(Outcome.FAIL, Judgement.FAIL, "expected 200, seen 503")
FAILS_AS_RECORDED = RerunEntry(Outcome.FAIL, Judgement.XFAIL, "as on record")
STALE = cell(outcome=Outcome.FAIL, judgement=Judgement.XPASS, known_failure="known-1", detail="otherwise")
UNSTABLE = broken(reruns=(PASSES, FAILS))


@pytest.mark.parametrize(
    ("one", "reruns", "expected"),
    [
        (broken(), (), Stability.UNKNOWN),
        (broken(), (FAILS, FAILS), Stability.STABLE),
        (broken(), (FAILS, PASSES), Stability.UNSTABLE),
        (broken(), (RerunEntry(Outcome.CRASH, Judgement.FAIL, "SIGSEGV"),), Stability.UNSTABLE),
        (STALE, (FAILS_AS_RECORDED,), Stability.UNSTABLE),  # it failed both times, once as on record
    ],
)
def test_a_cell_is_stable_only_if_it_ends_the_same_way_each_time(
    one: CellEntry, reruns: tuple[RerunEntry, ...], expected: Stability
) -> None:
    assert stability(msgspec.structs.replace(one, reruns=reruns)) is expected


def test_the_words_for_several_cells_count_those_that_ended_otherwise() -> None:
    assert reruns_in_words([broken(), cell()]) == ""
    stable = broken(reruns=(FAILS, FAILS))
    assert reruns_in_words([broken(), stable]) == "stable: run again alone, the same each time (2x fail)"
    printed = reruns_in_words([stable, UNSTABLE, broken()])
    assert printed == "FLAKY: run again alone, 1 of 2 cells ended otherwise (1x pass, 1x fail); look for a race first"
    assert "run again alone, it ended otherwise (2x pass)" in reruns_in_words([broken(reruns=(PASSES, PASSES))])


def on_a_terminal(whole: Report) -> str:
    stream = io.StringIO()
    print_answer(whole, Console(file=stream, width=200))
    return stream.getvalue()


def by_a_gate(whole: Report) -> str:
    policy = load_policy(FOLDER / "sdk-release.toml")
    sdk = "rust@1.39:reference"
    return render_verdict(gate_report(whole, policy, "a-policy", sdk, ENVIRONMENT.suite_commit))


FORMS: dict[str, Callable[[Report], str]] = {
    "terminal": on_a_terminal,
    "Markdown": render_markdown,
    "JUnit": render_junit,
    "GitHub": lambda whole: "\n".join(map(str, annotations_of_run(whole))),
    "page": render_html,
    "diff": lambda whole: render_comparison(compare(report([cell()]), whole)),
    "gate": by_a_gate,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_that_a_cell_is_not_stable_and_it_stays_red(form: str) -> None:
    reported = FORMS[form](report([UNSTABLE]))
    assert "FLAKY: run again alone, it ended otherwise" in reported
    assert "FLAKY" not in FORMS[form](report([broken(reruns=(FAILS, FAILS))]))
    assert report([UNSTABLE]).exit_code == 1


def test_some_cells_of_each_cause_are_run_again_and_only_what_counts_against_the_run() -> None:
    many = [broken(sdk=f"rust@1.{minor}:reference") for minor in range(20)]
    wanted = cells_to_run_again(
        report([*many, broken("a/other"), cell("a/fine"), known("a/known"), contradicted("a/disputed"), STALE])
    )
    assert len(wanted) == MOST_CELLS
    assert {name.partition("/rust")[0] for name in wanted[:4]} == {"window/proxied_traffic", "a/other", "a/disputed"}
    assert cells_to_run_again(report([cell(), known("a/known")])) == ()
