"""The report as Markdown, for a pull request's comment or a CI job's summary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dmconform.binaries.facts import StaticKind
from dmconform.core.text import cut, first_line, one_line
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.report.coverage import coverage, coverage_sentence, envoy_test_counts, envoy_tests_sentence
from dmconform.report.grid import Grid, SdkGroup, grid
from dmconform.report.inconsistencies import FIX_NOTE, inconsistencies_by_kind
from dmconform.report.marks import DISAGREE_SIGN, FINDINGS_NOTE, JUDGEMENT_MEANINGS, NEARBY, OUTCOME_MARKS, PROMISED_SIGN, mark
from dmconform.report.mismatches import abi_pair_sentence, disputes, static_half, static_rows, static_words
from dmconform.report.schema import CellEntry, Report, SdkEntry
from dmconform.report.slowest import slowest, waits_in_words
from dmconform.report.summary import FAILURES, Cause, abi_words, causes, summarise, unrun
from dmconform.spec.cases import Level

LONGEST_TEXT = 400
NAMES_SHOWN = 5
# What is markup anywhere in a line. An underscore within a word, or an @ between one and a digit as in rust@1.39, is none.
_SPECIAL = re.compile(
    r"[\\`*\[\]#|<>&~$]|(?<![A-Za-z0-9])[_@]|@(?![0-9])|_(?![A-Za-z0-9])|:(?=//)|(?<=www)\.", re.IGNORECASE | re.ASCII
)


def render_markdown(report: Report) -> str:
    """The Markdown text of `report`."""
    summary = summarise(report)
    lines = [f"# {summary.verdict.glyph} {escape(summary.headline)}", ""]
    if report.incomplete_reason:
        lines += [f"The run is incomplete: {escape(report.incomplete_reason)}", ""]
    lines += _table(
        ("planned", "ran", *(it.value for it in Outcome)),
        [(str(summary.planned), str(summary.ran), *(str(summary.by_outcome[it]) for it in Outcome))],
    )
    lines += _table(
        [it.value for it in Judgement],
        [[str(summary.by_judgement[it]) for it in Judgement]],
    )
    lines += [
        f"Legacy and unsupported: {summary.beyond_passed} of {summary.beyond_ran} cells that ran pass; this is informational.",
        "",
        _run(report),
        "",
    ]
    found = causes(report)
    lines += _causes("New failures", [cause for cause in found if cause.judgement in FAILURES])
    lines += _disputes(report)
    lines += _inconsistencies(report)
    lines += ["## Matrix", "", _legend(), ""]
    layout = grid(report)
    for group in layout.groups:
        lines += _matrix(report, layout, group)
    lines += _findings(report)
    lines += _static(report)
    lines += _causes("Known failures", [cause for cause in found if cause.judgement is Judgement.XFAIL])
    lines += _records(report)
    lines += _coverage(report)
    lines += _unrun(report)
    lines += _causes(
        "Legacy or unsupported, and did not pass", [cause for cause in found if cause.judgement is Judgement.INFORMATIONAL]
    )
    lines += _slowest(report)
    lines += _hosts(report)
    lines += _sdks(report)
    return "\n".join(lines).rstrip("\n") + "\n"


def escape(text: str) -> str:
    """Untrusted text as Markdown text on one line; nothing in it is markup, a link, a mention or HTML."""
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", cut(one_line(text), LONGEST_TEXT))


def code(text: str) -> str:
    """Untrusted text set as code, on one line and whole, as it may be a command. HTML, because a code span cannot hold `|`."""
    return f"<code>{_SPECIAL.sub(lambda found: f'&#{ord(found[0])};', one_line(text))}</code>" if text else ""


def _run(report: Report) -> str:
    suite = f"{report.environment.suite_version} ({report.environment.suite_commit})"
    return f"Run on {escape(report.started_at)}, {report.duration_s:.1f} s, suite {escape(suite)}: {code(report.command)}"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """A table of cells that are escaped already."""
    heads = list(heads)
    return [
        "| " + " | ".join(heads) + " |",
        "|" + " --- |" * len(heads),
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
    ]


def _legend() -> str:
    outcomes = ", ".join(f"{glyph} {word}: {it.value}" for it, (glyph, word) in OUTCOME_MARKS.items())
    return f"{PROMISED_SIGN} supported. {outcomes}. A word in capitals fails the run. {DISAGREE_SIGN} static/run-time mismatch."


def _matrix(report: Report, layout: Grid, group: SdkGroup) -> Iterator[str]:
    static = static_half(report)
    columns = [(sdk, host) for sdk in group.sdks for host in sdk.hosts]
    yield f"### {escape(group.title)}"
    yield ""
    rows = [
        ["ABI string", *(escape(abi_words(layout.column(sdk.sdk, host))) for sdk, host in columns)],
        ["static verdict", *(escape(static_words(static.get((sdk.sdk, host)))) for sdk, host in columns)],
    ]
    for case in layout.cases:
        cells = [layout.cells.get((case, sdk.sdk, host)) for sdk, host in columns]
        if any(cells):
            rows.append([escape(case), *(_shown(cell) if cell is not None else "" for cell in cells)])
    yield from _table(["case", *(f"{escape(sdk.minor)} → {escape(host)}" for sdk, host in columns)], rows)


def _shown(cell: CellEntry) -> str:
    return f"{PROMISED_SIGN if cell.relation is Relation.SUPPORTED else ''}{mark(cell)}"


def _causes(title: str, found: list[Cause]) -> list[str]:
    if not found:
        return []
    rows = [
        (
            str(cause.count),
            escape(cause.case),
            f"{OUTCOME_MARKS[cause.outcome][0]} {cause.outcome.value}"
            + (f" ({JUDGEMENT_MEANINGS[Judgement.XPASS]})" if cause.judgement is Judgement.XPASS else ""),
            code(cut(cause.text, LONGEST_TEXT)) + (f"<br>{escape(cause.reruns)}" if cause.reruns else ""),
            code(cause.reproduce),
        )
        for cause in found
    ]
    return [f"## {title}", "", *_table(("cells", "case", "outcome", "what was seen", "to see one again"), rows)]


def _disputes(report: Report) -> list[str]:
    found = disputes(report)
    if not found:
        return []
    rows = (
        (
            str(it.count),
            "FAILS the run" if it.counts else "informational",
            escape(it.sdk),
            escape(it.host),
            escape(it.text),
            code(it.cells[0]),
        )
        for it in found
    )
    heads = ("cells", "counts", "SDK", "host", "how they differ", "for instance")
    return [f"## {DISAGREE_SIGN} Static/run-time mismatch", "", *_table(heads, rows)]


def _inconsistencies(report: Report) -> list[str]:
    rows = [
        (
            kind.value,
            escape(it.record or ""),
            str(len(it.cells)),
            escape(it.cells[0]) if it.cells else "",
            escape(it.text),
            code(it.fix),
        )
        for kind, found in inconsistencies_by_kind(report).items()
        for it in found
    ]
    if not rows:
        return []
    heads = ("inconsistency", "record", "cells", "for instance", "what is wrong", "the command that fixes it")
    return ["## Expectations to fix", "", escape(FIX_NOTE), "", *_table(heads, rows)]


def _coverage(report: Report) -> list[str]:
    """Requirements that the run says something of, or that no case shows; counts are of supported cells."""
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
    heads = ("requirement", "level", "cases", "in this run", "held", "broken", "known", "not run")
    lines = ["## Requirements", "", f"{coverage_sentence(report.requirements)}.", "", *_table(heads, rows)]
    return [*lines, *_envoy_tests(report)]


def _envoy_tests(report: Report) -> list[str]:
    """How much is shown of what Envoy's own tests check."""
    if not report.envoy_tests:
        return []
    rows = (tuple(map(str, counts)) for counts in envoy_test_counts(report.envoy_tests))
    heads = ("section", "behaviours", "shown by cases", "by measured tables alone", "with a reason why not")
    title = "## What Envoy's own tests check"
    return ["", title, "", f"{envoy_tests_sentence(report.envoy_tests)}.", "", *_table(heads, rows)]


def _findings(report: Report) -> list[str]:
    if not report.abi_pairs:
        return []
    pairs = [f"- {escape(abi_pair_sentence(pair))}" for pair in report.abi_pairs]
    lines = ["## What breaks the promise in the ABI itself", "", FINDINGS_NOTE, "", *pairs, ""]
    if not report.abi_findings:
        return lines
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
    return [*lines, *_table(heads, rows)]


def _static(report: Report) -> list[str]:
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
    heads = ("SDK", "hosts", "static verdict", "why", "missing symbols (all are in report.json)", "notes")
    return ["## Static verdicts other than “expected to load”", "", *_table(heads, rows)]


def _records(report: Report) -> list[str]:
    if not report.known_failures:
        return []
    rows = (
        (escape(it.id), str(it.cells), str(it.stale_cells), escape(it.reason), escape(it.evidence))
        for it in report.known_failures
    )
    return ["## Records of known failures", "", *_table(("record", "cells", "stale", "reason", "evidence"), rows)]


def _unrun(report: Report) -> list[str]:
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
    return ["## Did not run", "", *_table(("cells", "outcome", "judgement", "reason"), rows)]


def _slowest(report: Report) -> list[str]:
    rows = [(code(cell.id), f"{cell.duration_s * 1000:.0f} ms", escape(waits_in_words(cell))) for cell in slowest(report)]
    return ["## Slowest cells", "", *_table(("cell", "took", "waited"), rows)] if rows else []


def _hosts(report: Report) -> list[str]:
    rows = ((escape(it.id), escape(it.build), code(it.sha256), escape(it.origin)) for it in report.hosts)
    return ["## Hosts", "", *_table(("host", "build", "sha256", "from"), rows)]


def _sdks(report: Report) -> list[str]:
    rows = [row for sdk in report.sdks for row in _sdk_rows(sdk)]
    heads = ("SDK", "release", "ABI version", "module", "sha256", "glibc floor", "source or problem")
    return ["## SDKs", "", *_table(heads, rows)]


def _sdk_rows(sdk: SdkEntry) -> Iterator[tuple[str, ...]]:
    start = (escape(sdk.id), escape(sdk.release), code(sdk.abi_version))
    if sdk.problem is not None or not sdk.modules:
        problem = code(cut(first_line(sdk.problem or ""), LONGEST_TEXT))
        yield (*start, "", "", "", f"not built: {problem}" if problem else "not built")
    for module in sdk.modules:
        yield (*start, escape(module.name), code(module.sha256), escape(module.glibc_floor), escape(sdk.source))
