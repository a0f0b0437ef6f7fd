"""`dmconform page`."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmconform.cli.command import Command, Group
from dmconform.cli.options import report_file
from dmconform.core.errors import ExitCode, HarnessError


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "report", type=report_file, metavar="REPORT", help="folder of a run, or its report.json, plain or compressed"
    )
    parser.add_argument("--previous", type=report_file, metavar="REPORT", help="the same of an earlier run")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the page; what is there is replaced")


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.report.comparison.compare import compare
    from dmconform.report.html import render_html
    from dmconform.report.reading import read_report

    report = read_report(arguments.report)
    previous = read_report(arguments.previous) if arguments.previous is not None else None
    comparison = compare(previous, report) if previous is not None else None
    page = render_html(report, comparison, arguments.out.resolve().parent)
    try:
        arguments.out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise HarnessError(f"--out {arguments.out}: cannot be written: {error.strerror}") from error
    print(f"written: {arguments.out}")
    return ExitCode.OK


COMMAND = Command(
    name="page",
    group=Group.RELEASE_MANAGERS,
    summary="Write the page of a report anew, or with what changed since another one.",
    examples="""
dmconform page report.json --out report.html
dmconform page new --previous old --out changed.html
dmconform page reports/published/2026-11-21-all-hosts --out page.html
""",
    notes="The page is one file: no server, no network. It links to evidence and logs that lie in the folder of FILE, and to "
    "none that are not there. With --previous, cells that changed since are marked and can be filtered. Reports of older "
    "suites open too.",
    exit_codes={
        0: "the page is written, whatever the report says",
        2: "wrong usage, or a file that is not a report",
        4: "the page cannot be written, or the command was interrupted",
    },
    add_arguments=_add_arguments,
    run=_run,
)
