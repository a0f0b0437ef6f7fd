"""`dmconform abi findings`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from dmconform.cli.abi_diff import exit_code
from dmconform.cli.command import Command
from dmconform.cli.policy_options import add_allow, add_form, allowed_rules, break_annotation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from dmconform.abi.policy_rule import PolicyRule
    from dmconform.abi_diff.changes import AbiBreaks
    from dmconform.report.github import Annotation


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--unsupported", action="store_true", help="also unsupported pairs; they do not change the exit code")
    add_allow(parser)
    add_form(parser)


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.abi_diff import render
    from dmconform.cli.output import print_result
    from dmconform.spec.abi_breaks import compare_pairs

    allowed = allowed_rules(arguments)
    found = compare_pairs(unsupported=arguments.unsupported)
    print_result(
        arguments.format,
        found,
        lambda: render.show(render.findings_lines(found, allowed)),
        lambda: render.findings_markdown(found, allowed),
        lambda: _annotations(found, allowed),
    )
    return exit_code(bool(found.offending(allowed)))


def _annotations(found: AbiBreaks, allowed: Collection[PolicyRule]) -> Iterator[Annotation]:
    from dmconform.abi_diff.words import findings_summary
    from dmconform.report.github import Annotation, AnnotationLevel

    offending = found.offending(allowed)
    yield from (break_annotation(one) for one in offending)
    level = AnnotationLevel.ERROR if offending else AnnotationLevel.NOTICE
    yield Annotation(level, "dmconform abi findings", findings_summary(found, allowed))


COMMAND = Command(
    name="findings",
    summary="What in the ABI data breaks the compatibility promise.",
    description="Compares each minor with every later one on which the documents promise that its modules work, and lists what "
    "breaks that, and which rules of the compatibility policy hold.",
    examples="""
dmconform abi findings
dmconform abi findings --unsupported --format markdown
""",
    exit_codes={0: "nothing breaks the promise, or what does is allowed", 1: "something breaks the promise"},
    add_arguments=_add_arguments,
    run=_run,
)
