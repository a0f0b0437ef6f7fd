"""`dmconform published`."""

from __future__ import annotations

import argparse
import sys

from dmconform.cli.command import Command, Group
from dmconform.core import paths
from dmconform.core.errors import ExitCode


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--write", action="store_true", help="write the generated page")


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.cli.publish import write_page
    from dmconform.core.datafile import read_bounded
    from dmconform.core.terminal import safe_message
    from dmconform.release.publish.edits import edited_since
    from dmconform.release.publish.history import history_text
    from dmconform.release.publish.publish import FOLDER, PAGE
    from dmconform.release.publish.verify import problems, published

    paths.checkout("published checks reports/published and its history")
    found = list(problems())
    edited = edited_since()
    found += [f"{name}: changed or removed after it was published" for name in edited or ()]
    page = FOLDER / PAGE
    if not found:
        text = history_text()
        if arguments.write:
            write_page(page, text)
        elif not page.is_file() or read_bounded(page) != text.encode():
            found.append(f"{PAGE}: not what the reports say; dmconform published --write")
    for problem in found:
        print(safe_message(f"dmconform: {problem}"), file=sys.stderr)
    if edited is None:
        print("note: git's history is not here, so only hashes were looked at, not whether they were edited too")
    print(f"{len(published())} published, {len(found)} problems")
    return ExitCode.FAIL if found else ExitCode.OK


COMMAND = Command(
    name="published",
    group=Group.CONTRIBUTORS,
    summary="Check that the published reports are unchanged, and show how the matrix changed over time.",
    examples="""
dmconform published  # checks all of them
dmconform published --write  # and writes reports/published/README.md anew
""",
    notes="A file that was edited together with its hash shows in git's history; in a clone without it (a shallow one), a note "
    "says that it was not looked at. That plain files of older reports were replaced by a compressed report that holds the "
    "same is not an edit.",
    exit_codes={
        0: "all are as they were published, and the page is up to date",
        1: "one was edited or is incomplete, or the page is out of date",
        2: "wrong usage, or this is not a checkout",
    },
    add_arguments=_add_arguments,
    run=_run,
)
