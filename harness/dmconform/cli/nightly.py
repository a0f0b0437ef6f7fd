"""`dmconform nightly`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from dmconform.cli.command import Command, Group
from dmconform.cli.options import add_format, add_run_options, add_selectors, refuse_without_effect, report_file
from dmconform.core import paths
from dmconform.core.errors import ExitCode, UsageError
from dmconform.core.paths import report_in

if TYPE_CHECKING:
    from dmconform.report.comparison.model import ReportComparison
    from dmconform.report.schema import Report

NIGHTS = 14


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_selectors(parser)
    add_run_options(parser)
    parser.add_argument("--keep", type=Path, metavar="DIR", help=f"where nights are kept (default: {paths.RUNS}/nightly)")
    parser.add_argument("--nights", type=int, default=NIGHTS, metavar="N", help=f"how many are kept (default: {NIGHTS})")
    parser.add_argument(
        "--previous",
        type=Path,
        metavar="REPORT",
        help="compare with this run: its folder or report.json; an empty folder: there is none yet "
        "(default: the newest night that is kept)",
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="DIR",
        help="run nothing: tonight's report is in this folder; what changed goes there too",
    )
    parser.add_argument(
        "--issue",
        type=Path,
        metavar="FILE",
        help="where to write the text of an issue (default: issue.md beside the report)",
    )
    parser.add_argument("--link", metavar="URL", help="an address of the whole report, for the text of the issue")
    add_format(parser)


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.release.nightly.conclude import conclude
    from dmconform.release.nightly.issue import nothing_in_common, regressed
    from dmconform.report.reading import read_report

    previous = _named(arguments.previous) if arguments.previous is not None else None
    if arguments.report is not None:
        _refuse_what_needs_a_run(arguments)
        folder, report = arguments.report, read_report(report_in(arguments.report))
    else:
        folder, report, previous = _tonight(arguments, previous)
    if previous is None:
        print("There is no earlier night to compare with.")
        _set_regressed(arguments.format, regressed=False)
        return report.exit_code
    comparison = conclude(folder, report, previous, arguments.issue, arguments.link)
    worse = len(regressed(comparison))
    _tell(arguments.format, comparison, folder, worse, arguments.issue)
    _set_regressed(arguments.format, regressed=worse > 0)
    if worse:
        return ExitCode.FAIL
    if nothing_in_common(comparison):
        print("No cell is in both reports, so nothing can be compared: give each selection a separate folder (--keep).")
        return report.exit_code or ExitCode.ERROR
    return report.exit_code


def _named(path: Path) -> Report | None:
    """Returns the report that `--previous` names; None for an empty folder."""
    from dmconform.report.reading import read_report

    if path.is_dir() and not any(path.iterdir()):
        return None
    return read_report(report_file(str(path)))


def _set_regressed(form: str, *, regressed: bool) -> None:
    from dmconform.report.github import set_output

    if form == "github":
        set_output("regressed", "true" if regressed else "false")


def _refuse_what_needs_a_run(arguments: argparse.Namespace) -> None:
    """Rejects options that have no effect together with --report."""
    names = ("host", "sdk", "case", "everywhere", "sdk_source", "workers", "reruns", "facts", "keep", "details")
    refuse_without_effect(arguments, names, "--report: with a report that is there, nothing is run or kept")
    if arguments.nights != NIGHTS:
        raise UsageError("--nights together with --report: nothing is kept; leave one of the two out")


def _tonight(arguments: argparse.Namespace, previous: Report | None) -> tuple[Path, Report, Report | None]:
    """Returns the folder and the report of a run, and the report to compare it with."""
    from datetime import UTC, datetime

    from dmconform.cli.output import print_report
    from dmconform.core.clock import CommandStart
    from dmconform.matrix.execute import report_folder
    from dmconform.matrix.run import run_matrix, selection_of
    from dmconform.release.nightly.nights import name_of, newest_report, remove_old
    from dmconform.release.nightly.renew import renew_images

    if arguments.nights < 2:
        raise UsageError(f"--nights {arguments.nights}: expected 2 or more, tonight and the one to compare with")
    keep = arguments.keep or paths.runs_folder() / "nightly"
    before = newest_report(keep) if arguments.previous is None else previous
    started = CommandStart.now()
    renew_images(arguments.host, paths.cache_folder())
    with report_folder(keep / name_of(datetime.now(UTC))) as folder:
        report = run_matrix(selection_of(arguments), folder, arguments.workers, started, reruns=arguments.reruns)
    print_report(arguments.format, report, folder, details=arguments.details)
    remove_old(keep, arguments.nights)
    return folder, report, before


def _tell(form: str, comparison: ReportComparison, folder: Path, worse: int, issue: Path | None) -> None:
    """Prints what changed, and where it is written.

    Args:
        form: what `--format` chose.
        comparison: what changed since the night before.
        folder: of the report.
        worse: how many cells became worse.
        issue: file of the text of an issue; None for the one in the folder.
    """
    from dmconform.cli.output import print_result
    from dmconform.core.terminal import result_console
    from dmconform.core.text import counted
    from dmconform.release.nightly.conclude import CHANGES, ISSUE
    from dmconform.report.comparison.markdown import annotations_of_comparison, render_comparison
    from dmconform.report.comparison.show import print_comparison

    print_result(
        form,
        comparison,
        lambda: print_comparison(comparison, result_console()),
        lambda: render_comparison(comparison),
        lambda: annotations_of_comparison(comparison),
    )
    print(f"Changes: {folder / CHANGES}")
    if worse:
        print(f"Worse than the night before: {counted(worse, 'cell')}. Text of an issue: {issue or folder / ISSUE}")


COMMAND = Command(
    name="nightly",
    group=Group.RELEASE_MANAGERS,
    summary="Run the matrix, compare it with the night before, and write the text of an issue if something became worse.",
    examples="""
dmconform nightly  # the default matrix
dmconform nightly --keep nights/newest --host image:envoyproxy/envoy:dev
dmconform nightly --report whole --previous last/report.json  # runs nothing
""",
    notes=f"""
A night is a folder with the report of a run. From the second night on it also has changes.md and changes.json (what
changed since the night before), a page that marks it, and, only if something became worse, issue.md, the text of an
issue. Worse is a supported cell that fails, and passed the night before or gave no answer; or a cell that no longer behaves
as is on record of its release. With --format github, the
output `regressed` of the job's step says whether something became worse: true or false.

Nights of one folder are compared with each other: give each selection a folder by itself. Images are pulled anew. The
newest {NIGHTS} nights are kept, or --nights of them. With --report, the report is one that dmconform merge wrote, for
one.
""",
    exit_codes={
        0: "every supported cell that ran passes, or fails as a known failure that is on record; no fact changed; and nothing "
        "became worse",
        1: "something became worse, or the run ends with 1 as it may have done before: dmconform run --help says why",
        3: "the selection is empty",
        4: "planned work could not run, the earlier night has none of tonight's cells, or the command was interrupted",
    },
    add_arguments=_add_arguments,
    run=_run,
)
