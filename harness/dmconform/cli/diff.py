"""`dmconform diff`."""

from __future__ import annotations

import argparse

from dmconform.cli.command import Command, Group
from dmconform.cli.options import add_result_format, report_file
from dmconform.core.errors import ExitCode

KINDS = {
    "changed": "changed fact",
    "regression": "regression",
    "failure": "failure",
    "lost": "no answer any more",
    "gone": "gone",
    "reason": "changed reason",
    "fact": "fact changed",
}
"""What `--fail-on` takes, and the kind of change that it means."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", type=report_file, metavar="OLD", help="the run before, of any suite: its folder or report.json")
    parser.add_argument("new", type=report_file, metavar="NEW", help="the run after it")
    parser.add_argument(
        "--fail-on",
        action="append",
        default=[],
        choices=tuple(KINDS),
        metavar="KIND",
        help=f"end with exit code 1 on these changes: {', '.join(KINDS)}; may be repeated",
    )
    add_result_format(parser)


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.cli.output import print_result
    from dmconform.core.terminal import result_console
    from dmconform.report.comparison.compare import compare
    from dmconform.report.comparison.markdown import annotations_of_comparison, render_comparison
    from dmconform.report.comparison.model import ChangeKind
    from dmconform.report.comparison.show import print_comparison
    from dmconform.report.reading import read_report

    comparison = compare(read_report(arguments.old), read_report(arguments.new))
    print_result(
        arguments.format,
        comparison,
        lambda: print_comparison(comparison, result_console()),
        lambda: render_comparison(comparison),
        lambda: annotations_of_comparison(comparison),
    )
    against = {ChangeKind(KINDS[one]) for one in arguments.fail_on}
    if any(one.kind in against for one in comparison.changes):
        return ExitCode.FAIL
    return ExitCode.ERROR if against and not comparison.compared else ExitCode.OK


COMMAND = Command(
    name="diff",
    group=Group.RELEASE_MANAGERS,
    summary="Compare two reports cell by cell: regressions, repairs, what is new or gone, and what fails for another reason.",
    examples="""
dmconform diff yesterday today
dmconform diff --fail-on regression --fail-on lost old/report.json new
dmconform diff --format markdown old new >issue.md
""",
    notes="""
Each cell is compared by its identity (case, SDK version, host), never totals. A regression is a supported cell that
passed before and fails now. Where modules or hosts are the same bytes in both reports, the output says so: they cannot
be the cause. A build of a host that is not a known release (path:, image:) is compared with the one before it, of the same
place and minor.
""",
    exit_codes={
        0: "the reports are compared; with --fail-on: nothing that it names changed",
        1: "something changed that --fail-on names",
        2: "wrong usage, or a file that is not a report",
        4: "--fail-on was given, and no cell is in both reports; or the command was interrupted",
    },
    add_arguments=_add_arguments,
    run=_run,
)
