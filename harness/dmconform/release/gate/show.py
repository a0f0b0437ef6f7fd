"""A gate's verdict for people: in a terminal, as Markdown, and as annotations of GitHub's."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console

from dmconform.core.terminal import SafeOutput
from dmconform.core.text import counted
from dmconform.report.answers.verdict import GateAnswer, GateVerdict, Reason
from dmconform.report.github import Annotation, AnnotationLevel
from dmconform.report.markdown import code, escape

CELLS_SHOWN = 3
LONGEST_LINE = 600
GLYPHS = {GateAnswer.MAY: "✓", GateAnswer.MAY_NOT: "✗", GateAnswer.UNKNOWN: "■"}
STYLES = {GateAnswer.MAY: "bold green", GateAnswer.MAY_NOT: "bold red", GateAnswer.UNKNOWN: "bold magenta"}


def headline(verdict: GateVerdict) -> str:
    """Returns the answer in one line."""
    why = f" ({counted(len(verdict.reasons), 'reason')})" if verdict.reasons else ""
    return f"{GLYPHS[verdict.answer]} {verdict.subject}: {verdict.answer.value}{why}"


def print_verdict(verdict: GateVerdict, console: Console) -> None:
    """Prints every reason, then the answer."""
    out = SafeOutput(console, LONGEST_LINE, "in the JSON output")
    out.line(f"{verdict.policy}: {verdict.question}", "bold")
    for reason in verdict.reasons:
        out.line("")
        out.line(f"{reason.kind.value}{_count(reason)}", "red" if reason.kind.is_certain else "magenta")
        out.line(f"  {reason.text}")
        for cell in reason.cells[:CELLS_SHOWN]:
            out.line(f"    {cell}")
        if len(reason.cells) > CELLS_SHOWN:
            out.line(f"    and {len(reason.cells) - CELLS_SHOWN} more (--format json has all)")
        if reason.reproduce:
            out.line(f"  next: {reason.reproduce}")
    out.line("")
    for waived in verdict.waived:
        out.line(f"let pass: {counted(waived.cells, 'cell')}: {waived.by}", "dim")
    out.line(f"judged: {verdict.judged}", "dim")
    out.line(f"{verdict.held} of {verdict.cells} asked for hold")
    out.line(headline(verdict), STYLES[verdict.answer])


def _count(reason: Reason) -> str:
    return f": {counted(len(reason.cells), 'cell')}" if reason.cells else ""


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
        yield f"- let pass: {counted(waived.cells, 'cell')}: {escape(waived.by)}"


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
