"""`dmconform run`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dmconform.cli.command import Command, Group
from dmconform.cli.options import add_exit_zero, add_format, add_run_options, add_selectors
from dmconform.core import paths
from dmconform.core.clock import CommandStart
from dmconform.core.errors import ExitCode, UsageError

RUN_CODES = {
    0: "every supported cell that ran passes, or fails as a known failure that is on record, and each release behaves as is on "
    "record of it",
    1: "a supported cell fails, a record of a known failure no longer applies, static analysis and run-time observation "
    "contradict each other, or a cell is not as on record of its release (changed fact; not with --facts warn or ignore)",
    3: "the selection is empty",
    4: "planned work could not run: trouble with the harness, a build or a download; or the run was interrupted; "
    "with --require-official also: an official SDK version that was asked for could not be had",
}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_selectors(parser)
    add_run_options(parser)
    parser.add_argument(
        "--shard", metavar="I/N", help="only the I-th of N parts of equal cost; dmconform merge joins the reports"
    )
    add_format(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help=f"new folder for the report (default: {paths.RUNS}/TIME)")
    add_exit_zero(parser, "a complete report")
    parser.add_argument(
        "--require-official",
        action="store_true",
        help="exit code 4 if an official SDK version could not be had that was asked for, also without naming it",
    )


def place_of(named: Path | None) -> Path:
    """Returns where the folder of a report is to be: as it was named, or called after the time."""
    from datetime import UTC, datetime

    return named or paths.runs_folder() / datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.cli.output import print_report
    from dmconform.matrix.execute import report_folder
    from dmconform.matrix.run import run_matrix, selection_of
    from dmconform.report.answers.evidence import official_not_had

    if arguments.require_official and arguments.exit_zero:
        raise UsageError("--require-official and --exit-zero contradict each other: give one of them")
    started = CommandStart.now()
    with report_folder(place_of(arguments.out)) as folder:
        report = run_matrix(
            selection_of(arguments), folder, arguments.workers, started, reruns=arguments.reruns, shard=arguments.shard
        )
        print_report(arguments.format, report, folder, details=arguments.details)
    if arguments.require_official and report.exit_code == ExitCode.OK and (missing := official_not_had(report)):
        print(f"dmconform: --require-official: not to be had: {', '.join(missing)}", file=sys.stderr)
        return ExitCode.ERROR
    return ExitCode.OK if arguments.exit_zero and report.complete else report.exit_code


COMMAND = Command(
    name="run",
    group=Group.SDK_MAINTAINERS,
    summary="Build the probes, run the matrix, write a report.",
    description="Builds the probes, runs the matrix, and writes a report into a new folder.\n\n"
    "Modules' code runs on this machine, with your rights.",
    examples="""
dmconform run
dmconform run --host all --sdk '*@*:reference' --out /tmp/report
dmconform run --host path:./envoy --case 'window/*' -n 4
dmconform run --sdk 'rust@*:official' --sdk-source /path/to/a/clone/of/envoy
""",
    exit_codes=RUN_CODES,
    add_arguments=_add_arguments,
    run=_run,
)
