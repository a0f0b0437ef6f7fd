"""A comparison as Markdown: the summary of a job, or the text of an issue."""

from __future__ import annotations

from collections.abc import Iterator

from dmconform.core.text import counted
from dmconform.report.comparison.model import ChangeKind, ReportComparison, Run
from dmconform.report.comparison.show import MEANINGS, ChangeGroup, counts, groups, headline, notes
from dmconform.report.github import Annotation, AnnotationLevel
from dmconform.report.markdown import code, escape

CELLS_SHOWN = 10
SHORT = (ChangeKind.NEW, ChangeKind.GONE)


def render_comparison(comparison: ReportComparison) -> str:
    """Renders the Markdown text of a comparison."""
    return "\n".join(_lines(comparison)).rstrip("\n") + "\n"


def _lines(comparison: ReportComparison) -> Iterator[str]:
    yield f"# {headline(comparison)}"
    yield ""
    yield f"{escape(counts(comparison))}."
    yield ""
    for name, run in (("Old", comparison.old), ("New", comparison.new)):
        yield f"- {name}: {_run(run)}"
    for note in notes(comparison):
        yield f"- Note: {escape(note)}"
    yield ""
    kind: ChangeKind | None = None
    for group in groups(comparison):
        if group.kind is not kind:
            kind = group.kind
            yield f"## {kind.value[:1].upper()}{kind.value[1:]} ({len(comparison.of(kind))}): {MEANINGS[kind]}"
            yield ""
        yield from _group(group)
        yield ""


def _run(run: Run) -> str:
    suite = f"suite {escape(run.suite_version)} ({escape(run.suite_commit)})"
    return f"{escape(run.started_at)}, {suite}, {counted(run.cells, 'cell')}"


def _group(group: ChangeGroup) -> Iterator[str]:
    yield f"- **{escape(group.where)}**, {counted(len(group.changes), 'cell')}" + (
        f", with {group.blame}" if group.blame else ""
    )
    if group.kind in SHORT:
        return
    yield f"  - was: {escape(group.was)}"
    yield f"  - now: {escape(group.now)}"
    for one in group.changes[:CELLS_SHOWN]:
        yield f"  - {code(one.cell)}"
    if len(group.changes) > CELLS_SHOWN:
        yield f"  - and {len(group.changes) - CELLS_SHOWN} more"
    if group.changes[0].reproduce:
        yield f"  - again: {code(group.changes[0].reproduce)}"


def annotations_of_comparison(comparison: ReportComparison) -> Iterator[Annotation]:
    """Yields regressions as errors, lost answers and limits of the comparison as warnings, then the counts."""
    for group in groups(comparison):
        if group.kind in (ChangeKind.CHANGED, ChangeKind.REGRESSION, ChangeKind.FAILURE, ChangeKind.LOST):
            level = AnnotationLevel.WARNING if group.kind is ChangeKind.LOST else AnnotationLevel.ERROR
            first = group.changes[0]
            text = f"{counted(len(group.changes), 'cell')}\nwas: {group.was}\nnow: {group.now}\nagain: {first.reproduce}"
            yield Annotation(level, f"{group.kind.value}: {group.where}", text)
    for warning in comparison.warnings:
        yield Annotation(AnnotationLevel.WARNING, "dmconform diff", warning)
    yield Annotation(AnnotationLevel.NOTICE, "dmconform diff", f"{headline(comparison)} ({counts(comparison)})")
