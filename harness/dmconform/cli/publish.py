"""`dmconform publish`."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmconform.cli.command import Command, Group
from dmconform.core import paths
from dmconform.core.errors import ExitCode, HarnessError


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="of the report")
    parser.add_argument("name", metavar="DATE-WHAT", help="such as 2026-11-21-envoy-1.40")


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.release.publish.history import history_text
    from dmconform.release.publish.publish import FOLDER, PAGE, publish

    paths.checkout("publish writes reports/published")
    folder = publish(arguments.folder, arguments.name)
    write_page(FOLDER / PAGE, history_text())
    print(f"published: {folder}; commit it together with {FOLDER.name}/{PAGE}")
    return ExitCode.OK


def write_page(page: Path, text: str) -> None:
    """Writes the generated page.

    Raises:
        HarnessError: it cannot be written.
    """
    try:
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise HarnessError(f"{page}: cannot be written: {error.strerror}") from error


COMMAND = Command(
    name="publish",
    group=Group.CONTRIBUTORS,
    summary="Keep a report for others, in reports/published of a checkout.",
    examples="""
dmconform run --host all --out /tmp/report
dmconform publish /tmp/report 2026-11-21-all-hosts
""",
    notes="Run it from a clean clone, so that the report names a commit of the suite. report.json is "
    "kept byte for byte, compressed, with a summary in Markdown and SHA256SUMS. The page, evidence and build logs are left "
    "out: dmconform page makes the page again.",
    exit_codes={
        0: "the report is published, whatever it says",
        2: "the report is not fit for it (incomplete, a shard, a changed suite), the name is taken, or this is not a checkout",
        4: "it cannot be written, or the command was interrupted",
    },
    add_arguments=_add_arguments,
    run=_run,
)
