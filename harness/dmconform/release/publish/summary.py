"""The summary of a published report: what a reader wants first, in 10 kB of Markdown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from dmconform.core.paths import COMPRESSED_REPORT_FILE, REPORT_FILE
from dmconform.core.text import cut, one_line
from dmconform.core.values import Judgement, Outcome, Relation
from dmconform.report.fitting import ReportSection, fit, left_out_sentence
from dmconform.report.grid import natural
from dmconform.report.markdown import code, escape, table_section
from dmconform.report.marks import OUTCOME_MARKS
from dmconform.report.schema import Report
from dmconform.report.summary import FAILURES, Cause, causes, summarise

MOST_BYTES: Final = 10_000
_LONGEST_COMMAND: Final = 400
_LONGEST_SEEN: Final = 160
_GRAVITY = (Outcome.CRASH, Outcome.HANG, Outcome.FAIL, Outcome.REJECTED)

_HEAD = """\
# {sign} {headline}

Run of {day}, {duration:.0f} s, suite of commit {commit}: {ran} of {planned} planned cells ran.

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
    sections = [*_worst(report), _sdks(report), _hosts(report)]
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
    """Yields failures on supported pairs, a row per record and outcome: new failures, then known ones, crashes first."""
    judgements = (*FAILURES, Judgement.XFAIL)
    groups: dict[tuple[str, str | None, Outcome], list[Cause]] = {}
    for cause in causes(report):
        if cause.judgement in judgements:
            is_known = cause.judgement is Judgement.XFAIL and cause.record is not None
            key = ("", cause.record, cause.outcome) if is_known else (cause.case, None, cause.outcome)
            groups.setdefault(key, []).append(cause)
    if not groups:
        return
    rows = (
        (
            str(sum(cause.count for cause in found)),
            _cases(found),
            f"{OUTCOME_MARKS[outcome][0]} {outcome.value}",
            _record(found[0]),
            escape(cut(found[0].text, _LONGEST_SEEN)),
        )
        for (_, _, outcome), found in sorted(groups.items(), key=lambda it: _gravity(it[1]))
    )
    heads = ("cells", "case", "outcome", "record", "for instance")
    yield table_section("Failures of supported pairs, the gravest first", heads, rows)


def _record(cause: Cause) -> str:
    if cause.record is None or cause.judgement is Judgement.FAIL:
        return "**new**"
    return escape(cause.record) + ("" if cause.judgement is Judgement.XFAIL else ", which does not apply any more")


def _cases(found: list[Cause]) -> str:
    first, *others = dict.fromkeys(cause.case for cause in found)
    return escape(first) + (f" and {len(others)} more" if others else "")


def _gravity(found: list[Cause]) -> tuple[bool, int, int]:
    outcome = found[0].outcome
    place = _GRAVITY.index(outcome) if outcome in _GRAVITY else len(_GRAVITY)
    return found[0].judgement is Judgement.XFAIL, place, -sum(cause.count for cause in found)


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
