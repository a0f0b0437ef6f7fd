"""`dmconform reproduce`."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmconform.cli.command import Command, Group
from dmconform.cli.options import add_cell, add_debug, add_sdk_source
from dmconform.cli.run import place_of
from dmconform.core import paths


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_cell(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help=f"new folder for it (default: {paths.RUNS}/TIME)")
    parser.add_argument(
        "--wait",
        action="store_true",
        help="then start it once more, stop where it first sends a request, print ports, curl lines and gdb commands, and wait "
        "for Enter or Ctrl-C",
    )
    add_debug(parser)
    add_sdk_source(parser)


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.matrix.execute import report_folder
    from dmconform.matrix.pytest_plugin import RESULTS_FILE
    from dmconform.matrix.reproduce import reproduce
    from dmconform.sdks.inputs import Variant

    with report_folder(place_of(arguments.out), (RESULTS_FILE,)) as folder:
        variant = Variant.DEBUG if arguments.debug else Variant.RELEASE
        hosts, source = tuple(arguments.host), arguments.sdk_source
        return reproduce(arguments.cell, hosts, source, folder, variant=variant, wait=arguments.wait)


COMMAND = Command(
    name="reproduce",
    group=Group.SDK_MAINTAINERS,
    summary="Run one cell again, print all that is known of it, and keep its folder.",
    examples="""
dmconform reproduce window/proxied_traffic/rust@1.39:reference/1.40.0
dmconform reproduce window/loads/go@1.39:reference/1.40.0 --out /tmp/cell
dmconform reproduce rtld/local_by_default/cpp@1.39:reference/1.39.3 --wait
""",
    exit_codes={
        0: "the cell passes, does not count (its pair is not a supported one), or fails as a known failure that is on record",
        1: "the cell is a supported one and fails, its record no longer applies, or static analysis and run-time observation "
        "contradict each other",
        2: "wrong usage, such as a cell that does not exist; or a data file with a mistake",
        4: "the cell could not run, or the command was interrupted",
    },
    add_arguments=_add_arguments,
    run=_run,
)
