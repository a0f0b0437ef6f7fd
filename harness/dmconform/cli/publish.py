"""`dmconform publish` and `dmconform published`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dmconform.core import paths
from dmconform.core.errors import ExitCode, HarnessError

_PUBLISH_EPILOG = """\
examples:
  ./toxw -e matrix -- --host all --out /tmp/report
  dmconform publish /tmp/report 2026-11-21-all-hosts

Run it from a clean clone, so that the report names a commit of the suite. report.json is kept byte for byte, compressed, with a
summary in Markdown and SHA256SUMS. The page, evidence and build logs are left out: dmconform page makes the page again.

exit codes: 0 published, 2 the report is not fit for it (incomplete, a shard, a changed suite), or the name is taken,
4 it cannot be written
"""
_PUBLISHED_EPILOG = """\
examples:
  dmconform published            (checks all of them)
  dmconform published --write    (and writes reports/published/README.md anew)

A file that was edited together with its hash shows in git's history; in a clone without it (a shallow one), a note says that it
was not looked at. That plain files of older reports were replaced by a compressed report that holds the same is no edit.

exit codes: 0 all are as they were published, 1 one was edited or is incomplete, or the page is not of today
"""


def add_publish_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `publish` and `published` to the command line."""
    raw = argparse.RawDescriptionHelpFormatter
    text = "Keep a report for others, in reports/published."
    parser = commands.add_parser("publish", help=text, description=text, formatter_class=raw, epilog=_PUBLISH_EPILOG)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="of the report")
    parser.add_argument("name", metavar="DATE-WHAT", help="such as 2026-11-21-envoy-1.40")
    parser.set_defaults(run=run_publish)

    text = "Check that the published reports are what they were, and show how the matrix moved over time."
    parser = commands.add_parser("published", help=text, description=text, formatter_class=raw, epilog=_PUBLISHED_EPILOG)
    parser.add_argument("--write", action="store_true", help="write the generated page")
    parser.set_defaults(run=run_published)


def run_publish(arguments: argparse.Namespace) -> int:
    """Publishes a report."""
    from dmconform.release.publish.history import history_text
    from dmconform.release.publish.publish import FOLDER, PAGE, publish

    paths.checkout("publish writes reports/published")
    folder = publish(arguments.folder, arguments.name)
    _write_page(FOLDER / PAGE, history_text())
    print(f"published: {folder}; commit it together with {FOLDER.name}/{PAGE}")
    return ExitCode.OK


def _write_page(page: Path, text: str) -> None:
    try:
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise HarnessError(f"{page}: cannot be written: {error.strerror}") from error


def run_published(arguments: argparse.Namespace) -> int:
    """Checks the published reports."""
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
            _write_page(page, text)
        elif not page.is_file() or read_bounded(page) != text.encode():
            found.append(f"{PAGE}: not what the reports say; dmconform published --write")
    for problem in found:
        print(safe_message(f"dmconform: {problem}"), file=sys.stderr)
    if edited is None:
        print("note: git's history is not here, so only hashes were looked at, not whether they were edited too")
    print(f"{len(published())} published, {len(found)} problems")
    return ExitCode.FAIL if found else ExitCode.OK
