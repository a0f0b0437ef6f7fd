"""`dmconform abi findings`."""

from __future__ import annotations

import argparse
import sys

from dmconform.cli.abi_diff import add_forms, exit_code
from dmconform.cli.command import Command


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--unsupported", action="store_true", help="also unsupported pairs; they do not change the exit code")
    add_forms(parser)


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.abi_diff import render
    from dmconform.spec.abi_breaks import compare_pairs

    found = compare_pairs(unsupported=arguments.unsupported)
    if arguments.json:
        sys.stdout.write(render.as_json(found))
    elif arguments.markdown:
        sys.stdout.write(render.findings_markdown(found))
    else:
        render.show(render.findings_lines(found))
    return exit_code(bool(found.broken))


COMMAND = Command(
    name="findings",
    summary="What in the ABI data breaks the compatibility promise.",
    description="Compares each minor with the next one, as far as the documents promise that modules of the first work on the "
    "second, and lists what breaks that.",
    examples="""
dmconform abi findings
dmconform abi findings --unsupported --markdown
""",
    exit_codes={0: "nothing breaks the promise", 1: "something breaks the promise"},
    add_arguments=_add_arguments,
    run=_run,
)
