"""The summary of a published report: what a reader wants first, in 10 kB of Markdown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from dmconform.core.paths import COMPRESSED_REPORT_FILE, REPORT_FILE
from dmconform.core.text import cut, one_line
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.report.answers.failures import FailureGroup, failure_groups
from dmconform.report.answers.fields import fields
from dmconform.report.fitting import ReportSection, fit, left_out_sentence
from dmconform.report.grid import natural
from dmconform.report.markdown import code, escape, evidence_table, field_sections, table_section
from dmconform.report.modified_builds import host_labels
from dmconform.report.schema import Report
from dmconform.report.summary import crash_words, summarise

MOST_BYTES: Final = 10_000
_LONGEST_COMMAND: Final = 400
_LONGEST_SEEN: Final = 160

_HEAD = """\
# {sign} {headline}

Run of {day}, {duration:.0f} s, suite of commit {commit}: {ran} of {planned} planned cells ran.

{evidence}

{crashes}.

The page with every cell is made from the report:

```sh
dmconform page reports/published/{name} --out page.html
```

The run again, from a clean clone:

```sh
git checkout {checkout}
{again}
```

{official}One cell again: the command that the page and the report have for it. The report itself: `xz -dc {report}`.
Evidence of single cells and build logs are not kept. `sha256sum --check {sums}` shows whether a file was changed.
"""
_OFFICIAL = f"""\
The official SDKs were built too: `DMCONFORM_SDK_SOURCE` (`DMCONFORM_UPSTREAM` in a suite that does not know this name) names a
repository that has them; `{REPORT_FILE}` names the commits.

"""


def summary_text(report: Report, name: str, sums: str) -> str:
    """Returns the summary of a report in Markdown, in at most `MOST_BYTES` bytes.

    Args:
        report: any, also one with hostile texts.
        name: of its folder in `reports/published`.
        sums: the name of the file with hashes beside it.
    """
    head = _head(report, name, sums)
    sections = [*field_sections(fields(report), host_labels(report)), *_worst(report), _sdks(report), _hosts(report)]
    room = MOST_BYTES - len(head.encode())
    while True:
        found = fit(sections, room)
        tail = [*found.lines, left_out_sentence(found.left_out)]
        text = (head + "\n" + "\n".join(tail)).rstrip("\n") + "\n"
        over = len(text.encode()) - MOST_BYTES
        if over <= 0:
            return text
        room -= over  # a character can have several bytes


def _head(report: Report, name: str, sums: str) -> str:
    summary = summarise(report)
    commit = cut(one_line(report.environment.suite_commit), _LONGEST_COMMAND)
    return _HEAD.format(
        sign=summary.verdict.glyph,
        headline=escape(summary.headline),
        day=escape(report.started_at[:10]),
        duration=report.duration_s,
        commit=code(commit[:12]),
        ran=summary.ran,
        planned=summary.planned,
        evidence="\n".join(evidence_table(summary)).strip(),
        crashes=crash_words(summary),
        name=name,
        checkout=commit,
        again=_again(report),
        official=_OFFICIAL if any(sdk.provider == "official" and sdk.modules for sdk in report.sdks) else "",
        report=COMPRESSED_REPORT_FILE,
        sums=sums,
    )


def _again(report: Report) -> str:
    """Returns the command that makes the run again."""
    selection = [f"--{kind} {_quoted(one)}" for kind, values in report.selection.items() for one in values]
    selection += ["--everywhere"] if "everywhere" in report.selection else []
    command = one_line(" ".join(["./toxw -e matrix", *(["--", *selection] if selection else [])]))
    return command if len(command) <= _LONGEST_COMMAND else f"# its selection is long: {REPORT_FILE} has it"


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[\w@%+=:,./-]+", text) else "'" + text.replace("'", "'\\''") + "'"


def _worst(report: Report) -> Iterator[ReportSection]:
    """Yields failures on supported pairs, a row per record and per cause without one: what is new first, the worst first."""
    groups = failure_groups(report)
    if not groups:
        return
    rows = (
        (
            str(len(group.cells)),
            escape(group.where),
            group.words,
            _record(group),
            escape(cut(group.text, _LONGEST_SEEN)),
        )
        for group in groups
    )
    heads = ("cells", "case", "severity", "record", "for instance")
    yield table_section("Failures of supported pairs, the worst first", heads, rows)


def _record(group: FailureGroup) -> str:
    if group.record is None:
        return "**static/run-time mismatch**" if group.judgement is Judgement.MISMATCH else "**new**"
    return escape(group.record) + (", which does not apply any more" if group.judgement is Judgement.XPASS else "")


def _sdks(report: Report) -> ReportSection:
    """Returns a row per SDK version: its supported cells by judgement, and how many of the others that ran pass."""
    supported: dict[str, Counter[Judgement]] = {}
    others: dict[str, Counter[bool]] = {}
    for cell in report.cells:
        if cell.relation is Relation.SUPPORTED:
            supported.setdefault(cell.sdk, Counter())[cell.judgement] += 1
        elif cell.outcome.is_verdict:
            others.setdefault(cell.sdk, Counter())[cell.outcome is Outcome.PASS] += 1
    built = {sdk.id for sdk in report.sdks if sdk.modules}
    ids = sorted({cell.sdk for cell in report.cells} | built, key=natural)
    rows = (
        (
            escape(sdk) if sdk in built else f"{escape(sdk)} (not built)",
            *_counts(supported.get(sdk, Counter())),
            f"{others[sdk][True]} of {others[sdk].total()}" if sdk in others else "",
        )
        for sdk in ids
    )
    heads = ("SDK", "supported: pass", "fail", "xfail", "not run", "other pairs: pass")
    return table_section("SDKs", heads, rows)


def _counts(found: Counter[Judgement]) -> Iterable[str]:
    red = sum(count for judgement, count in found.items() if judgement.is_red)
    held, known = found[Judgement.PASS], found[Judgement.XFAIL]
    return (str(count) if count else "" for count in (held, red, known, found.total() - held - red - known))


def _hosts(report: Report) -> ReportSection:
    rows = ((escape(it.id), escape(it.build), code(it.sha256)) for it in report.hosts)
    return table_section("Hosts", ("host", "build", "sha256 of the binary"), rows)
