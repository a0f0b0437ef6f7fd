"""`dmconform show`."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmconform.cli.command import Command, Group
from dmconform.cli.options import add_details, report_file
from dmconform.core.errors import ExitCode


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "report", type=report_file, metavar="REPORT", help="folder of a run, or its report.json, plain or compressed"
    )
    add_details(parser)


def _run(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from dmconform.report.console import print_answer
    from dmconform.report.details import print_details
    from dmconform.report.reading import read_report

    report = read_report(arguments.report)
    page: Path = arguments.report.parent / "index.html"
    if arguments.details:
        print_details(report, Console())
    print_answer(report, Console(), page if page.is_file() else None)
    return ExitCode.OK


COMMAND = Command(
    name="show",
    group=Group.RELEASE_MANAGERS,
    summary="Print the answer of a report again, as the run printed it at its end.",
    examples="""
dmconform show /tmp/report
dmconform show reports/published/2026-11-21-all-hosts --details
""",
    notes="Reports of older suites are shown too. Nothing is run, and nothing is judged: dmconform gate does that.",
    exit_codes={
        0: "the report is shown, whatever it says",
        2: "wrong usage, or a file that is not a report",
        4: "what the report holds takes too much memory, or the command was interrupted",
    },
    add_arguments=_add_arguments,
    run=_run,
)
