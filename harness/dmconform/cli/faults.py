"""`dmconform abi faults`: measures what hosts make of modules with one fault, and writes it down."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmconform.cli.hooks import add_measuring_options
from dmconform.core import paths
from dmconform.core.errors import ExitCode

_EPILOG = """\
examples:
  dmconform abi faults                          # all known releases; rewrites the file of a checkout and docs/faults.md
  dmconform abi faults --host 1.40              # one release; the others stay as they are
  dmconform abi faults --host path:./envoy -o /tmp/faults.json
  dmconform abi faults --page                   # measures nothing: only docs/faults.md of a checkout, from its file

Modules' code runs on this machine, with the rights of the caller: that of generated modules which do nothing, or crash.

exit codes:
  0  measured and written
  2  wrong usage, or a data file with a mistake
  4  it could not be measured: harness, build or download trouble
"""


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `faults` to the subcommands of `dmconform abi`."""
    about = "Measure what hosts make of modules with one fault: a hook that is missing, or that returns null."
    parser = subparsers.add_parser(
        "faults", help=about, description=about, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=_EPILOG
    )
    add_measuring_options(parser)
    parser.add_argument("--page", action="store_true", help="only write docs/faults.md anew")
    parser.set_defaults(run=run_faults)


def page_file() -> Path:
    """Returns the page that is made from the repository's data."""
    return paths.checkout("abi faults without -o writes module_faults.json and docs/faults.md") / "docs" / "faults.md"


def run_faults(arguments: argparse.Namespace) -> int:
    """Measures and writes; returns the exit code."""
    from dmconform.abi.fault_reactions import FILE, Faults, faults_json, load_faults, merged
    from dmconform.measure.faults.page import faults_page
    from dmconform.measure.faults.run import measure_faults_of

    out: Path = arguments.out or FILE
    if out == FILE:
        page_file()  # what cannot be written is not measured
    if not arguments.page:
        fresh = measure_faults_of(tuple(arguments.host) or ("all",), arguments.workers)
        known = load_faults() if out == FILE and FILE.exists() else Faults(())
        renewed = known.replaced(fresh) if arguments.host else merged(fresh)
        out.write_text(faults_json(renewed), encoding="utf-8")
        print(out)
    if out == FILE:
        page = page_file()
        page.write_text(faults_page(load_faults()), encoding="utf-8")
        print(page)
    return ExitCode.OK
