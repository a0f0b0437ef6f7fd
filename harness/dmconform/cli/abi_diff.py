"""`dmconform abi diff`, and what it shares with `drift`."""

from __future__ import annotations

import argparse

from dmconform.cli.command import Command
from dmconform.cli.policy_options import add_allow, add_form, allowed_rules, diff_annotations
from dmconform.core import paths
from dmconform.core.errors import ExitCode

OPERAND = "a minor (1.39), a known release (1.39.3), or a file: ABI data, a header abi.h, or an Envoy binary"
DIFF_CODES = {
    0: "nothing breaks a module that is already built, or a rule of the policy; or what does is allowed. Rules that could not "
    "be judged do not count",
    1: "something breaks modules that are already built, or a rule of the policy that binds the newer side, and is not allowed",
    2: "wrong usage, or a file that is neither ABI data, nor a header, nor an Envoy",
    4: "a release is out of reach, a file takes its reader more time or memory than it may, or the command was interrupted",
}
RULE_NOTES = (
    "The rules are those of the compatibility policy that came with 1.40 "
    f"({paths.named('conformance/abi/policy.toml').replace('%', '%%')}). They bind hosts from 1.40 on, and headers whose "
    "release is not known; for older hosts the verdicts are a comparison, and only what breaks built modules counts."
)


def add_all(parser: argparse.ArgumentParser) -> None:
    """Adds `--all`."""
    parser.add_argument("--all", action="store_true", help="also show in full what is harmless, or cannot be judged")


def exit_code(offending: bool) -> int:
    """Returns the exit code of a comparison."""
    return ExitCode.FAIL if offending else ExitCode.OK


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", metavar="A", help=f"what modules were built against: {OPERAND}")
    parser.add_argument("new", metavar="B", help="the host: the same choice")
    add_all(parser)
    add_allow(parser)
    add_form(parser)


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.abi_diff import render
    from dmconform.abi_diff.assemble import diff
    from dmconform.abi_diff.operands import load_operand
    from dmconform.abi_diff.places import places_in
    from dmconform.abi_diff.requirements import measured_needs
    from dmconform.abi_diff.uses import load_sdk_uses
    from dmconform.cli.output import print_result

    allowed = allowed_rules(arguments)
    found = diff(load_operand(arguments.old), load_operand(arguments.new), load_sdk_uses(), measured_needs())
    print_result(
        arguments.format,
        found,
        lambda: render.show(render.text_lines(found, everything=arguments.all, allowed=allowed)),
        lambda: render.markdown(found, everything=arguments.all, allowed=allowed),
        lambda: diff_annotations(found, allowed, places_in(arguments.new)),
    )
    return exit_code(bool(found.offending(allowed)))


COMMAND = Command(
    name="diff",
    summary="What changed between two ABIs, and what that does to modules.",
    description="Shows what changed from the ABI that a module was built against to that of the host that loads it, what that "
    "does to the module, and which rules of the compatibility policy hold. Of binaries only names are known.",
    examples="""
dmconform abi diff 1.38 1.39
dmconform abi diff 1.39 ./envoy --format json
dmconform abi diff base/abi.h abi.h --format github  # a presubmit of a header
dmconform abi diff 1.40 abi.h --allow enum-direction
""",
    notes=RULE_NOTES,
    exit_codes=DIFF_CODES,
    add_arguments=_add_arguments,
    run=_run,
)
