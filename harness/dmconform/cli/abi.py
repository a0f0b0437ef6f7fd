"""`dmconform abi`: everything about the ABI as data."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dmconform.cli import abi_diff as diff
from dmconform.cli import faults, hooks
from dmconform.core import paths
from dmconform.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from dmconform.abi.types import Abi

_EXTRACT = f"""\
examples:
  dmconform abi extract abi.h
  dmconform abi extract abi.h --envoy 1.41 --binary ./envoy -o 1.41.json
  dmconform abi extract abi.h --release 1.41.0 --nearby --source 1.41d --describe 'abi.h of commit 0123abc'

The result, on standard output or in FILE, is of the format of {paths.named("conformance/abi/README.md")}.
What the header and the binary do not agree on is said on standard error.
"""
_FROM_BINARY = """\
examples:
  dmconform abi from-binary ./envoy
  dmconform abi from-binary ./libmodule.so -o module.json

The result has names and the ABI string, where it can be read. Of a module it has the hooks that it defines and the callbacks
that it uses. The file is only read, never run.
"""
_EXIT_CODES = """
exit codes:
  0  done
  2  wrong usage, a file that is not what it should be, or a header with something that the format cannot say
  4  the file could not be judged: it takes more time or memory than it may
"""


def add_abi_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `abi` with all its subcommands; each sets `run` to the function that does it."""
    help_text = "Make, compare and watch the ABI as data."
    parser = commands.add_parser("abi", help=help_text, description=help_text)
    subcommands = parser.add_subparsers(dest="abi_command", required=True, metavar="SUBCOMMAND")
    _add_extract(subcommands)
    _add_from_binary(subcommands)
    diff.add_parsers(subcommands)
    hooks.add_parsers(subcommands)
    faults.add_parsers(subcommands)


def run_extract(arguments: argparse.Namespace) -> int:
    """`dmconform abi extract`; raises as `dmconform.abi_diff.extract.extract`."""
    from dmconform.abi_diff.extract import About, extract
    from dmconform.core.progress import say

    about = About(arguments.envoy, arguments.release, arguments.source, arguments.describe, not arguments.nearby)
    extraction = extract(arguments.header, about, arguments.binary)
    for note in extraction.notes:
        say(note)
    _put(extraction.abi, arguments.output)
    return ExitCode.OK


def run_from_binary(arguments: argparse.Namespace) -> int:
    """`dmconform abi from-binary`; raises as `dmconform.abi_diff.from_binary.abi_of_binary`."""
    from dmconform.abi_diff.from_binary import abi_of_binary

    _put(abi_of_binary(arguments.file, arguments.envoy, arguments.release), arguments.output)
    return ExitCode.OK


def _put(abi: Abi, output: Path | None) -> None:
    from dmconform.abi.loading import abi_json

    text = abi_json(abi)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output}: the result cannot be written there: {error.strerror}") from error


def _add_extract(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    help_text = "Make ABI data of a real abi.h; with a binary, compare its names with those of the header."
    parser = _parser(subcommands, "extract", help_text, _EXTRACT)
    parser.add_argument("header", type=Path, metavar="HEADER", help="an abi.h of Envoy; it is parsed, never compiled")
    parser.add_argument("--binary", type=Path, metavar="FILE", help="an Envoy of the same release")
    _add_version(parser)
    parser.add_argument("--source", metavar="NAME", help="short name of the header in the data (default: the minor)")
    parser.add_argument("--describe", metavar="TEXT", help="what the header is (default: its SHA-256)")
    parser.add_argument("--nearby", action="store_true", help="it is the header of another release, or of a development line")
    parser.set_defaults(run=run_extract)


def _add_from_binary(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    help_text = "Say what an Envoy or a module alone tells of the ABI: names, and the ABI string."
    parser = _parser(subcommands, "from-binary", help_text, _FROM_BINARY)
    parser.add_argument("file", type=Path, metavar="FILE", help="an Envoy, or a module (.so); it is read, never run")
    _add_version(parser)
    parser.set_defaults(run=run_from_binary)


def _parser(
    subcommands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help_text: str, epilog: str
) -> argparse.ArgumentParser:
    return subcommands.add_parser(
        name,
        help=help_text,
        description=help_text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=epilog + _EXIT_CODES,
    )


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--envoy", metavar="MINOR", help="the minor, such as 1.41 (default: that of the release)")
    parser.add_argument("--release", metavar="RELEASE", help="such as 1.41.0 (default: what the binary says of itself)")
    parser.add_argument("-o", dest="output", type=Path, metavar="FILE", help="write there instead of standard output")
