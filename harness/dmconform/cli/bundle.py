"""`dmconform bundle`."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmconform.cli.command import Command, Group
from dmconform.cli.options import add_cell, add_sdk_source
from dmconform.core.errors import ExitCode


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_cell(parser)
    parser.add_argument("--out", type=Path, metavar="FILE.tar.gz", help="new file (default: named after the cell, here)")
    add_sdk_source(parser)


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.bundle.make import default_name, make_bundle

    file = arguments.out or Path(f"{default_name(arguments.cell)}.tar.gz")
    bundle = make_bundle(arguments.cell, tuple(arguments.host), arguments.sdk_source, file)
    print(f"cell:     {bundle.cell.cell}: {bundle.cell.title}")
    print(f"outcome:  {bundle.cell.outcome} ({bundle.cell.judgement}){f': {bundle.cell.detail}' if bundle.cell.detail else ''}")
    for one in bundle.cell.limits:
        print(f"mind:     {one}")
    print(f"archive:  {bundle.file} ({bundle.file.stat().st_size / 1e6:.1f} MB)")
    if bundle.replay_exit_code == ExitCode.OK:
        print(f"replayed: here, {bundle.replay_output.rstrip().rpartition(chr(10))[2].lower()}")
        return ExitCode.OK
    print(f"replayed: here, NOT as recorded (exit code {bundle.replay_exit_code}):")
    print("\n".join(f"  {line}" for line in bundle.replay_output.splitlines()))
    return ExitCode.ERROR


COMMAND = Command(
    name="bundle",
    group=Group.SDK_MAINTAINERS,
    summary="Run one cell again, and make an archive that replays it on another machine, without this repository.",
    examples="""
dmconform bundle broken_files/fifo/cpp@1.39:reference/1.39.3 --out fifo.tar.gz
tar xzf fifo.tar.gz  # on another machine
python3 cell-*/run.py /path/to/envoy
""",
    notes="The archive has the modules, configurations, requests, the log and the identity of the Envoy (not the Envoy), and "
    "run.py, which replays them with nothing but Python 3.10 or newer. Its README.txt says what a replay leaves out.",
    exit_codes={
        0: "the archive is written, and its replay on this machine ends as recorded, whether the cell passes or fails",
        2: "wrong usage: the cell does not exist, or the file exists already",
        4: "the cell could not run, has no verdict (skip, not tested), or cannot be moved to another machine; or the archive "
        "is written, and its replay here does not end as recorded; or the command was interrupted",
    },
    add_arguments=_add_arguments,
    run=_run,
)
