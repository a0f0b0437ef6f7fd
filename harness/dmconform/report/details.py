"""All that a report has for a terminal: a row per SDK version, a column per host, then every cause, and what did not run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dmconform.binaries.facts import StaticKind
from dmconform.core.terminal import SafeOutput
from dmconform.core.text import counted
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.report.answers.facts import changed_groups, facts_sentences
from dmconform.report.answers.fields import FieldState
from dmconform.report.grid import Grid, grid
from dmconform.report.inconsistencies import FIX_NOTE, MEANINGS, inconsistencies_by_kind
from dmconform.report.marks import MISMATCH_SIGN, OUTCOME_MARKS, SUPPORTED_SIGN, mark
from dmconform.report.mismatches import findings_by_pair, mismatch_groups, static_entries, static_words
from dmconform.report.modified_builds import host_labels, modified_build_sentences
from dmconform.report.point_tables import SIGNS, PointTable, sentences_of, tables_of
from dmconform.report.schema import CellEntry, Report, StaticEntry
from dmconform.report.summary import Cause, Summary, abi_words, causes, summarise, unrun
from dmconform.report.unreleased import development_sentences, sdk_labels

STYLES = {
    "bad": "bold white on red",
    "incomplete": "bold magenta",
    "known": "yellow",
    "not-run": "dim",
    "good": "green",
    "fact-good": "cyan",
    "fact-bad": "blue",
}
LEGEND = (
    f"{SUPPORTED_SIGN} supported. Second line: the host's verdict on the module's ABI string. A word in capitals fails the run."
)
STATIC_LEGEND = "Third line: what the probe's file says, unless it is expected to load; in brackets: symbols that are missing."
LONGEST_LINE = 1000
BUILD_LOG_LINES = 12
DISPUTES_SHOWN = 10
COMPLAINTS_SHOWN = 5
NAMES_SHOWN = 6
Static = Mapping[tuple[str, str], StaticEntry]
POINT_STYLES = {
    FieldState.HOLDS: "green",
    FieldState.KNOWN: "yellow",
    FieldState.FAILS: "bold red",
    FieldState.CHANGED: "bold red",
    FieldState.INCOMPLETE: "bold magenta",
    FieldState.ASKS_NOTHING: "dim",
    FieldState.UNSUPPORTED: "dim",
}
_POINT_WIDTH = 26
_POINT_FIELD_WIDTH = 18
_SDK_WIDTH = 22
_HOST_WIDTH = 17


def print_details(report: Report, console: Console) -> None:
    """Prints the matrix of `report`, every cause of a failure, and every reason why cells did not run.

    Text of the report is printed as text: markup and terminal sequences in it do nothing.
    """
    out = SafeOutput(console, LONGEST_LINE, "in report.json")
    summary = summarise(report)
    for table in _tables(report, out):
        console.print(table)
    out.line(LEGEND, "dim")
    if any(entry.kind is not StaticKind.LOADS for entry in report.static):
        out.line(STATIC_LEGEND, "dim")
    for sentence in development_sentences(report):
        out.line(sentence, "yellow")
    for sentence in modified_build_sentences(report):
        out.line(sentence, "dim")
    _print_points(out, console, report)
    _print_changed(out, report)
    _print_disputes(out, report)
    found = causes(report)
    _print_causes(out, "New failures", [cause for cause in found if cause.judgement is Judgement.FAIL])
    _print_causes(
        out, "Known failures that no longer apply (xpass)", [cause for cause in found if cause.judgement is Judgement.XPASS]
    )
    _print_inconsistencies(out, report)
    _print_causes(out, "Known failures", [cause for cause in found if cause.judgement is Judgement.XFAIL])
    _print_facts(out, summary, [cause for cause in found if cause.judgement is Judgement.INFORMATIONAL])
    _print_unrun(out, report)
    _print_findings(out, report)
    out.line("")
    out.line(
        f"{summary.planned} planned, {summary.ran} ran, "
        + ", ".join(f"{summary.by_outcome[it]} {it.value}" for it in Outcome if not it.is_verdict)
        + (f", {summary.missing} never begun" if summary.missing else "")
        + f"; {report.duration_s:.1f} s"
    )


def _tables(report: Report, out: SafeOutput) -> Iterator[Table]:
    """Yields the matrix; cut into several tables where the hosts do not fit side by side."""
    layout, static, labels = grid(report), static_entries(report), host_labels(report) | sdk_labels(report)
    at_once = max(1, (out.width - _SDK_WIDTH) // _HOST_WIDTH)
    for start in range(0, len(layout.hosts), at_once):
        yield _table(layout, static, layout.hosts[start : start + at_once], labels, out)


def _table(layout: Grid, static: Static, hosts: Sequence[str], labels: Mapping[str, str], out: SafeOutput) -> Table:
    """Returns the matrix of some hosts.

    Args:
        layout: the whole matrix.
        static: the static analysis, by SDK and host.
        hosts: the columns.
        labels: how hosts and SDKs are named, by id.
        out: makes texts safe.
    """
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("SDK \\ host", overflow="fold", max_width=_SDK_WIDTH)
    for host in hosts:
        table.add_column(out.text(labels.get(host, host)), overflow="fold", min_width=_HOST_WIDTH - 3)
    for group in layout.groups:
        table.add_section()
        for sdk in group.sdks:
            cells = [(layout.column(sdk.sdk, host), static.get((sdk.sdk, host))) for host in hosts]
            if any(column for column, _ in cells):
                table.add_row(out.text(labels.get(sdk.sdk, sdk.sdk)), *(_pair(column, its, out) for column, its in cells))
    return table


def _pair(cells: list[CellEntry], static: StaticEntry | None, out: SafeOutput) -> Text:
    """Describes the cells of one SDK on one host."""
    if not cells:
        return Text("")
    text = out.text(SUPPORTED_SIGN + " " if any(cell.relation is Relation.SUPPORTED for cell in cells) else "  ")
    text.pad_right(2 - len(text.plain))
    counts = Counter(mark(cell).word for cell in cells)
    # One look per word: that of the supported cells, where some of them are.
    styles = {
        its.word: its.style for its in sorted((mark(cell) for cell in cells), key=lambda its: not its.style.startswith("fact"))
    }
    ran = sum(cell.outcome.is_verdict for cell in cells)
    for position, (word, count) in enumerate(sorted(counts.items(), key=lambda it: not styles[it[0]].endswith("good"))):
        style = styles[word]
        of_all = f"/{ran}" if style.endswith("good") and count == ran else ""
        text.append(" " if position else "")
        text.append(f"{count}{of_all} {word}", style=STYLES[style])
    printed = abi_words(cells)
    if printed:
        text.append(f"\n  {printed}", style="dim" if printed == "matched" else "")
    differ = any(cell.mismatch is not None for cell in cells)
    if static is not None and (differ or static.kind is not StaticKind.LOADS):
        sign = f"{MISMATCH_SIGN} " if differ else ""
        text.append(f"\n  {sign}{static_words(static)}", style="bold red" if differ else "")
    return text


def _print_points(out: SafeOutput, console: Console, report: Report) -> None:
    """Prints a table of extension points for each language and provider, and the answers in words."""
    found = tables_of(report)
    if not found:
        return
    out.line("")
    out.line("Extension points", "bold")
    out.line(SIGNS, "dim")
    at_once = max(1, (out.width - _POINT_WIDTH) // _POINT_FIELD_WIDTH)
    for one in found:
        for start in range(0, len(one.columns), at_once):
            console.print(_point_table(one, start, start + at_once, out))
    for sentence in sentences_of(report):
        out.line(f"  {sentence.text}", POINT_STYLES.get(sentence.state, ""))


def _point_table(found: PointTable, start: int, end: int, out: SafeOutput) -> Table:
    """Returns some columns of a table of extension points."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column(out.text(found.title), overflow="fold", max_width=_POINT_WIDTH)
    for column in found.columns[start:end]:
        table.add_column(out.text(f"{column.version} → {column.host_label}"), overflow="fold", max_width=_POINT_FIELD_WIDTH)
    for row in found.rows:
        shown = [
            out.text(one.short, POINT_STYLES.get(one.state, "")) if one is not None else Text("")
            for one in row.fields[start:end]
        ]
        table.add_row(out.text(row.point), *shown)
    return table


def _print_disputes(out: SafeOutput, report: Report) -> None:
    found = mismatch_groups(report)
    if not found:
        return
    against = sum(it.count for it in found if it.counts)
    cells = counted(sum(it.count for it in found), "cell")
    out.line("")
    out.line(f"{MISMATCH_SIGN} Static/run-time mismatch: {cells}, {against} failing", "bold")
    for it in found[:DISPUTES_SHOWN]:
        out.line(f"  {it.count}x {it.sdk} on {it.host}", "red" if it.counts else "yellow")
        out.line(f"      {it.text}")
        out.line(f"      first: {it.cells[0]}")
    if len(found) > DISPUTES_SHOWN:
        out.line(f"  and {len(found) - DISPUTES_SHOWN} more pairs of SDK and host, in the report")


def _print_inconsistencies(out: SafeOutput, report: Report) -> None:
    if not report.inconsistencies:
        return
    out.line("")
    out.line(f"Expectations to fix: {counted(len(report.inconsistencies), 'inconsistency')}. {FIX_NOTE}", "bold")
    for kind, found in inconsistencies_by_kind(report).items():
        out.line(f"  {kind.value} ({len(found)}): {MEANINGS[kind]}", "red")
        for it in found[:COMPLAINTS_SHOWN]:
            subject = it.record or it.cells[0]
            more = f" ({counted(len(it.cells), 'cell')})" if it.cells else ""
            out.line(f"    {subject}{more}: {it.text}")
            out.line(f"      fix: {it.fix}")
        if len(found) > COMPLAINTS_SHOWN:
            out.line(f"    and {len(found) - COMPLAINTS_SHOWN} more of this kind, in the report")


def _print_changed(out: SafeOutput, report: Report) -> None:
    groups = changed_groups(report)
    if groups:
        out.line("")
        cells = sum(len(one.cells) for one in groups)
        out.line(f"Changed facts: {counted(cells, 'cell')}, {counted(len(groups), 'change')}", "bold")
    for one in groups:
        out.line(f"  ≢ {len(one.cells)}x {one.where}{'' if one.counts else ' (a warning)'}", "red" if one.counts else "yellow")
        for change in one.changed:
            out.line(f"      {change.words}")
        out.line(f"      on record since {one.since}")
        if one.reruns:
            out.line(f"      {one.reruns}")
        out.line(f"      again: {one.reproduce}" if one.reproduce else f"      first: {one.cells[0].id}")
        out.line(f"      {one.fix}")
    for sentence in facts_sentences(report):
        out.line(sentence, "dim")


def _print_findings(out: SafeOutput, report: Report) -> None:
    if not report.abi_findings:
        return
    out.line("")
    out.line(f"ABI changes that break modules already built: {len(report.abi_findings)} (informational)", "bold")
    for pair, found in findings_by_pair(report).items():
        names = list(dict.fromkeys(it.subject or it.kind for it in found))
        more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
        out.line(f"  {pair}: {len(found)}: {', '.join(names[:NAMES_SHOWN])}{more}")


def _print_causes(out: SafeOutput, title: str, found: list[Cause]) -> None:
    if not found:
        return
    out.line("")
    out.line(f"{title}: {counted(sum(cause.count for cause in found), 'cell')}, {counted(len(found), 'cause')}", "bold")
    for cause in found:
        glyph, _ = OUTCOME_MARKS[cause.outcome]
        style = STYLES["known"] if cause.judgement is Judgement.XFAIL else "red"
        out.line(f"  {glyph} {cause.count}x {cause.case}: {cause.outcome.value}", style)
        if cause.text:
            out.line(f"      {cause.text}")
        if cause.record:
            hint = "; it no longer applies: remove or correct it" if cause.judgement is Judgement.XPASS else ""
            out.line(f"      record: {cause.record}{hint}")
        if cause.reruns:
            out.line(f"      {cause.reruns}")
        out.line(f"      again: {cause.reproduce}" if cause.reproduce else f"      first: {cause.cells[0]}")


def _print_facts(out: SafeOutput, summary: Summary, found: list[Cause]) -> None:
    if not summary.other_ran:
        return
    out.line("")
    out.line(
        f"Legacy and unsupported: {summary.other_passed} of {summary.other_ran} cells that ran pass (informational)", "bold"
    )
    by_outcome: dict[Outcome, int] = {}
    for cause in found:
        by_outcome[cause.outcome] = by_outcome.get(cause.outcome, 0) + cause.count
    for outcome, count in by_outcome.items():
        out.line(f"  {OUTCOME_MARKS[outcome][0]} {count}x {outcome.value}")


def _print_unrun(out: SafeOutput, report: Report) -> None:
    groups = unrun(report)
    if not groups:
        return
    out.line("")
    out.line(f"Did not run: {counted(sum(group.count for group in groups), 'cell')}", "bold")
    for group in groups:
        counts = group.judgement is Judgement.ERROR
        outcome = group.outcome.value.upper() if counts else group.outcome.value
        out.line(f"  {group.count}x {outcome}: {group.reason}", STYLES["incomplete"] if counts else "")
    for sdk in report.sdks:
        if sdk.problem and sdk.build_log:
            out.line(f"  {sdk.id}: the whole log is {sdk.build_log} in the report's folder; its end:")
            for line in sdk.problem.splitlines()[-BUILD_LOG_LINES:]:
                out.line(f"      {line}")
