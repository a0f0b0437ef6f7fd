"""`dmconform diff`."""

from __future__ import annotations

import argparse

from dmconform.cli.report_options import add_result_format, print_result, report_file
from dmconform.core.errors import ExitCode

KINDS = {
    "regression": "regression",
    "failure": "failure",
    "lost": "no answer any more",
    "gone": "gone",
    "reason": "changed reason",
    "fact": "fact changed",
}
"""What `--fail-on` takes, and the kind of change that it means."""
_EPILOG = """\
examples:
  dmconform diff yesterday today
  dmconform diff --fail-on regression --fail-on lost old/report.json new/report.json
  dmconform diff --format markdown old new >issue.md

what is compared: each cell by its identity (case, SDK version, host), never totals. A regression is promised, held before and
fails now. Where modules or hosts are the same bytes in both reports, the output says so: they cannot be the cause.
A build of a host that is no known release (path:, image:) is compared with the one before it, of the same place and minor.

exit codes:
  0  nothing that --fail-on names
  1  something that --fail-on names
  2  wrong usage, or a file that is no report
  4  --fail-on was given, and no cell is in both reports: it cannot be told
"""


def add_diff_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `diff` to the command line."""
    text = "Compare two reports cell by cell: regressions, repairs, what is new or gone, and what fails for another reason."
    parser = commands.add_parser(
        "diff", help=text, description=text, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=_EPILOG
    )
    parser.add_argument("old", type=report_file, metavar="OLD", help="the run before, of any suite: its folder or report.json")
    parser.add_argument("new", type=report_file, metavar="NEW", help="the run after it")
    parser.add_argument(
        "--fail-on", action="append", default=[], choices=tuple(KINDS), help="end with exit code 1 on these; may be repeated"
    )
    add_result_format(parser)
    parser.set_defaults(run=run_diff)


def run_diff(arguments: argparse.Namespace) -> int:
    """Compares two reports and prints the comparison."""
    from rich.console import Console

    from dmconform.report.comparison.compare import compare
    from dmconform.report.comparison.markdown import annotations_of_comparison, render_comparison
    from dmconform.report.comparison.model import ChangeKind
    from dmconform.report.comparison.show import print_comparison
    from dmconform.report.reading import read_report

    comparison = compare(read_report(arguments.old), read_report(arguments.new))
    print_result(
        arguments.format,
        comparison,
        lambda: print_comparison(comparison, Console()),
        lambda: render_comparison(comparison),
        lambda: annotations_of_comparison(comparison),
    )
    against = {ChangeKind(KINDS[one]) for one in arguments.fail_on}
    if any(one.kind in against for one in comparison.changes):
        return ExitCode.FAIL
    return ExitCode.ERROR if against and not comparison.compared else ExitCode.OK
