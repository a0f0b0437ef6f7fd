"""The lines of the answer for a terminal: what the first screen of the page says, in 40 lines of 80 columns."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.cells import cell_len, chop_cells

from dmconform.core.text import counted, first_line, one_line
from dmconform.core.values import Judgement, Outcome, Provider, Relation, Severity, sdk_parts
from dmconform.report.answers.answer import answer_sentences, answers
from dmconform.report.answers.evidence import Evidence, Severities, evidence, is_official, severity_words
from dmconform.report.answers.facts import ChangedGroup, changed_groups, facts_sentences
from dmconform.report.answers.failures import FailureGroup, failure_groups, new_and_known
from dmconform.report.answers.fields import Field, FieldState, fields, state_of
from dmconform.report.answers.notices import notices
from dmconform.report.answers.points import points_sentence
from dmconform.report.answers.verdict import GateAnswer
from dmconform.report.grid import natural
from dmconform.report.modified_builds import compare_builds, modified_alone
from dmconform.report.schema import Report
from dmconform.report.summary import SEEN_IN_CELLS, RunVerdict, Summary, crash_words, summarise, unrun
from dmconform.report.unreleased import development_sdks, development_sentences
from dmconform.spec.expectations import fault_of
from dmconform.spec.findings import Fault

MOST_LINES: Final = 40
MOST_COLUMNS: Final = 80
_LEAST_FOR_FAILURES: Final = 5
_MOST_NOTICES: Final = 6
BUILD_LOG_LINES: Final = 4
_FIELD_COLUMNS: Final = 10
_SDK_COLUMNS: Final = 11
_LONGEST_LABEL: Final = 32
_LONGEST_COMMAND: Final = 2  # rows; a longer one would push everything else out

VERDICT_STYLES = {
    RunVerdict.PASS: "bold green",
    RunVerdict.KNOWN: "bold yellow",
    RunVerdict.FAIL: "bold red",
    RunVerdict.INCOMPLETE: "bold magenta",
    RunVerdict.NOT_TESTED: "bold yellow",
    RunVerdict.CONTROL: "bold",
    RunVerdict.NOTHING: "bold",
}
_STATE_STYLES = {
    FieldState.HOLDS: "green",
    FieldState.KNOWN: "yellow",
    FieldState.FAILS: "bold white on red",
    FieldState.CHANGED: "bold white on red",
    FieldState.INCOMPLETE: "bold magenta",
    FieldState.PARTLY: "yellow",
}
_ANSWER_STYLES = {GateAnswer.MAY: "green", GateAnswer.MAY_NOT: "red", GateAnswer.UNKNOWN: "magenta"}
SHORT_SEVERITIES = {
    Severity.ENDS: "ends",
    Severity.HANGS: "hangs",
    Severity.WRONG: "wrong",
    Severity.REFUSED: "load",
    Severity.MESSAGE: "message",
}
"""The severities in the table, where there is little room; its legend has the long ones."""


@dataclass(frozen=True)
class StyledPart:
    """A part of a line that looks otherwise."""

    start: int
    end: int
    style: str


@dataclass(frozen=True)
class AnswerLine:
    """One line. Its text has no character that does something."""

    text: str
    style: str = ""
    spans: tuple[StyledPart, ...] = ()

    def rows(self, width: int) -> int:
        """Returns how many rows a terminal of a width needs for it."""
        return max(1, -(-cell_len(self.text) // width))


@dataclass(frozen=True)
class _Block:
    """A heading and items of one or more lines, as many of which are shown as there is room for."""

    title: str
    style: str
    items: tuple[tuple[AnswerLine, ...], ...]


def answer_lines(report: Report, width: int = MOST_COLUMNS, where: Path | None = None) -> tuple[AnswerLine, ...]:
    """Returns the answer of a report in at most `MOST_LINES` rows of a terminal.

    Args:
        report: of a run.
        width: of the terminal.
        where: the page or folder with more.
    """
    summary, table = summarise(report), fields(report)
    end = [*_sources(report, width), *_notices(report, table, width), AnswerLine(""), *_end(report, summary, width, where)]
    counts = [*_evidence_table(summary), *_severities(summary, width), *_points(report, width), *_answers(report, width)]
    room = MOST_LINES - _rows((*end, *counts), width)
    shown = _table(report, table, width, room - _LEAST_FOR_FAILURES)
    failures = _fitted(tuple(_blocks(report, width)), width, room - _rows(shown, width))
    return (*shown, *counts, *failures, *end)


def _rows(lines: Iterable[AnswerLine], width: int) -> int:
    return sum(line.rows(width) for line in lines)


def _cut(text: str, width: int) -> str:
    """Returns as much of a text as fits into a width, and a sign where something is missing."""
    text = one_line(text) if text[:1] != " " else f"{text[: len(text) - len(text.lstrip())]}{one_line(text)}"
    return text if cell_len(text) <= width else f"{chop_cells(text, width - 1)[0]}…"


def _wrapped(text: str, width: int, most: int, style: str = "", indent: str = "  ") -> Iterator[AnswerLine]:
    """Yields a text in at most so many rows, the later ones indented."""
    rows = [""]
    for word in one_line(text).split(" "):
        joined = f"{rows[-1]} {word}" if rows[-1].strip() else rows[-1] + word
        if cell_len(joined) <= width or not rows[-1].strip():
            rows[-1] = joined
        else:
            rows.append(indent + word)
    if len(rows) > most:
        rows[most - 1 :] = [" ".join([rows[most - 1], *(row.strip() for row in rows[most:])])]
    yield from (AnswerLine(_cut(row, width), style) for row in rows)


# The table of SDK versions and hosts


def _table(report: Report, table: tuple[Field, ...], width: int, most: int) -> list[AnswerLine]:
    """Returns a row per official SDK version, a column per host, and the control in one row; without them, what there is."""
    supported = [one for one in table if one.relation is Relation.SUPPORTED]
    official = [one for one in supported if sdk_parts(one.sdk)[2] == Provider.OFFICIAL.value]
    labels = {sdk.id: sdk.label for sdk in development_sdks(report)}
    chosen = [one for one in table if one in official or one.sdk in labels] or supported or list(table)
    hosts = sorted({one.host for one in chosen}, key=natural)
    sdks = sorted({one.sdk for one in chosen}, key=natural)
    if not sdks:
        return []
    heading = max(_SDK_COLUMNS, *(min(cell_len(_short(labels.get(one, one))), _LONGEST_LABEL) for one in sdks))
    columns = hosts[-max(1, (width - heading) // (_FIELD_COLUMNS + 1)) :]
    column = min(16, (width - heading) // len(columns) - 1)
    by_pair = {(one.sdk, one.host): one for one in table}
    modified = {host.id for host in report.hosts if host.is_modified}
    heads = [f"{host}*" if host in modified else host for host in columns]
    lines = [_row(_padded("SDK \\ Envoy", heading), [(head, "") for head in heads], column, "bold")]
    room = max(most - 4, 3)
    rows = sdks if len(sdks) <= room else sdks[: room - 1]
    for sdk in rows:
        found = [by_pair.get((sdk, host)) for host in columns]
        is_alone = not supported or sdk in labels
        values = [_shown(one, column, is_alone=is_alone) for one in found]
        lines.append(_row(_padded(_short(labels.get(sdk, sdk)), heading), values, column))
    if official:
        lines.append(_row(_padded("control", heading), [_control(report, host, column) for host in columns], column, "dim"))
    more = [f"{len(sdks) - len(rows)} more SDK versions" if len(sdks) > len(rows) else ""]
    more += [f"{len(hosts) - len(columns)} older hosts" if len(hosts) > len(columns) else ""]
    left_out = " and ".join(filter(None, more))
    if left_out:
        lines.append(AnswerLine(_cut(f"and {left_out}", width), "dim"))
    lines += _wrapped(", ".join(_legend(table, supported, set(columns) & modified)), width, 2, "dim")
    return lines


def _short(sdk: str) -> str:
    """Returns the name of an SDK where the official ones are meant."""
    return sdk.removesuffix(":official")


def _row(head: str, cells: Sequence[tuple[str, str]], column: int, style: str = "") -> AnswerLine:
    """Returns a row of the table; the cells come with their looks."""
    text = head
    spans = []
    for value, look in cells:
        start = len(text) + 1
        text += " " + _padded(value, column)
        spans.append(StyledPart(start, start + len(_cut(value, column)), look))
    return AnswerLine(text.rstrip(), style, tuple(span for span in spans if span.style))


def _padded(text: str, width: int) -> str:
    text = _cut(text, width)
    return text + " " * (width - cell_len(text))


def _shown(field: Field | None, width: int, *, is_alone: bool) -> tuple[str, str]:
    if field is None:
        return "", ""
    if field.state is FieldState.UNSUPPORTED:
        of_all = field.others_passed + sum(field.others.values())
        return (f"· {field.others_passed}/{of_all} pass" if is_alone and of_all else field.state.glyph), "dim"
    return _state(field.state, field.evidence, width, field.changed), _STATE_STYLES.get(field.state, "")


def _state(state: FieldState, shown: Evidence, width: int, changed: int = 0) -> str:
    """Returns the sign of a field and what matters most beside it."""
    if state is FieldState.CHANGED:
        return f"{state.glyph} {changed} changed"
    if state is FieldState.HOLDS:
        return f"{state.glyph} {shown.passed}"
    failures = shown.failed or shown.known
    of_severity = [f"{count} {SHORT_SEVERITIES[one]}" for one, count in failures.items()]
    tested = f"{shown.ran}/{shown.cells}" if state in (FieldState.PARTLY, FieldState.NOT_TESTED, FieldState.INCOMPLETE) else ""
    others = sum(list(failures.values())[1:])
    against = f"{shown.against} to fix" if state is FieldState.FAILS and not shown.failed else ""
    start = " ".join(filter(None, [state.glyph, tested, against, "" if against else "".join(of_severity[:1])]))
    longer = f"{start} +{others}" if others and not against else start
    return longer if cell_len(longer) <= width else start


def _control(report: Report, host: str, width: int) -> tuple[str, str]:
    """Returns all SDKs of the control on a host in one field."""
    cells = [cell for cell in report.cells if cell.host == host and not is_official(cell)]
    supported = any(cell.relation is Relation.SUPPORTED for cell in cells)
    shown = evidence(cells, Severities(report))
    changed = sum(cell.judgement is Judgement.CHANGED for cell in cells)
    state = state_of(shown, is_supported=True, changed=changed)
    return (_state(state, shown, width, changed) if supported or changed else ""), ""


def _legend(table: tuple[Field, ...], supported: list[Field], modified: set[str]) -> Iterator[str]:
    """Yields what the signs of the table mean that are in it."""
    states = {one.state for one in (*supported, *(one for one in table if one.changed))}
    meanings = {
        FieldState.HOLDS: "pass",
        FieldState.KNOWN: "known",
        FieldState.FAILS: "new failures",
        FieldState.CHANGED: "changed facts",
        FieldState.INCOMPLETE: "could not run",
        FieldState.PARTLY: "partly tested",
        FieldState.NOT_TESTED: "not tested",
    }
    yield from (f"{one.glyph} {word}" for one, word in meanings.items() if one in states)
    if any(one.relation is not Relation.SUPPORTED for one in table):
        yield "· not promised"
    if modified:
        yield "* modified build"


# The counts, and what may be released


def _evidence_table(summary: Summary) -> Iterator[AnswerLine]:
    """Yields a row for the official SDKs and one for the control; columns that are empty for both are left out."""
    sides = {"official SDKs": summary.official, "control": summary.control}
    columns = {
        "supported": [one.cells for one in sides.values()],
        "ran": [one.ran for one in sides.values()],
        "pass": [one.passed for one in sides.values()],
        "fail": [one.new_failures for one in sides.values()],
        "known": [one.known_failures for one in sides.values()],
        "changed": [one.changed for one in sides.values()],
        "to fix": [one.against for one in sides.values()],
        "error": [one.errors for one in sides.values()],
        "not tested": [one.not_tested for one in sides.values()],
    }
    kept = {name: values for name, values in columns.items() if name not in ("changed", "to fix", "error") or any(values)}
    least = 6 if 13 + sum(1 + max(6, len(name)) for name in kept) <= MOST_COLUMNS else 5
    heads = " ".join(f"{name:>{max(least, len(name))}}" for name in kept)
    yield AnswerLine(f"{'':<14}{heads}", "dim")
    for place, name in enumerate(sides):
        numbers = " ".join(f"{values[place]:>{max(least, len(head))}}" for head, values in kept.items())
        yield AnswerLine(f"{name:<14}{numbers}")


def _severities(summary: Summary, width: int) -> Iterator[AnswerLine]:
    """Yields how bad what fails of the control is, as the headline has that of the official SDKs, and the count of crashes."""
    parts = [("fail", summary.control.failed), ("known", summary.control.known)]
    text = "; ".join(f"{word}: {severity_words(counts)}" for word, counts in parts if counts)
    if text:
        yield AnswerLine(_cut(f"control, {text}", width), "red" if summary.control.failed else "yellow")
    yield AnswerLine(_cut(crash_words(summary), width), "bold" if summary.crashes else "")


def _points(report: Report, width: int) -> Iterator[AnswerLine]:
    """Yields how many extension points hold, where cases name any."""
    sentence = points_sentence(report)
    if sentence:
        yield from _wrapped(sentence, width, 2)


def _answers(report: Report, width: int) -> Iterator[AnswerLine]:
    """Yields what may be released, what may not, and what stays open."""
    styles = {answer.glyph: _ANSWER_STYLES[answer] for answer in GateAnswer}
    for sentence in answer_sentences(answers(report)):
        yield from _wrapped(sentence, width, 2, styles[sentence[0]])


# What fails, and what did not run


def _blocks(report: Report, width: int) -> Iterator[_Block]:
    """Yields what fails, what could not run, and what is known, in the order of their weight."""
    changed = changed_groups(report)
    if changed:
        yield _changed(changed, width)
    new, known = new_and_known(failure_groups(report))
    if new:
        items = tuple(_new(one, width) for one in new)
        yield _Block(f"New failures: {_sides(new)}, {counted(len(new), 'cause')}", "bold red", items)
    to_fix = [one for one in report.inconsistencies if one.kind not in SEEN_IN_CELLS]
    if to_fix:
        items = tuple(
            (
                AnswerLine(_cut(f"  {one.record or ''}: {one.kind.value}: {one.text}", width)),
                *_command(f"fix: {one.fix}", width),
            )
            for one in to_fix
        )
        yield _Block(f"Records to fix: {len(to_fix)}", "bold red", items)
    errors = [one for one in unrun(report) if one.judgement is Judgement.ERROR]
    if errors:
        reasons = [tuple(_wrapped(f"{one.count}x {one.reason}", width, 3)) for one in errors]
        title = f"Could not run: {counted(sum(one.count for one in errors), 'cell')}"
        yield _Block(title, "bold magenta", (*reasons, *_build_logs(report, width)))
    untested = _not_tested(report)
    if untested:
        head = f"Not tested: {counted(sum(count for count, _ in untested), 'cell')}"
        lines = tuple((AnswerLine(_cut(f"  {count}x {reason}", width)),) for count, reason in untested)
        yield _Block(f"{head}: {untested[0][1]}", "bold", ()) if len(untested) == 1 else _Block(head, "bold", lines)
    if known:
        faults = {one.id: fault_of(one.reason) for one in report.known_failures}
        lines = tuple((AnswerLine(_cut(_known(one, faults.get(one.record or "")), width), "yellow"),) for one in known)
        title = f"Known failures, worst first: {_sides(known)}, {counted(len(known), 'record')}"
        yield _Block(title, "bold", lines)


def _changed(groups: tuple[ChangedGroup, ...], width: int) -> _Block:
    """Returns what is not as on record of a release: first of all, whatever else fails."""
    cells = sum(len(one.cells) for one in groups)
    counts = "" if any(one.counts for one in groups) else ", a warning (--facts warn)"
    items = tuple(
        (
            AnswerLine(_cut(f"≢ {len(one.cells)}x {one.where}", width), "red" if one.counts else "yellow"),
            AnswerLine(_cut(f"    {one.words}", width)),
            *([AnswerLine(_cut(f"    {one.reruns}", width))] if one.reruns else []),
            *_command(one.reproduce, width),
            *_command(one.fix, width),
        )
        for one in groups
    )
    title = f"Changed facts: {counted(cells, 'cell')}, {counted(len(groups), 'change')}{counts}"
    return _Block(_cut(title, width), "bold red" if not counts else "bold yellow", items)


def _sides(groups: Iterable[FailureGroup]) -> str:
    """Returns the number of cells, those of the control apart."""
    official, every = 0, 0
    for one in groups:
        official += one.official
        every += len(one.cells)
    parts = [f"{official} official" if official else "", f"{every - official} control" if every > official else ""]
    return " + ".join(filter(None, parts))


def _build_logs(report: Report, width: int) -> Iterator[tuple[AnswerLine, ...]]:
    """Yields where the log of each build that failed is, and its end."""
    for sdk in report.sdks:
        if sdk.problem and sdk.build_log:
            end = [one_line(line) for line in sdk.problem.splitlines() if one_line(line)][-BUILD_LOG_LINES:]
            texts = [f"  {sdk.label}: the whole log is {sdk.build_log}; its end:", *(f"    {line}" for line in end)]
            yield tuple(AnswerLine(_cut(text, width)) for text in texts)


def _not_tested(report: Report) -> list[tuple[int, str]]:
    """Returns why supported cells of official SDKs were not tested, with their number."""
    found = Counter(
        first_line(cell.detail)
        for cell in report.cells
        if cell.outcome is Outcome.NOT_TESTED and cell.relation is Relation.SUPPORTED and is_official(cell)
    )
    return [(count, reason or "no reason was given") for reason, count in found.most_common()]


def _new(group: FailureGroup, width: int) -> tuple[AnswerLine, ...]:
    what = {
        Judgement.XPASS: f"the record {group.record} no longer applies",
        Judgement.MISMATCH: "static/run-time mismatch",
    }.get(group.judgement, group.words)
    several = f"{len(group.cells)}x " if group.judgement is not Judgement.FAIL else ""
    seen = f": {group.text}" if group.text else ""
    lines = [AnswerLine(_cut(f"✗ {several}{what}: {group.where}{seen}", width), "red")]
    if group.reruns:
        lines.append(AnswerLine(_cut(f"    {group.reruns}", width)))
    return (*lines, *_command(group.reproduce, width))


def _known(group: FailureGroup, fault: Fault | None) -> str:
    whose = f", the {fault.value}'s" if fault is not None else ""
    return f"! {group.words}: {group.record}{whose}"


def _command(text: str, width: int) -> Iterator[AnswerLine]:
    """Yields a command on one line, so that it can be copied; nothing where it is too long to be shown."""
    line = AnswerLine(f"    {one_line(text)}")
    if text and line.rows(width) <= _LONGEST_COMMAND:
        yield line


def _fitted(blocks: tuple[_Block, ...], width: int, room: int) -> list[AnswerLine]:
    """Returns as much of the blocks as there is room for: of each its heading and the first item, then in their order."""
    shown = [0] * len(blocks)
    room -= len(blocks)
    places = range(len(blocks))
    turns = [*places, *(one for one in places for _ in blocks[one].items)]
    for place in turns:
        rest = blocks[place].items[shown[place] :]
        if rest and _rows(rest[0], width) <= room:
            shown[place] += 1
            room -= _rows(rest[0], width)
    lines: list[AnswerLine] = []
    for block, count in zip(blocks, shown, strict=True):
        more = f" ({count} shown)" if count < len(block.items) else ""
        lines.append(AnswerLine(_cut(block.title + more, width), block.style))
        lines += itertools.chain.from_iterable(block.items[:count])
    return lines


# Where it came from, what else there is to know, and the answer


def _sources(report: Report, width: int) -> Iterator[AnswerLine]:
    """Yields where the official SDKs came from that were tested."""
    promised = (cell for cell in report.cells if cell.relation is Relation.SUPPORTED and is_official(cell))
    tested = {cell.sdk for cell in promised if cell.outcome.is_verdict}
    sources: dict[str, dict[str, list[str]]] = {}
    for sdk in report.sdks:
        if sdk.id in tested or sdk.development:
            place = sdk.repository or first_line(sdk.source)
            sources.setdefault(place, {}).setdefault(sdk.commit[:10], []).append(_short(sdk.label))
    if sources:
        parts = (f"{_commits(commits)}{place}" for place, commits in sources.items())
        yield from _wrapped(f"Official SDKs: {'; '.join(parts)}", width, 3, "dim")


def _commits(commits: Mapping[str, list[str]]) -> str:
    """Returns SDKs with their commits, where these are known apart from the source."""
    words = [" ".join([*ids, *([commit] if commit else [])]) for commit, ids in commits.items()]
    return f"{', '.join(words)} of " if any(commits) else f"{' '.join(words)} "


def _notices(report: Report, table: tuple[Field, ...], width: int) -> Iterator[AnswerLine]:
    """Yields what else there is to know, a line each."""
    texts = (
        *facts_sentences(report),
        *development_sentences(report),
        *_modified(report),
        *(one.text for one in notices(report, table)),
    )
    yield from (AnswerLine(_cut(text, width)) for text in texts[:_MOST_NOTICES])


def _modified(report: Report) -> Iterator[str]:
    """Yields what modified builds do unlike clean ones; the star is that of the table."""
    for one in compare_builds(report):
        result = f"{len(one.differences)} of {one.cells} cells that ran on both differ" if one.cells else "no cell ran on both"
        yield f"Envoy {one.modified.id}* beside {one.clean.id}: {result}"
    for host in modified_alone(report):
        yield f"Envoy {host.id}* has no clean host beside it: {host.release.minor} rests on a modified build"


def _end(report: Report, summary: Summary, width: int, where: Path | None) -> Iterator[AnswerLine]:
    yield from _wrapped(f"{summary.verdict.glyph} {summary.headline}", width, 3, VERDICT_STYLES[summary.verdict])
    if report.incomplete_reason:
        yield AnswerLine(_cut(f"  because: {report.incomplete_reason}", width))
    if where is not None:
        yield AnswerLine(f"Report: {one_line(str(where))}")
        folder = one_line(str(where.parent))
        yield AnswerLine(f"Every cause: dmconform show {folder} --details")
