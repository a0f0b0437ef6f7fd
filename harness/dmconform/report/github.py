"""GitHub Actions: annotations in the log, the summary of a job, and the outputs of its steps.

Source: "Workflow commands for GitHub Actions" in GitHub's documentation. Whatever the texts hold, each command stays one line,
and what it says stays data.
"""

from __future__ import annotations

import enum
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from dmconform.core.text import counted, cut, plain
from dmconform.core.trouble import not_written
from dmconform.core.values import Judgement
from dmconform.report.answers.answer import answer_sentences, answers
from dmconform.report.answers.evidence import Evidence, severity_words
from dmconform.report.answers.facts import changed_groups
from dmconform.report.answers.failures import failure_groups, new_and_known
from dmconform.report.mismatches import mismatch_groups
from dmconform.report.schema import Report
from dmconform.report.summary import SEEN_IN_CELLS, causes, crash_words, summarise

MOST_ANNOTATIONS: Final = 10
"""GitHub shows ten of a kind for a step."""
LONGEST_TEXT: Final = 4000
SUMMARY_BYTES: Final = 1 << 20
"""GitHub takes no more for a step's summary."""


class AnnotationLevel(enum.Enum):
    """The level of an annotation."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True)
class Annotation:
    """A line of the log that GitHub shows on the run's page, and beside a line of a file where it is about one."""

    level: AnnotationLevel
    title: str
    text: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"file={_property(self.file)}," if self.file else ""
        place += f"line={self.line}," if self.file and self.line else ""
        return f"::{self.level.value} {place}title={_property(self.title)}::{_data(self.text)}"


def _property(text: str) -> str:
    """Returns text that cannot end a property of a command."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _data(text: str) -> str:
    """Returns text that cannot end a command or begin another one."""
    return cut(plain(text), LONGEST_TEXT).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def annotations_of_run(report: Report) -> Iterator[Annotation]:
    """Yields what fails and what is missing, the gravest first, then the answer."""
    found = causes(report)
    for change in changed_groups(report):
        level = AnnotationLevel.ERROR if change.counts else AnnotationLevel.WARNING
        parts = (change.words, change.reruns, f"again: {change.reproduce}", change.fix)
        yield Annotation(level, f"{change.where}: changed fact", "\n".join(filter(None, parts)))
    for group in new_and_known(failure_groups(report))[0]:
        if group.judgement is not Judgement.MISMATCH:
            outcome = group.cells[0].outcome.value
            seen = f"{group.words}: {group.text or outcome}" if group.severities else f"{group.words}: {group.record}"
            text = "\n".join(filter(None, [seen, group.reruns, f"again: {group.reproduce}"]))
            yield Annotation(AnnotationLevel.ERROR, f"{group.where}: {outcome}", text)
    for pair in [pair for pair in mismatch_groups(report) if pair.counts]:
        text = f"{counted(pair.count, 'cell')}: {pair.text}\nfirst: {pair.cells[0]}"
        yield Annotation(AnnotationLevel.ERROR, f"{pair.sdk} on {pair.host}: static/run-time mismatch", text)
    for inconsistency in [inconsistency for inconsistency in report.inconsistencies if inconsistency.kind not in SEEN_IN_CELLS]:
        title = f"record {inconsistency.record or ''}: {inconsistency.kind.value}"
        yield Annotation(AnnotationLevel.ERROR, title, f"{inconsistency.text}\nfix: {inconsistency.fix}")
    for cause in [cause for cause in found if cause.judgement is Judgement.ERROR]:
        yield Annotation(
            AnnotationLevel.WARNING, f"{cause.case}: could not run", f"{counted(cause.count, 'cell')}: {cause.text}"
        )
    summary = summarise(report)
    level = {0: AnnotationLevel.NOTICE, 1: AnnotationLevel.ERROR}.get(report.exit_code, AnnotationLevel.WARNING)
    lines = [
        summary.headline,
        *(f"{name}: {_counts(side)}" for name, side in (("official SDKs", summary.official), ("control", summary.control))),
        crash_words(summary),
        *answer_sentences(answers(report)),
    ]
    yield Annotation(level, "dmconform", "\n".join(lines))


def _counts(side: Evidence) -> str:
    failed, known = (f" ({severity_words(one)})" if one else "" for one in (side.failed, side.known))
    return (
        f"{side.cells} supported, {side.ran} ran, {side.passed} pass, {side.new_failures} fail{failed}, "
        f"{side.known_failures} known{known}, {side.not_tested} not tested"
    )


def limited(annotations: Iterable[Annotation]) -> Iterator[Annotation]:
    """Yields as many as GitHub shows, and always the last, which is the answer and says how many were left out."""
    *others, answer = annotations
    seen = Counter([answer.level])
    for one in others:
        seen[one.level] += 1
        if seen[one.level] <= MOST_ANNOTATIONS:
            yield one
    more = sum(max(count - MOST_ANNOTATIONS, 0) for count in seen.values())
    note = f"\n{more} more are not shown here" if more else ""
    yield replace(answer, text=answer.text + note)


def add_to_summary(markdown: str) -> None:
    """Appends to the summary of the job's step; does nothing where there is none.

    Raises:
        HarnessError: GITHUB_STEP_SUMMARY names a file that cannot be written.
    """
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if not place:
        return
    content = markdown.encode()
    if len(content) > SUMMARY_BYTES:
        note = b"\n\nCut: the whole is in the report.\n"
        content = content[: SUMMARY_BYTES - len(note)].decode(errors="ignore").encode() + note
    try:
        with Path(place).open("ab") as file:
            file.write(content)
    except OSError as error:
        raise not_written(f"GITHUB_STEP_SUMMARY={place}", error) from error


def set_output(name: str, value: str) -> None:
    """Sets an output of the job's step; does nothing where there is none. The value is one line.

    Raises:
        UsageError: GITHUB_OUTPUT names a file that cannot be written.
    """
    assert "\n" not in value, f"expected one line as the output {name}, saw {value!r}"
    place = os.environ.get("GITHUB_OUTPUT")
    if not place:
        return
    try:
        with Path(place).open("a", encoding="utf-8") as file:
            file.write(f"{name}={value}\n")
    except OSError as error:
        raise not_written(f"GITHUB_OUTPUT={place}", error) from error


def tell_github(report: Report, markdown: Path) -> None:
    """Prints the annotations of a run, and adds its Markdown to the job's summary."""
    for annotation in limited(annotations_of_run(report)):
        print(annotation)
    add_to_summary(markdown.read_text(encoding="utf-8"))
