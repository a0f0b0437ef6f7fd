"""A gate's verdict for people: in a terminal, as Markdown, and as annotations of GitHub's."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from rich.console import Console

from dmconform.core.terminal import SafeOutput
from dmconform.core.text import counted
from dmconform.report.answers.verdict import GateAnswer, GateVerdict, Reason, Waived
from dmconform.report.github import Annotation, AnnotationLevel
from dmconform.report.markdown import code, escape

CELLS_SHOWN = 3
REASONS_SHOWN = 8
WAIVED_SHOWN = 8
LONGEST_LINE = 300
STYLES = {GateAnswer.MAY: "bold green", GateAnswer.MAY_NOT: "bold red", GateAnswer.UNKNOWN: "bold magenta"}


def headline(verdict: GateVerdict) -> str:
    """Returns the answer in one line."""
    why = f" ({counted(len(verdict.reasons), 'reason')})" if verdict.reasons else ""
    return f"{verdict.answer.glyph} {verdict.subject}: {verdict.answer_words}{why}"


def print_verdict(verdict: GateVerdict, console: Console) -> None:
    """Prints the reasons, the worst first, then the answer."""
    out = SafeOutput(console, LONGEST_LINE, "in the JSON output")
    out.line(f"{verdict.policy}: {verdict.question}", "bold")
    for reason, command in _shown(verdict):
        out.line(f"{reason.kind.value}{_count(reason)}", "red" if reason.kind.is_certain else "magenta")
        out.line(f"  {reason.text}")
        for cell in _cells(reason):
            out.line(f"    {cell}")
        if command:
            out.line(f"  next: {command}")
    if len(verdict.reasons) > REASONS_SHOWN:
        out.line(f"and {counted(len(verdict.reasons) - REASONS_SHOWN, 'more reason')}: --format json has all", "magenta")
    for waived in verdict.waived[:WAIVED_SHOWN]:
        out.line(f"let pass: {_waived(waived)}", "dim")
    if len(verdict.waived) > WAIVED_SHOWN:
        more = verdict.waived[WAIVED_SHOWN:]
        cells = counted(sum(one.cells for one in more), "cell")
        out.line(f"let pass: {cells} for {counted(len(more), 'more cause')}: --format json has all", "dim")
    out.line(f"judged: {verdict.judged}", "dim")
    out.line(f"{verdict.held} of {verdict.cells} asked for hold")
    out.line(headline(verdict), STYLES[verdict.answer])


def _shown(verdict: GateVerdict) -> Iterator[tuple[Reason, str]]:
    """Yields the reasons that are shown, each with its command; one that several have in a row comes after the last."""
    reasons = verdict.reasons[:REASONS_SHOWN]
    for reason, following in itertools.zip_longest(reasons, reasons[1:]):
        same = following is not None and following.reproduce == reason.reproduce
        yield reason, "" if same else reason.reproduce


def _cells(reason: Reason) -> Iterator[str]:
    """Yields a few cells; the command has the first where it shows that one."""
    if reason.cells and reason.cells[0] not in reason.reproduce:
        yield from reason.cells[:CELLS_SHOWN]
        if len(reason.cells) > CELLS_SHOWN:
            yield f"and {len(reason.cells) - CELLS_SHOWN} more: --format json has all"


def _count(reason: Reason) -> str:
    return f": {counted(len(reason.cells), 'cell')}" if reason.cells else ""


def _waived(waived: Waived) -> str:
    severity = f", {waived.severity.value}" if waived.severity is not None else ""
    return f"{counted(waived.cells, 'cell')}{severity}: {waived.by}"


def render_verdict(verdict: GateVerdict) -> str:
    """Renders the verdict as Markdown."""
    return "\n".join(_lines(verdict)) + "\n"


def _lines(verdict: GateVerdict) -> Iterator[str]:
    yield f"# {escape(headline(verdict))}"
    yield ""
    yield f"{escape(verdict.policy)}: {escape(verdict.question)} {verdict.held} of {verdict.cells} asked for hold."
    yield f"Judged: {escape(verdict.judged)}."
    yield ""
    for reason in verdict.reasons:
        yield f"- **{reason.kind.value}**{_count(reason)}: {escape(reason.text)}"
        for cell in reason.cells[:CELLS_SHOWN]:
            yield f"  - {code(cell)}"
        if len(reason.cells) > CELLS_SHOWN:
            yield f"  - and {len(reason.cells) - CELLS_SHOWN} more"
        if reason.reproduce:
            yield f"  - next: {code(reason.reproduce)}"
    for waived in verdict.waived:
        yield f"- let pass: {escape(_waived(waived))}"


def _annotated(reason: Reason) -> str:
    lines = [f"{reason.text}{_count(reason)}", *reason.cells[:CELLS_SHOWN]]
    return "\n".join([*lines, f"next: {reason.reproduce}"] if reason.reproduce else lines)


def annotations_of_verdict(verdict: GateVerdict) -> Iterator[Annotation]:
    """Yields an annotation for each reason, then one for the answer."""
    for reason in verdict.reasons:
        level = AnnotationLevel.ERROR if reason.kind.is_certain else AnnotationLevel.WARNING
        yield Annotation(level, f"{verdict.policy}: {reason.kind.value}", _annotated(reason))
    level = {
        GateAnswer.MAY: AnnotationLevel.NOTICE,
        GateAnswer.MAY_NOT: AnnotationLevel.ERROR,
        GateAnswer.UNKNOWN: AnnotationLevel.WARNING,
    }[verdict.answer]
    yield Annotation(level, "dmconform gate", headline(verdict))
