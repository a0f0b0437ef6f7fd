"""`dmconform merge`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dmconform.cli.command import Command, Group
from dmconform.cli.options import add_exit_zero, add_format, report_file
from dmconform.cli.run import RUN_CODES
from dmconform.core.errors import ExitCode


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reports", nargs="+", type=report_file, metavar="SHARD", help="folder of a shard, or its report.json")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="new folder for the whole report")
    add_format(parser)
    add_exit_zero(parser, "the report")


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.cli.output import print_report
    from dmconform.core.terminal import safe_message
    from dmconform.matrix.execute import report_folder, write_reports
    from dmconform.matrix.merge import merge
    from dmconform.report.copying import copy_named
    from dmconform.report.reading import read_report
    from dmconform.spec.catalogue import load_catalogue

    files: list[Path] = arguments.reports
    reports = [read_report(file) for file in files]
    names = [str(path) for path in files]
    whole = merge(list(zip(names, reports, strict=True)), [case.id for case in load_catalogue().cases])
    with report_folder(arguments.out, worth_keeping=()) as folder:
        for file, report in zip(files, reports, strict=True):
            named = {cell.evidence for cell in report.cells} | {sdk.build_log for sdk in report.sdks}
            for one in copy_named(file.parent, sorted(filter(None, named)), folder):
                print(safe_message(f"dmconform: {file.parent}: {one!r} is a link, or no file: not copied"), file=sys.stderr)
        write_reports(whole, folder)
    print_report(arguments.format, whole, folder, details=arguments.details)
    return ExitCode.OK if arguments.exit_zero else whole.exit_code


COMMAND = Command(
    name="merge",
    group=Group.RELEASE_MANAGERS,
    summary="Join the reports of all shards of a run into one.",
    examples="""
dmconform merge shard-1 shard-2 shard-3 --out whole
dmconform merge downloaded/* --out whole
""",
    notes="Each argument is the folder of a report (or its report.json) of dmconform run --shard. Shards of another suite, "
    "plan, host or module, a shard that is missing or there twice, and whole reports are refused.",
    exit_codes={
        **RUN_CODES,
        2: "wrong usage, a file that is not a report, or shards that do not fit together",
        4: "planned work of a shard could not run, or the command was interrupted",
    },
    add_arguments=_add_arguments,
    run=_run,
)
