"""`dmconform abi drift`."""

from __future__ import annotations

import argparse
import sys

from dmconform.cli.abi_diff import DIFF_CODES, add_all, add_forms, exit_code
from dmconform.cli.command import Command


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("new", metavar="FILE", help="a header abi.h, an Envoy binary, or ABI data")
    parser.add_argument("--since", metavar="A", help="compare with this instead of the newest known minor")
    add_all(parser)
    add_forms(parser)


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.abi.loading import known_minors
    from dmconform.abi_diff import render
    from dmconform.abi_diff.drift import drift
    from dmconform.abi_diff.operands import load_operand
    from dmconform.abi_diff.requirements import measured_needs
    from dmconform.abi_diff.uses import load_sdk_uses

    known = load_operand(arguments.since or str(known_minors()[-1]))
    found = drift(known, load_operand(arguments.new), load_sdk_uses(), measured_needs())
    if arguments.json:
        sys.stdout.write(render.as_json(found))
    elif arguments.markdown:
        sys.stdout.write(render.drift_markdown(found, everything=arguments.all))
    else:
        render.show(render.drift_lines(found, everything=arguments.all))
    return exit_code(found.diff.breaks_built)


COMMAND = Command(
    name="drift",
    summary="What changed since the newest known minor, and whether the ABI string changed with it.",
    description="Compares a newer header or binary with the newest minor that there is data of, and shows whether the ABI "
    "string changed with the rest.",
    examples="""
dmconform abi drift envoy/source/extensions/dynamic_modules/abi/abi.h
dmconform abi drift ./envoy --markdown
""",
    exit_codes=DIFF_CODES,
    add_arguments=_add_arguments,
    run=_run,
)
