"""`dmconform abi hooks`: measures which hooks hosts require, and writes it down."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmconform.core import paths
from dmconform.core.errors import ExitCode

_EPILOG = """\
examples:
  dmconform abi hooks                          # all known releases; rewrites the file of a checkout
  dmconform abi hooks --host 1.40              # one release; the others stay as they are
  dmconform abi hooks --host path:./envoy -o /tmp/hooks.json

Modules' code runs on this machine, with the rights of the caller: that of generated modules which do nothing.

exit codes:
  0  measured and written
  2  wrong usage, or a data file with a mistake
  4  it could not be measured: harness, build or download trouble
"""


def add_measuring_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of a measurement on several hosts, whose result is a file of this repository."""
    parser.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="SPEC",
        help="1.39 (newest known patch), 1.39.3, all, path:FILE or image:REF; may be repeated (default: all)",
    )
    parser.add_argument(
        "-o", dest="out", type=Path, metavar="FILE", help="where to write it (default: the file of a checkout, renewed)"
    )
    parser.add_argument("-n", dest="workers", type=int, default=None, metavar="N", help="Envoys at once (default: processors)")


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `hooks` to the subcommands of `dmconform abi`."""
    about = "Measure which hooks hosts require of modules, by modules that lack one hook at a time."
    parser = subparsers.add_parser(
        "hooks", help=about, description=about, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=_EPILOG
    )
    add_measuring_options(parser)
    parser.set_defaults(run=run_hooks)


def run_hooks(arguments: argparse.Namespace) -> int:
    """Measures and writes; returns the exit code."""
    from dmconform.abi.required_hooks import FILE, RequiredHooks, hooks_json, load_required_hooks, merged
    from dmconform.measure.hooks.run import measure_hosts

    if arguments.out is None:
        paths.checkout("abi hooks without -o writes conformance/abi/required_hooks.json")
    fresh = measure_hosts(tuple(arguments.host) or ("all",), arguments.workers)
    out: Path = arguments.out or FILE
    known = load_required_hooks() if out == FILE and FILE.exists() else RequiredHooks(())
    renewed = known.replaced(fresh) if arguments.host else merged(fresh)
    out.write_text(hooks_json(renewed), encoding="utf-8")
    print(out)
    return ExitCode.OK
