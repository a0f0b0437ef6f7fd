"""`dmconform abi diff`, and what it shares with `drift` and `findings`."""

from __future__ import annotations

import argparse
import sys

from dmconform.cli.command import Command
from dmconform.core import paths
from dmconform.core.errors import ExitCode

OPERAND = "a minor (1.39), a known release (1.39.3), or a file: ABI data, a header abi.h, or an Envoy binary"
DIFF_CODES = {
    0: "nothing breaks a module that is already built",
    1: "something breaks modules that are already built",
    2: "wrong usage, or a file that is neither ABI data, nor a header, nor an Envoy",
    4: "a release is out of reach, a file takes its reader more time or memory than it may, or the command was interrupted",
}
_SCHEMAS = paths.named("reports/schema").replace("%", "%%")  # argparse fills in what follows a percent sign


def add_forms(parser: argparse.ArgumentParser) -> None:
    """Adds `--json` and `--markdown`."""
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "--json", action="store_true", help=f"print JSON, with everything; its schema is one of those in {_SCHEMAS}"
    )
    forms.add_argument("--markdown", action="store_true", help="print Markdown")


def add_all(parser: argparse.ArgumentParser) -> None:
    """Adds `--all`."""
    parser.add_argument("--all", action="store_true", help="also show in full what is harmless, or cannot be judged")


def exit_code(breaks: bool) -> int:
    """Returns the exit code of a comparison."""
    return ExitCode.FAIL if breaks else ExitCode.OK


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", metavar="A", help=f"what modules were built against: {OPERAND}")
    parser.add_argument("new", metavar="B", help="the host: the same choice")
    add_all(parser)
    add_forms(parser)


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.abi_diff import render
    from dmconform.abi_diff.assemble import diff
    from dmconform.abi_diff.operands import load_operand
    from dmconform.abi_diff.requirements import measured_needs
    from dmconform.abi_diff.uses import load_sdk_uses

    found = diff(load_operand(arguments.old), load_operand(arguments.new), load_sdk_uses(), measured_needs())
    if arguments.json:
        sys.stdout.write(render.as_json(found))
    elif arguments.markdown:
        sys.stdout.write(render.markdown(found, everything=arguments.all))
    else:
        render.show(render.text_lines(found, everything=arguments.all))
    return exit_code(found.breaks_built)


COMMAND = Command(
    name="diff",
    summary="What changed between two ABIs, and what that does to modules.",
    description="Shows what changed from the ABI that a module was built against to that of the host that loads it, and what "
    "that does to the module. Of binaries only names are known.",
    examples="""
dmconform abi diff 1.38 1.39
dmconform abi diff 1.39 ./envoy --json
dmconform abi diff 1.40 new/abi.h --markdown
""",
    exit_codes=DIFF_CODES,
    add_arguments=_add_arguments,
    run=_run,
)
