"""The report as Markdown, for a pull request's comment or a CI job's summary, and as long as one may be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from dmconform.binaries.facts import StaticKind
from dmconform.core.text import cut, first_line, one_line
from dmconform.core.values import Judgement, Outcome, Provider, Relation, sdk_parts
from dmconform.report.answers.answer import answer_sentences, answers
from dmconform.report.answers.evidence import Evidence, severity_words
from dmconform.report.answers.facts import changed_groups, facts_sentences
from dmconform.report.answers.fields import Field, FieldState, field_words, fields
from dmconform.report.answers.notices import notices
from dmconform.report.coverage import coverage, coverage_sentence, envoy_test_counts, envoy_tests_sentence
from dmconform.report.fitting import CLOSING_CHARS, Fitted, ReportSection, fit, left_out_sentence, size_of
from dmconform.report.grid import Grid, SdkGroup, grid, natural
from dmconform.report.inconsistencies import FIX_NOTE, inconsistencies_by_kind
from dmconform.report.marks import FINDINGS_NOTE, JUDGEMENT_MEANINGS, MISMATCH_SIGN, NEARBY, OUTCOME_MARKS, SUPPORTED_SIGN, mark
from dmconform.report.mismatches import abi_pair_sentence, mismatch_groups, static_entries, static_rows, static_words
from dmconform.report.modified_builds import host_labels, modified_build_sentences
from dmconform.report.point_tables import SIGNS, sentences_of, tables_of
from dmconform.report.schema import CellEntry, Report, SdkEntry, StaticEntry
from dmconform.report.slowest import slowest, waits_in_words
from dmconform.report.summary import FAILURES, Cause, Summary, abi_words, causes, crash_words, summarise, unrun
from dmconform.report.unreleased import development_sentences
from dmconform.sdks.catalogue import development_label
from dmconform.spec.cases import Level

LIMIT: Final = 60_000
"""Characters of the whole. GitHub refuses a comment of a pull request with more than 65,536."""
FIRST_CHARS: Final = 8_000
"""Of these at most for the table of SDKs and hosts, and what may be released."""
CHANGED_CHARS: Final = 8_000
"""Of these at most for what is not as on record of a release."""
FAILURES_CHARS: Final = 14_000
"""Of these at most for new failures. One row has less than 10,000, so one is always there."""
ANSWER_CHARS: Final = 16_000
"""Of these at most for what else counts as a failure and the matrix in short, so that there is room for details."""
LONGEST_TEXT = 400
NAMES_SHOWN = 5
_LOUD_WORDS = {
    Judgement.FAIL: "FAIL",
    Judgement.XPASS: "XPASS",
    Judgement.MISMATCH: "MISMATCH",
    Judgement.CHANGED: "CHANGED",
    Judgement.ERROR: "ERROR",
}
# What is markup anywhere in a line. An underscore within a word, or an @ between one and a digit as in rust@1.39, is none.
_SPECIAL = re.compile(
    r"[\\`*\[\]#|<>&~$]|(?<![A-Za-z0-9])[_@]|@(?![0-9])|_(?![A-Za-z0-9])|:(?=//)|(?<=www)\.", re.IGNORECASE | re.ASCII
)


def render_markdown(report: Report) -> str:
    """Returns the Markdown text of `report`, at most `LIMIT` characters.

    The summary and what counts as a failure come first, then the matrix per language and provider, then details, folded,
    as far as they fit: each part gets the room that those before it left.
    """
    summary, layout, found = summarise(report), grid(report), causes(report)
    head = [f"# {summary.verdict.glyph} {escape(summary.headline)}", ""]
    if report.incomplete_reason:
        head += [f"The run is incomplete: {escape(report.incomplete_reason)}", ""]
    head += [*evidence_table(summary), f"{crash_words(summary)}.", ""]
    head += _table(
        ("planned", "ran", *(it.value for it in Outcome)),
        [(str(summary.planned), str(summary.ran), *(str(summary.by_outcome[it]) for it in Outcome))],
    )
    head += _table(
        [it.value for it in Judgement],
        [[str(summary.by_judgement[it]) for it in Judgement]],
    )
    head += [
        f"Legacy and unsupported: {summary.other_passed} of {summary.other_ran} cells that ran pass; this is informational.",
        "",
        _run(report),
        "",
    ]
    static = static_entries(report)
    failures = _causes("New failures", [cause for cause in found if cause.judgement in FAILURES])
    informational = [cause for cause in found if cause.judgement is Judgement.INFORMATIONAL]
    details = (
        _details(report, found),
        [_matrix(static, layout, group) for group in layout.groups],
        [*_causes("Legacy or unsupported, and did not pass", informational), *_slowest(report), *_point_answers(report)],
    )
    parts = [
        (_changed(report), CHANGED_CHARS),
        (_first_screen(report), FIRST_CHARS),
        (failures, FAILURES_CHARS),
        (_answer(report, layout), ANSWER_CHARS),
        *(([replace(section, folded=True) for section in sections], LIMIT) for sections in details),
    ]
    room = LIMIT - CLOSING_CHARS - size_of(head)
    fitted: list[Fitted] = []
    for sections, most in parts:
        fitted.append(fit(sections, min(most, room)))
        room -= size_of(fitted[-1].lines)
    lines = [*head, *(line for one in fitted for line in one.lines)]
    lines.append(left_out_sentence([title for one in fitted for title in one.left_out]))
    return "\n".join(lines).rstrip("\n") + "\n"


def evidence_table(summary: Summary) -> list[str]:
    """Returns a table of what the supported cells of the official SDKs show, and those of the control."""
    heads = ("supported cells of", "all", "ran", "pass", "fail", "known", "changed", "to fix", "error", "not tested")
    sides = {"the official SDKs": summary.official, "the reference SDK (control)": summary.control}
    return _table(heads, [_evidence_row(name, side) for name, side in sides.items()])


def _evidence_row(name: str, side: Evidence) -> list[str]:
    """Returns what the supported cells of a provider show, as the cells of a table; severities are beside the counts."""
    failed, known = (f" ({severity_words(one)})" if one else "" for one in (side.failed, side.known))
    counts = (side.cells, side.ran, side.passed)
    rest = (side.changed, side.against, side.errors, side.not_tested)
    return [name, *map(str, counts), f"{side.new_failures}{failed}", f"{side.known_failures}{known}", *map(str, rest)]


def _first_screen(report: Report) -> list[ReportSection]:
    """Returns the table of SDKs and hosts, what may be released, and what else there is to know."""
    table = fields(report)
    lines = tuple(f"- {escape(one)}" for one in answer_sentences(answers(report)))
    notes = tuple(f"- {escape(one)}" for one in (*facts_sentences(report), *(it.text for it in notices(report, table))))
    return [
        *field_sections(table, host_labels(report)),
        *([ReportSection("May it be released?", lines)] if lines else []),
        *([ReportSection("Beside the answer", notes)] if notes else []),
    ]


def field_sections(table: Iterable[Field], labels: Mapping[str, str]) -> list[ReportSection]:
    """Returns the table of official SDK versions and hosts, and that of the control; empty where nothing is promised.

    `labels`: how each host is named, by its id.
    """
    sections = []
    for is_control, title in ((False, "Official SDKs"), (True, "Control (reference SDK)")):
        its = [one for one in table if (sdk_parts(one.sdk)[2] != Provider.OFFICIAL.value) is is_control]
        its = [one for one in its if one.relation is Relation.SUPPORTED]
        hosts = sorted({one.host for one in its}, key=natural)
        by_pair = {(one.sdk, one.host): field_words(one) for one in its}
        rows = [
            (escape(sdk), *(escape(by_pair.get((sdk, host), "·")) for host in hosts))
            for sdk in sorted({one.sdk for one in its}, key=natural)
        ]
        if rows:
            sections.append(table_section(title, ("SDK", *(f"Envoy {escape(labels.get(host, host))}" for host in hosts)), rows))
    return sections


def _answer(report: Report, layout: Grid) -> list[ReportSection]:
    """Returns what else can count as a failure, and the matrix in short."""
    return [
        *_disputes(report),
        *_inconsistencies(report),
        *_points(report),
        ReportSection("Matrix", fixed=(_legend(),)),
        *(_overview(layout, group, host_labels(report)) for group in layout.groups),
        *_named_for_what_they_are(report),
    ]


def _details(report: Report, found: Iterable[Cause]) -> list[ReportSection]:
    """Returns what is known, what did not run, what the run found in the ABI and the documents, and what ran."""
    return [
        *_causes("Known failures", [cause for cause in found if cause.judgement is Judgement.XFAIL]),
        *_records(report),
        *_unrun(report),
        *_findings(report),
        *_static(report),
        *_coverage(report),
        *_hosts(report),
        *_sdks(report),
        *_point_answers(report),
    ]


def _points(report: Report) -> list[ReportSection]:
    """Returns a table of extension points for each language and provider."""
    tables = [
        table_section(
            escape(table.title),
            ("extension point", *(f"{escape(one.version)} → {escape(one.host_label)}" for one in table.columns)),
            [(escape(row.point), *(escape(one.short) if one is not None else "" for one in row.fields)) for row in table.rows],
            level=3,
        )
        for table in tables_of(report)
    ]
    return [ReportSection("Extension points", fixed=(f"{escape(SIGNS)}.",)), *tables] if tables else []


def _point_answers(report: Report) -> list[ReportSection]:
    """Returns the answer for each extension point, SDK version and host, in words."""
    lines = tuple(f"- {escape(one.text)}" for one in sentences_of(report))
    return [ReportSection("Extension points in words", lines)] if lines else []


def escape(text: str) -> str:
    """Escapes untrusted text as Markdown text on one line; nothing in it is markup, a link, a mention or HTML."""
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", cut(one_line(text), LONGEST_TEXT))


def code(text: str) -> str:
    """Sets untrusted text as code, on one line and whole, as it may be a command. HTML, because a code span cannot hold `|`."""
    return f"<code>{_SPECIAL.sub(lambda found: f'&#{ord(found[0])};', one_line(text))}</code>" if text else ""


def _command(text: str) -> str:
    """Sets a command as code if it is short enough to be shown whole: one that was cut would do something else."""
    return code(text) if len(text) <= LONGEST_TEXT else "in `report.json`"


def _run(report: Report) -> str:
    suite = f"{report.environment.suite_version} ({report.environment.suite_commit})"
    return f"Run on {escape(report.started_at)}, {report.duration_s:.1f} s, suite {escape(suite)}: {_command(report.command)}"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Returns a table of cells that are escaped already."""
    heads = list(heads)
    return [
        "| " + " | ".join(heads) + " |",
        "|" + " --- |" * len(heads),
        *_rows(rows),
        "",
    ]


def _rows(rows: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Returns the lines of a table's rows; their cells are escaped already."""
    return tuple("| " + " | ".join(row) + " |" for row in rows)


def table_section(
    title: str, heads: Iterable[str], rows: Iterable[Iterable[str]], note: str = "", level: int = 2
) -> ReportSection:
    """Returns a section with one table.

    Args:
        title: escaped, as all texts here.
        heads: of the table's columns.
        rows: each has as many cells.
        note: a paragraph before the table.
        level: of the heading.
    """
    table = _table(heads, ())[:-1]
    return ReportSection(title, _rows(rows), (*((note, "") if note else ()), *table), level)


def _legend() -> str:
    outcomes = ", ".join(f"{glyph} {word}" for glyph, word in OUTCOME_MARKS.values())
    return (
        f"{SUPPORTED_SIGN} supported: how many cells pass, and how many fail as recorded (xfail). Other pairs: how many of the "
        f"cells that ran pass. Case by case: {outcomes}. A word in capitals fails the run. "
        f"{MISMATCH_SIGN} static/run-time mismatch."
    )


def _named_for_what_they_are(report: Report) -> list[ReportSection]:
    """Returns which SDKs are no release, and what modified builds of Envoy do unlike the clean ones of their minors."""
    parts = {
        "Unreleased SDKs": development_sentences(report),
        "Modified builds": modified_build_sentences(report),
    }
    return [
        ReportSection(title, tuple(f"- {escape(sentence)}" for sentence in sentences), level=3)
        for title, sentences in parts.items()
        if sentences
    ]


def _overview(layout: Grid, group: SdkGroup, labels: Mapping[str, str]) -> ReportSection:
    """Returns a row per minor of an SDK, a column per host."""
    hosts = [host for host in layout.hosts if any(host in sdk.hosts for sdk in group.sdks)]
    rows = ((escape(sdk.shown), *(escape(pair_words(layout.column(sdk.sdk, host))) for host in hosts)) for sdk in group.sdks)
    return table_section(
        escape(group.title), ("SDK", *(f"Envoy {escape(labels.get(host, host))}" for host in hosts)), rows, level=3
    )


def pair_words(cells: Iterable[CellEntry]) -> str:
    """Returns how the cells of one SDK version on one host ended, in short; empty if there are none.

    What counts as a failure comes first and in capitals. Then supported cells are counted, or, if none of them ran, how
    many of the others that ran pass.
    """
    cells = list(cells)
    judged = Counter(cell.judgement for cell in cells)
    loud = [f"{judged[one]} {_LOUD_WORDS[one]}" for one in _LOUD_WORDS if judged[one]]
    counted = [(judged[Judgement.PASS], "pass"), (judged[Judgement.XFAIL], "xfail")]
    words = [*loud, *(f"{count} {word}" for count, word in counted if count)]
    if words:
        supported = [cell for cell in cells if cell.relation is Relation.SUPPORTED]
        not_tested = sum(cell.outcome is Outcome.NOT_TESTED for cell in supported)
        words += [f"{not_tested} not tested"] if not_tested else []
        return f"{SUPPORTED_SIGN}{_sign(judged, not_tested)} {', '.join(words)}"
    ran = [cell for cell in cells if cell.outcome.is_verdict]
    if ran:
        return f"{sum(cell.outcome is Outcome.PASS for cell in ran)} of {len(ran)}"
    return "/".join(dict.fromkeys(" ".join(OUTCOME_MARKS[cell.outcome]) for cell in cells))


def _sign(judged: Counter[Judgement], not_tested: int) -> str:
    """Returns the sign of supported cells: what is known, could not run or was not tested is no tick."""
    signs = (
        (sum(count for one, count in judged.items() if one.is_red), FieldState.FAILS),
        (judged[Judgement.ERROR], FieldState.INCOMPLETE),
        (not_tested, FieldState.PARTLY),
        (judged[Judgement.XFAIL], FieldState.KNOWN),
    )
    return next((state for count, state in signs if count), FieldState.HOLDS).glyph


def _matrix(static: Mapping[tuple[str, str], StaticEntry], layout: Grid, group: SdkGroup) -> ReportSection:
    """Returns a row per case. The section is whole or left out, as some cases of hundreds would be an arbitrary choice."""
    columns = [(sdk, host) for sdk in group.sdks for host in sdk.hosts]
    rows = [
        ["ABI string", *(escape(abi_words(layout.column(sdk.sdk, host))) for sdk, host in columns)],
        ["static analysis", *(escape(static_words(static.get((sdk.sdk, host)))) for sdk, host in columns)],
    ]
    for case in layout.cases:
        cells = [layout.cells.get((case, sdk.sdk, host)) for sdk, host in columns]
        if any(cells):
            rows.append([escape(case), *(_shown(cell) if cell is not None else "" for cell in cells)])
    heads = ["case", *(f"{escape(sdk.shown)} → {escape(host)}" for sdk, host in columns)]
    return ReportSection(f"{escape(group.title)}: every case", fixed=tuple(_table(heads, rows)[:-1]))


def _shown(cell: CellEntry) -> str:
    return f"{SUPPORTED_SIGN if cell.relation is Relation.SUPPORTED else ''}{mark(cell)}"


def _causes(title: str, found: list[Cause]) -> list[ReportSection]:
    if not found:
        return []
    rows = [
        (
            str(cause.count),
            escape(cause.case),
            f"{OUTCOME_MARKS[cause.outcome][0]} {cause.outcome.value}"
            + (f" ({JUDGEMENT_MEANINGS[Judgement.XPASS]})" if cause.judgement is Judgement.XPASS else ""),
            code(cut(cause.text, LONGEST_TEXT)) + (f"<br>{escape(cause.reruns)}" if cause.reruns else ""),
            _command(cause.reproduce),
        )
        for cause in found
    ]
    return [table_section(title, ("cells", "case", "outcome", "what was seen", "to see one again"), rows)]


def _changed(report: Report) -> list[ReportSection]:
    """Returns what is not as on record of a release; it comes first, as no promise need be about it."""
    rows = [
        (
            str(len(one.cells)),
            "FAILS the run" if one.counts else "a warning",
            escape(one.where),
            escape(one.words) + (f"<br>{escape(one.reruns)}" if one.reruns else ""),
            escape(one.since),
            _command(one.reproduce),
            escape(one.fix),
        )
        for one in changed_groups(report)
    ]
    heads = ("cells", "", "where", "what changed", "on record since", "to see one again", "next")
    return [table_section("Changed facts", heads, rows)] if rows else []


def _disputes(report: Report) -> list[ReportSection]:
    found = mismatch_groups(report)
    if not found:
        return []
    rows = (
        (
            str(it.count),
            "FAILS the run" if it.counts else "informational",
            escape(it.sdk),
            escape(it.host),
            escape(it.text),
            _command(it.cells[0]),
        )
        for it in found
    )
    heads = ("cells", "counts", "SDK", "host", "how they differ", "for instance")
    return [table_section(f"{MISMATCH_SIGN} Static/run-time mismatch", heads, rows)]


def _inconsistencies(report: Report) -> list[ReportSection]:
    rows = [
        (
            kind.value,
            escape(it.record or ""),
            str(len(it.cells)),
            escape(it.cells[0]) if it.cells else "",
            escape(it.text),
            _command(it.fix),
        )
        for kind, found in inconsistencies_by_kind(report).items()
        for it in found
    ]
    if not rows:
        return []
    heads = ("inconsistency", "record", "cells", "for instance", "what is wrong", "the command that fixes it")
    return [table_section("Expectations to fix", heads, rows, escape(FIX_NOTE))]


def _coverage(report: Report) -> list[ReportSection]:
    """Returns requirements that the run shows something of, or that no case shows; counts are of supported cells."""
    if not report.requirements:
        return []
    rows = (
        (
            escape(it.entry.id),
            it.entry.level.value,
            str(len(it.entry.cases)),
            it.status,
            *(str(count) if count else "" for count in (it.held, it.broken, it.known, it.not_run)),
        )
        for it in coverage(report)
        if it.entry.level is not Level.NOTE or it.entry.cases
    )
    heads = ("requirement", "level", "cases", "in this run", "pass", "fail", "xfail", "not run")
    sentence = f"{coverage_sentence(report.requirements)}."
    return [table_section("Requirements", heads, rows, sentence), *_envoy_tests(report)]


def _envoy_tests(report: Report) -> list[ReportSection]:
    """Returns how much is shown of what Envoy's own tests check."""
    if not report.envoy_tests:
        return []
    rows = (tuple(map(str, counts)) for counts in envoy_test_counts(report.envoy_tests))
    heads = ("section", "behaviours", "shown by cases", "by measured tables alone", "with a reason why not")
    return [table_section("What Envoy's own tests check", heads, rows, f"{envoy_tests_sentence(report.envoy_tests)}.")]


def _findings(report: Report) -> list[ReportSection]:
    if not report.abi_pairs:
        return []
    title = "ABI changes that break modules already built"
    pairs = tuple(f"- {escape(abi_pair_sentence(pair))}" for pair in report.abi_pairs)
    sections = [ReportSection(title, pairs, (FINDINGS_NOTE, ""))]
    if not report.abi_findings:
        return sections
    rows = (
        (
            f"{escape(it.sdk_minor)} → {escape(it.host_minor)}",
            escape(", ".join(it.points)),
            code(it.subject),
            escape(it.kind),
            escape(it.how),
            escape(", ".join(it.used_by)),
            escape(it.detail if it.certain else f"{it.detail} ({NEARBY})".lstrip()),
        )
        for it in report.abi_findings
    )
    heads = ("module → host", "extension point", "name", "what changed", "what that does", "used by", "more")
    return [*sections, table_section(f"{title}: every name", heads, rows)]


def _static(report: Report) -> list[ReportSection]:
    rows = [
        (
            escape(it.entry.sdk),
            escape(", ".join(it.hosts)),
            it.entry.kind.value,
            escape(it.entry.reason),
            ", ".join(code(name) for name in it.entry.missing[:NAMES_SHOWN])
            + (f" and {len(it.entry.missing) - NAMES_SHOWN} more" if len(it.entry.missing) > NAMES_SHOWN else ""),
            escape("; ".join(it.entry.notes)),
        )
        for it in static_rows(report)
        if it.entry.kind is not StaticKind.LOADS
    ]
    if not rows:
        return []
    heads = ("SDK", "hosts", "static analysis", "why", "missing symbols (all are in report.json)", "notes")
    return [table_section("Static verdicts other than “expected to load”", heads, rows)]


def _records(report: Report) -> list[ReportSection]:
    if not report.known_failures:
        return []
    rows = (
        (escape(it.id), str(it.cells), str(it.stale_cells), escape(it.reason), escape(it.evidence))
        for it in report.known_failures
    )
    return [table_section("Records of known failures", ("record", "cells", "stale", "reason", "evidence"), rows)]


def _unrun(report: Report) -> list[ReportSection]:
    groups = unrun(report)
    if not groups:
        return []
    rows = (
        (
            str(it.count),
            f"{OUTCOME_MARKS[it.outcome][0]} {it.outcome.value}",
            it.judgement.value,
            code(cut(it.reason, LONGEST_TEXT)),
        )
        for it in groups
    )
    return [table_section("Did not run", ("cells", "outcome", "judgement", "reason"), rows)]


def _slowest(report: Report) -> list[ReportSection]:
    rows = [(_command(cell.id), f"{cell.duration_s * 1000:.0f} ms", escape(waits_in_words(cell))) for cell in slowest(report)]
    return [table_section("Slowest cells", ("cell", "took", "waited"), rows)] if rows else []


def _hosts(report: Report) -> list[ReportSection]:
    rows = ((escape(host_labels(report)[it.id]), escape(it.build), code(it.sha256), escape(it.origin)) for it in report.hosts)
    return [table_section("Hosts", ("host", "build", "sha256", "from"), rows)]


def _sdks(report: Report) -> list[ReportSection]:
    rows = [row for sdk in report.sdks for row in _sdk_rows(sdk)]
    heads = ("SDK", "release", "ABI version", "module", "sha256", "glibc floor", "source or problem")
    return [table_section("SDKs", heads, rows)]


def _release(sdk: SdkEntry) -> str:
    """Returns the release, or the version of sources that are none, with the commit and where it came from."""
    name = development_label(sdk.version, sdk.commit) if sdk.development else sdk.release
    commit = f" (commit {sdk.commit})" if sdk.commit else ""
    return f"{name}{commit}" + (f" of {sdk.repository}" if sdk.repository else "")


def _sdk_rows(sdk: SdkEntry) -> Iterator[tuple[str, ...]]:
    start = (escape(sdk.label), escape(_release(sdk)), code(sdk.abi_version))
    if sdk.problem is not None or not sdk.modules:
        problem = code(cut(first_line(sdk.problem or ""), LONGEST_TEXT))
        yield (*start, "", "", "", f"not built: {problem}" if problem else "not built")
    for module in sdk.modules:
        yield (*start, escape(module.name), code(module.sha256), escape(module.glibc_floor), escape(sdk.source))
