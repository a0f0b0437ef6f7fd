"""`dmconform page`: the page of a report that is there already."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmconform.cli.report_options import report_file
from dmconform.core.errors import ExitCode, HarnessError

_EPILOG = """\
examples:
  dmconform page report.json --out report.html
  dmconform page new --previous old --out changed.html
  dmconform page reports/published/2026-11-21-all-hosts --out page.html

The page is one file: no server, no network. With --previous, cells that changed since are marked and can be filtered. Reports
of older suites open too.

exit codes: 0 written, 2 a file is no report, 4 the page cannot be written
"""


def add_page_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `page` to the command line."""
    text = "Write the page of a report anew, or with what changed since another one."
    parser = commands.add_parser(
        "page", help=text, description=text, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=_EPILOG
    )
    parser.add_argument(
        "report", type=report_file, metavar="REPORT", help="folder of a run, or its report.json, also compressed"
    )
    parser.add_argument("--previous", type=report_file, metavar="REPORT", help="the same of an earlier run")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the page; what is there is replaced")
    parser.set_defaults(run=run_page)


def run_page(arguments: argparse.Namespace) -> int:
    """Writes the page."""
    from dmconform.report.comparison.compare import compare
    from dmconform.report.html import render_html
    from dmconform.report.reading import read_report

    report = read_report(arguments.report)
    previous = read_report(arguments.previous) if arguments.previous is not None else None
    page = render_html(report, compare(previous, report) if previous is not None else None)
    try:
        arguments.out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise HarnessError(f"--out {arguments.out}: cannot be written: {error.strerror}") from error
    print(f"written: {arguments.out}")
    return ExitCode.OK
