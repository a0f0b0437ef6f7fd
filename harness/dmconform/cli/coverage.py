"""`dmconform coverage`."""

from __future__ import annotations

import argparse

from dmconform.cli.command import Command, Group


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--write", action="store_true", help="write docs/coverage.md of a checkout instead of printing it")
    pages = parser.add_mutually_exclusive_group()
    pages.add_argument(
        "--exercised",
        action="store_true",
        help="the page of what exercises which callbacks and hooks, docs/exercised.md, instead",
    )
    pages.add_argument(
        "--points",
        action="store_true",
        help="the page of extension points by SDK version and host, docs/points.md, instead",
    )


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.cli.pages import coverage_text, points_text, write_or_print
    from dmconform.measure.exercised import exercised, exercised_page
    from dmconform.spec.catalogue import load_catalogue

    if arguments.exercised:
        return write_or_print(exercised_page(exercised()), "exercised", write=arguments.write)
    if arguments.points:
        return write_or_print(points_text(load_catalogue()), "points", write=arguments.write)
    return write_or_print(coverage_text(load_catalogue()), "coverage", write=arguments.write)


COMMAND = Command(
    name="coverage",
    group=Group.CONTRIBUTORS,
    summary="Print which cases show which sentence of the documents, or write docs/coverage.md.",
    description="Prints which cases show which sentence of the documents, as docs/coverage.md has it. With --exercised, prints "
    "how many callbacks and hooks of each minor each method exercises, as docs/exercised.md has it. With --points, prints "
    "how each SDK version does at each extension point on each default host, as on record, as docs/points.md has it.",
    examples="""
dmconform coverage
dmconform coverage --write
dmconform coverage --exercised --write
dmconform coverage --points --write
""",
    exit_codes={0: "the page is printed or written, whatever it says"},
    add_arguments=_add_arguments,
    run=_run,
)
