"""`dmconform abi drift`."""

from __future__ import annotations

import argparse

from dmconform.cli.abi_diff import DIFF_CODES, RULE_NOTES, add_all, exit_code
from dmconform.cli.command import Command
from dmconform.cli.policy_options import add_allow, add_form, allowed_rules, diff_annotations


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("new", metavar="FILE", help="a header abi.h, an Envoy binary, or ABI data")
    parser.add_argument("--since", metavar="A", help="compare with this instead of the newest known minor")
    add_all(parser)
    add_allow(parser)
    add_form(parser)


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.abi.loading import known_minors
    from dmconform.abi_diff import render
    from dmconform.abi_diff.drift import drift
    from dmconform.abi_diff.operands import load_operand
    from dmconform.abi_diff.places import places_in
    from dmconform.abi_diff.requirements import measured_needs
    from dmconform.abi_diff.uses import load_sdk_uses
    from dmconform.cli.output import print_result

    allowed = allowed_rules(arguments)
    known = load_operand(arguments.since or str(known_minors()[-1]))
    found = drift(known, load_operand(arguments.new), load_sdk_uses(), measured_needs())
    print_result(
        arguments.format,
        found,
        lambda: render.show(render.drift_lines(found, everything=arguments.all, allowed=allowed)),
        lambda: render.drift_markdown(found, everything=arguments.all, allowed=allowed),
        lambda: diff_annotations(found.diff, allowed, places_in(arguments.new)),
    )
    return exit_code(bool(found.diff.offending(allowed)))


COMMAND = Command(
    name="drift",
    summary="What changed since the newest known minor, and whether the ABI string changed with it.",
    description="Compares a newer header or binary with the newest minor that there is data of, and shows whether the ABI "
    "string changed with the rest.",
    examples="""
dmconform abi drift envoy/source/extensions/dynamic_modules/abi/abi.h
dmconform abi drift ./envoy --format markdown
""",
    notes=RULE_NOTES,
    exit_codes=DIFF_CODES,
    add_arguments=_add_arguments,
    run=_run,
)
