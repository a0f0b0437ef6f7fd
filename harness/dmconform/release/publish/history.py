"""How the matrix moved over time: `reports/published/README.md`, generated from the published reports."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dmconform.core.paths import COMPRESSED_REPORT_FILE
from dmconform.core.values import Judgement, Relation
from dmconform.release.publish.publish import FOLDER, SUMMARY
from dmconform.release.publish.verify import published
from dmconform.report.comparison.compare import compare
from dmconform.report.comparison.model import ChangeKind
from dmconform.report.markdown import escape
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
    yield "| report | suite | hosts | SDK versions | planned | ran | supported: pass | fail | xfail |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for run in reversed(runs):
        summary, report = summarise(run.report), run.report
        built = sum(bool(sdk.modules) for sdk in report.sdks)
        columns = (
            f"[{run.name}]({run.name}/{SUMMARY})",
            f"`{report.environment.suite_commit[:12]}`",
            str(len(report.hosts)),
            f"{built} of {len(report.sdks)}",
            *(str(one) for one in (summary.planned, summary.ran, summary.supported_passed)),
            *(str(one) for one in (summary.supported_failed, summary.supported_xfailed)),
        )
        yield f"| {' | '.join(columns)} |"


def _pairs(report: Report) -> dict[tuple[str, str], Counter[Judgement]]:
    """Returns how the supported cells that ran count, by SDK version and host."""
    found: dict[tuple[str, str], Counter[Judgement]] = {}
    for cell in report.cells:
        if cell.relation is Relation.SUPPORTED and cell.outcome.is_verdict:
            found.setdefault((cell.sdk, cell.host), Counter())[cell.judgement] += 1
    return found


def _matrix(runs: Sequence[Published]) -> Iterator[str]:
    yield "## Supported pairs over time\n"
    yield "Supported cells that pass, and that fail as a known failure says (xfail); ✗ where others fail.\n"
    by_run = [_pairs(run.report) for run in runs]
    pairs = sorted({pair for found in by_run for pair in found})
    yield f"| SDK | host | {' | '.join(run.name for run in runs)} |"
    yield f"|---|---|{'---|' * len(runs)}"
    for sdk, host in pairs:
        yield f"| {escape(sdk)} | {escape(host)} | {' | '.join(_shown(found.get((sdk, host))) for found in by_run)} |"


def _shown(counts: Counter[Judgement] | None) -> str:
    if counts is None:
        return "–"  # noqa: RUF001 (a dash, as tables have it)
    held, known = counts[Judgement.PASS], counts[Judgement.XFAIL]
    failed = counts.total() - held - known
    sign = f"✗ {failed} fail, " if failed else "✓ "
    return f"{sign}{held}" + (f", {known} xfail" if known else "")


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
