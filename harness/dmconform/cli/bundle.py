"""`dmconform bundle`."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmconform.core.errors import ExitCode

_EPILOG = """\
examples:
  dmconform bundle broken_files/cut_in_half/cpp@1.39:reference/1.39.3 --out cut.tar.gz
  tar xzf cut.tar.gz; python3 cell-*/run.py /path/to/envoy    # on another machine

The archive has the modules, configurations, requests, the log and the identity of the Envoy (not the Envoy), and run.py, which
replays them with nothing but Python 3.10 or newer. Its README.txt says what a replay leaves out.

exit codes:
  0  the archive is written, and its replay on this machine is as recorded
  2  wrong usage: there is no such cell, or the file exists
  4  the cell could not be run, has no verdict (not applicable, unreachable), or cannot go elsewhere;
     or the archive is written, and its replay here is not as recorded
"""


def add_bundle_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `bundle` to the command line."""
    text = "Run one cell again, and make an archive that replays it on another machine, without this repository."
    parser = commands.add_parser(
        "bundle", help=text, description=text, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=_EPILOG
    )
    parser.add_argument("cell", metavar="CELL-ID", help="as reports and dmconform list cells write it")
    parser.add_argument("--out", type=Path, metavar="FILE.tar.gz", help="new file (default: named after the cell, here)")
    parser.add_argument("--host", action="append", default=[], metavar="SPEC", help="where the cell's host is no known release")
    parser.add_argument(
        "--sdk-source",
        metavar="URL-or-path",
        help="repository with the official SDKs: a mirror or a clone (also DMCONFORM_SDK_SOURCE; default: Envoy's own)",
    )
    parser.set_defaults(run=run_bundle)


def run_bundle(arguments: argparse.Namespace) -> int:
    """Makes an archive of a cell."""
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
