"""`dmconform findings`."""

from __future__ import annotations

import argparse

from dmconform.cli.command import Command, Group


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--write", action="store_true", help="write docs/findings.md of a checkout instead of printing it")


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.cli.pages import findings_text, write_or_print
    from dmconform.spec.catalogue import load_catalogue

    return write_or_print(findings_text(load_catalogue()), "findings", write=arguments.write)


COMMAND = Command(
    name="findings",
    group=Group.CONTRIBUTORS,
    summary="Print what was found on real hosts and SDKs, or write docs/findings.md.",
    examples="""
dmconform findings
dmconform findings --write
""",
    exit_codes={0: "the page is printed or written, whatever it says"},
    add_arguments=_add_arguments,
    run=_run,
)
