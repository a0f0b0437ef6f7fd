"""What GitHub Actions is told: annotations that stay data, and a summary that fits."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from dmconform.core.errors import UsageError
from dmconform.core.values import Judgement, Outcome
from dmconform.report.github import (
    MOST_ANNOTATIONS,
    SUMMARY_BYTES,
    Annotation,
    AnnotationLevel,
    add_to_summary,
    annotations_of_run,
    limited,
)
from dmconform.spec.inconsistencies import InconsistencyKind

from tests.unit.report_samples import HOSTILE, INCONSISTENCIES, broken, cell, contradicted, known, report


def test_each_cause_is_one_annotation_with_its_command() -> None:
    reported = list(
        annotations_of_run(report([broken(host="1.39.3"), broken(host="1.40.0"), known("a/known"), cell("a/fine")]))
    )
    assert [one.level for one in reported] == [AnnotationLevel.ERROR, AnnotationLevel.ERROR]
    assert reported[0].title == "window/proxied_traffic: fail"
    assert reported[0].text.startswith("2 answers wrongly: expected 200, seen 503\nagain: dmconform run --cell window/")
    assert reported[1].text.startswith("The control does not hold: 2 of 4 supported cells of the reference SDK that ran fail")


def test_a_run_that_holds_is_a_notice() -> None:
    (only,) = annotations_of_run(report([cell()]))
    assert (only.level, only.title) == (AnnotationLevel.NOTICE, "dmconform")


def test_what_could_not_run_is_a_warning() -> None:
    blocked = cell(outcome=Outcome.ERROR, judgement=Judgement.ERROR, detail="no room")
    reported = list(annotations_of_run(report([blocked])))
    assert [one.level for one in reported] == [AnnotationLevel.WARNING, AnnotationLevel.WARNING]
    assert "no room" in reported[0].text


def test_more_than_github_shows_are_counted_and_the_answer_is_among_them() -> None:
    blocked = [cell(f"b/case_{number}", outcome=Outcome.ERROR, judgement=Judgement.ERROR) for number in range(12)]
    reported = list(
        limited(annotations_of_run(report([*(broken(f"a/case_{number}", f"text {number}") for number in range(13)), *blocked])))
    )
    assert Counter(one.level for one in reported) == {
        AnnotationLevel.ERROR: MOST_ANNOTATIONS,
        AnnotationLevel.WARNING: MOST_ANNOTATIONS,
    }
    assert reported[-1].title == "dmconform"
    assert reported[-1].text.endswith("\n6 more are not shown here")
    exactly = list(annotations_of_run(report([broken(f"a/case_{number}") for number in range(MOST_ANNOTATIONS - 1)])))
    assert list(limited(exactly)) == exactly


def test_all_that_counts_against_a_run_is_reported() -> None:
    """Not only cells that fail: each of these alone makes a run red."""
    (reported, answer) = annotations_of_run(report([contradicted()]))
    assert (reported.level, reported.title) == (
        AnnotationLevel.ERROR,
        "rust@1.39:reference on 1.39.3: static/run-time mismatch",
    )
    assert "first: window/proxied_traffic/rust@1.39:reference/1.39.3" in reported.text
    assert answer.level is AnnotationLevel.ERROR
    overdue = next(one for one in INCONSISTENCIES if one.kind is InconsistencyKind.OVERDUE)
    (reported, answer) = annotations_of_run(report([cell()], inconsistencies=[overdue], exit_code=1))
    assert (reported.level, reported.title) == (AnnotationLevel.ERROR, "record known-1: past its until")
    assert reported.text.endswith(f"fix: {overdue.fix}")


@pytest.mark.parametrize(
    "text", [HOSTILE, "a\n::error::b", "a\r\n::set-output name=x::y", "100%0A::error::c", "::stop-commands::x"]
)
def test_no_text_begins_a_command(text: str) -> None:
    line = str(Annotation(AnnotationLevel.WARNING, text, text))
    assert "\n" not in line
    assert "\r" not in line
    assert line.startswith("::warning title=")
    title, _, message = line.removeprefix("::warning title=").partition("::")
    assert ":" not in title
    assert "," not in title
    assert "\x1b" not in message
    assert "%0A" not in message.replace("%25", "") or "\n" in text


def test_the_summary_is_added_to_and_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "summary"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    add_to_summary("one\n")
    add_to_summary("two\n")
    assert file.read_text(encoding="utf-8") == "one\ntwo\n"
    file.unlink()
    add_to_summary("ä" * SUMMARY_BYTES)
    text = file.read_text(encoding="utf-8")
    assert len(text.encode()) <= SUMMARY_BYTES
    assert text.endswith("Cut: the whole is in the report.\n")


def test_without_github_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    add_to_summary("one\n")


def test_a_summary_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with pytest.raises(UsageError, match="GITHUB_STEP_SUMMARY="):
        add_to_summary("one\n")
