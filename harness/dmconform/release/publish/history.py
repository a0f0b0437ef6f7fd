"""How the matrix moved over time: `reports/published/README.md`, generated from the published reports."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dmconform.core.paths import COMPRESSED_REPORT_FILE
from dmconform.core.values import Relation, Severity
from dmconform.release.publish.publish import FOLDER, SUMMARY
from dmconform.release.publish.verify import published
from dmconform.report.answers.evidence import severity_words
from dmconform.report.answers.fields import FieldState, field_words, fields
from dmconform.report.comparison.compare import compare
from dmconform.report.comparison.model import ChangeKind
from dmconform.report.markdown import escape
from dmconform.report.modified_builds import host_labels
from dmconform.report.reading import read_report
from dmconform.report.schema import Report
from dmconform.report.summary import summarise

_HEAD = """\
# Published reports

Generated from the reports in this folder: `dmconform published --write`. A test compares this page with them, and refuses a
report that was edited or is incomplete. The page of a report, with every cell, is made from it:
`dmconform page reports/published/NAME --out page.html`.
"""


@dataclass(frozen=True)
class Published:
    """A report and the folder it is in."""

    name: str
    report: Report


def history_text(folder: Path = FOLDER) -> str:
    """Returns what the page has to be.

    Raises:
        DataFileError: a published report cannot be read.
    """
    found = [Published(path.name, read_report(path / COMPRESSED_REPORT_FILE)) for path in published(folder)]
    runs = sorted(found, key=lambda run: run.report.started_at)
    lines = [_HEAD, *_runs(runs), "", *_matrix(runs), "", *_changes(runs)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _runs(runs: Sequence[Published]) -> Iterator[str]:
    yield "## Runs\n"
    yield "Supported cells of the official SDKs; the reference SDK is the control, and crashes are counted in all cells.\n"
    heads = ("report", "suite", "hosts", "SDK versions", "supported", "ran", "pass", "fail", "known", "not tested")
    yield f"| {' | '.join(heads)} | control: pass of | crashes |"
    yield f"|{'---|' * (len(heads) + 2)}"
    for run in reversed(runs):
        summary, report = summarise(run.report), run.report
        built = sum(bool(sdk.modules) for sdk in report.sdks)
        columns = (
            f"[{run.name}]({run.name}/{SUMMARY})",
            f"`{report.environment.suite_commit[:12]}`",
            str(len(report.hosts)),
            f"{built} of {len(report.sdks)}",
            *(str(one) for one in (summary.official.cells, summary.official.ran, summary.official.passed)),
            _with_severities(summary.official.new_failures, summary.official.failed),
            _with_severities(summary.official.known_failures, summary.official.known),
            str(summary.official.not_tested),
            f"{summary.control.passed} of {summary.control.cells}",
            str(summary.crashes),
        )
        yield f"| {' | '.join(columns)} |"


def _with_severities(count: int, severities: Mapping[Severity, int]) -> str:
    return f"{count} ({severity_words(severities)})" if count else "0"


def _matrix(runs: Sequence[Published]) -> Iterator[str]:
    yield "## Supported pairs over time\n"
    signs = (FieldState.HOLDS, FieldState.KNOWN, FieldState.FAILS, FieldState.PARTLY, FieldState.NOT_TESTED)
    yield f"{', '.join(f'{state.glyph} {state.value}' for state in signs)}; what is not promised is left out.\n"
    by_run = [_fields(run.report) for run in runs]
    labels = {host: label for run in runs for host, label in host_labels(run.report).items()}
    pairs = sorted({pair for found in by_run for pair in found})
    yield f"| SDK | host | {' | '.join(run.name for run in runs)} |"
    yield f"|---|---|{'---|' * len(runs)}"
    for sdk, host in pairs:
        missing = "–"  # noqa: RUF001 (a dash, as tables have it)
        words = " | ".join(found.get((sdk, host), missing) for found in by_run)
        yield f"| {escape(sdk)} | {escape(labels.get(host, host))} | {words} |"


def _fields(report: Report) -> dict[tuple[str, str], str]:
    """Returns what is known of each supported pair, in words."""
    return {(one.sdk, one.host): field_words(one) for one in fields(report) if one.relation is Relation.SUPPORTED}


def _changes(runs: Sequence[Published]) -> Iterator[str]:
    if len(runs) < 2:
        return
    yield "## From one to the next\n"
    kinds = tuple(ChangeKind)
    yield f"| from | to | {' | '.join(kind.value for kind in kinds)} | unchanged |"
    yield f"|---|---|{'---|' * (len(kinds) + 1)}"
    for before, after in itertools.pairwise(runs):
        found = compare(before.report, after.report)
        counts = [len(found.of(kind)) for kind in kinds]
        yield f"| {before.name} | {after.name} | {' | '.join(map(str, counts))} | {found.unchanged} |"
