"""`dmconform abi extract`."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmconform.cli.command import Command
from dmconform.core import paths
from dmconform.core.errors import ExitCode

READ_CODES = {
    0: "the data is written",
    2: "wrong usage, a file of another kind than expected, or a header with something that the format cannot express",
    4: "the file could not be judged: it takes more time or memory than it may; or the command was interrupted",
}


def add_version(parser: argparse.ArgumentParser) -> None:
    """Adds the options that say which Envoy a file belongs to, and `-o`."""
    parser.add_argument("--envoy", metavar="MINOR", help="the minor, such as 1.41 (default: that of the release)")
    parser.add_argument("--release", metavar="RELEASE", help="such as 1.41.0 (default: what the binary reports)")
    parser.add_argument("-o", dest="output", type=Path, metavar="FILE", help="write there instead of standard output")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "header",
        type=Path,
        metavar="HEADER",
        help="an abi.h of Envoy; it is parsed, never compiled; what it includes is not read",
    )
    parser.add_argument("--binary", type=Path, metavar="FILE", help="an Envoy of the same release")
    add_version(parser)
    parser.add_argument("--source", metavar="NAME", help="short name of the header in the data (default: the minor)")
    parser.add_argument("--describe", metavar="TEXT", help="what the header is (default: its SHA-256)")
    parser.add_argument("--nearby", action="store_true", help="it is the header of another release, or of a development line")


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.abi.loading import abi_json
    from dmconform.abi_diff.extract import About, extract
    from dmconform.cli.output import put
    from dmconform.core.progress import say

    about = About(arguments.envoy, arguments.release, arguments.source, arguments.describe, not arguments.nearby)
    extraction = extract(arguments.header, about, arguments.binary)
    for note in extraction.notes:
        say(note)
    put(abi_json(extraction.abi), arguments.output)
    return ExitCode.OK


COMMAND = Command(
    name="extract",
    summary="Make ABI data of a real abi.h; with a binary, compare its names with those of the header.",
    examples="""
dmconform abi extract abi.h
dmconform abi extract abi.h --envoy 1.41 --binary ./envoy -o 1.41.json
dmconform abi extract abi.h --release 1.41.0 --nearby --source 1.41d \\
    --describe 'abi.h of commit 0123abc'
""",
    notes=f"The result, on standard output or in FILE, is of the format of {paths.named('conformance/abi/README.md')}. "
    "Differences between the header and the binary are printed on standard error.",
    exit_codes=READ_CODES,
    add_arguments=_add_arguments,
    run=_run,
)
