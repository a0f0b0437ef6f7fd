"""`dmconform coverage`."""

from __future__ import annotations

import argparse

from dmconform.cli.command import Command, Group


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--write", action="store_true", help="write docs/coverage.md of a checkout instead of printing it")


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.cli.pages import coverage_text, write_or_print
    from dmconform.spec.catalogue import load_catalogue

    return write_or_print(coverage_text(load_catalogue()), "coverage", write=arguments.write)


COMMAND = Command(
    name="coverage",
    group=Group.CONTRIBUTORS,
    summary="Print which cases show which sentence of the documents, or write docs/coverage.md.",
    examples="""
dmconform coverage
dmconform coverage --write
""",
    exit_codes={0: "the page is printed or written, whatever it says"},
    add_arguments=_add_arguments,
    run=_run,
)
