"""`dmconform sweep` on the command line."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dmconform.core.errors import ExitCode, UsageError

DESCRIPTION = """\
Calls the callbacks of the ABI from a generated module in real Envoys, and compares what they give with what they give on
the minor that the module was built for. Shows what changed in behaviour and in no signature, and which callbacks are covered.
"""
EPILOG = """\
examples:
  dmconform sweep                                  all minors, each on its own and the other promised hosts
  dmconform sweep --abi 1.39                       one minor
  dmconform sweep --abi 1.38 --host all --json -   also on hosts that nobody promised

exit codes:
  0  no promised host differs but as it is on record
  1  one does, or a record no longer applies
  2  wrong usage, or a data file with a mistake
  4  something could not be judged: a host or the compiler cannot be had, or a host refuses the module on its own minor
"""


def add_sweep_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `sweep` to the tool's commands."""
    parser = commands.add_parser(
        "sweep",
        help="Call all callbacks on several hosts and compare what they give.",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EPILOG,
    )
    parser.add_argument("--abi", action="append", default=[], metavar="X.Y", help="a minor; may be repeated (default: all)")
    parser.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="SPEC",
        help="1.40, 1.39.1, all, path:FILE or image:REF; may be repeated (default: those that are promised)",
    )
    parser.add_argument("--json", metavar="FILE", help="write the result as JSON too; - is standard output, then alone")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--no-probes", action="store_true", help="do not build or look at the probes")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="new folder for the Envoys' files (default: none is kept)")
    parser.set_defaults(run=run_sweep)


def run_sweep(arguments: argparse.Namespace) -> int:
    """Runs `dmconform sweep`; returns its exit code."""
    from dmconform.measure.differential.present import as_markdown, print_swept
    from dmconform.measure.differential.request import DifferentialRequest, run_request
    from dmconform.measure.differential.result import as_json

    json_file = Path(arguments.json) if arguments.json not in (None, "-") else None
    if json_file is not None and not json_file.absolute().parent.is_dir():
        raise UsageError(f"--json {json_file}: there is no such folder")
    with _folder(arguments.keep) as folder:
        swept = run_request(
            DifferentialRequest(tuple(arguments.abi), tuple(arguments.host), probes=not arguments.no_probes), folder
        )
    if json_file is not None:
        try:
            json_file.write_text(as_json(swept), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"--json {json_file}: cannot be written: {error.strerror}") from None
    if arguments.json == "-":
        print(as_json(swept), end="")
    elif arguments.markdown:
        print(as_markdown(swept), end="")
    else:
        print_swept(swept)
    if swept.broken:
        return ExitCode.FAIL
    return ExitCode.ERROR if swept.incomplete else ExitCode.OK


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Where the Envoys' files go."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="dmconform-sweep-") as folder:
            yield Path(folder)
    elif keep.exists():
        raise UsageError(f"--keep {keep}: is there already; name a new folder")
    else:
        keep.mkdir(parents=True)
        yield keep.resolve()
