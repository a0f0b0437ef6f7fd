"""`dmconform diff`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ExitCode

if TYPE_CHECKING:
    from harness.compare.model import Comparison

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
  dmconform diff yesterday/report.json today/report.json
  dmconform diff --fail-on regression --fail-on lost old/report.json new/report.json
  dmconform diff --format markdown old/report.json new/report.json >issue.md

what is compared: each cell by its identity (case, SDK version, host), never totals. A regression is promised, held before and
fails now. Where modules or hosts are the same bytes in both reports, the output says so: they cannot be the cause.

exit codes:
  0  nothing that --fail-on names
  1  something that --fail-on names
  2  wrong usage, or a file that is no report
"""


def add_diff_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `diff` to the command line."""
    text = "Compare two reports cell by cell: regressions, repairs, what is new or gone, and what fails for another reason."
    parser = commands.add_parser(
        "diff", help=text, description=text, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=_EPILOG
    )
    parser.add_argument("old", type=Path, metavar="OLD", help="report.json of the run before, of any suite")
    parser.add_argument("new", type=Path, metavar="NEW", help="report.json of the run after it")
    parser.add_argument(
        "--fail-on", action="append", default=[], choices=tuple(KINDS), help="end with exit code 1 on these; may be repeated"
    )
    parser.add_argument(
        "--format",
        choices=("text", "markdown", "json", "github"),
        default="text",
        help="github: annotations, and the Markdown in the job's summary (default: text)",
    )
    parser.set_defaults(run=run_diff)


def run_diff(arguments: argparse.Namespace) -> int:
    """Compares two reports and prints the comparison."""
    from harness.compare.compare import compare
    from harness.compare.model import ChangeKind
    from harness.report.reading import read_report

    comparison = compare(read_report(arguments.old), read_report(arguments.new))
    _print(comparison, arguments.format)
    against = {ChangeKind(KINDS[one]) for one in arguments.fail_on}
    return ExitCode.BROKEN if any(one.kind in against for one in comparison.changes) else ExitCode.HELD


def _print(comparison: Comparison, form: str) -> None:
    import msgspec
    from rich.console import Console

    from harness.compare.markdown import annotations_of_comparison, render_comparison
    from harness.compare.show import print_comparison
    from harness.report.github import add_to_summary

    match form:
        case "json":
            print(msgspec.json.format(msgspec.json.encode(comparison), indent=1).decode())
        case "markdown":
            print(render_comparison(comparison), end="")
        case "github":
            for annotation in annotations_of_comparison(comparison):
                print(annotation)
            add_to_summary(render_comparison(comparison))
        case _:
            print_comparison(comparison, Console())
