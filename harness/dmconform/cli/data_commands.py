"""The commands over the project's data files: `coverage`, `findings` and `expectations`. They build and run nothing."""

from __future__ import annotations

import argparse

from dmconform.core.errors import ExitCode
from dmconform.core.values import Outcome

_FAILURES = [one.value for one in (Outcome.FAIL, Outcome.CRASH, Outcome.HANG, Outcome.REJECTED)]
_PAGE_CODES = """\

exit codes:
  0  printed, or written
  2  wrong usage, or a data file with a mistake
"""
_EXAMPLES = """\
examples:
  dmconform expectations
  dmconform expectations remove rust-sdk-1.38-has-no-guard
  dmconform expectations narrow some-id window/loads/rust@1.39:official/1.39.3
  dmconform expectations narrow some-id --promised
  dmconform expectations correct some-id --outcome fail --detail 'expected status 500'
  dmconform expectations extend some-id --until 1.42
  dmconform expectations record new-id window/loads/rust@1.39:official/1.39.3 --outcome fail --detail 'expected 200' \\
      --reason 'The SDK is at fault: …' --evidence 'Seen on 1.39.3: …'

exit codes:
  0  nothing to complain about, or the change is made
  1  there are inconsistencies about the records
  2  wrong usage, or a data file with a mistake
"""
_Commands = argparse._SubParsersAction  # argparse has no public name for it


def add_coverage_parser(commands: _Commands[argparse.ArgumentParser]) -> None:
    """Adds `coverage`."""
    text = "Print which cases show which sentence of the documents, or write docs/coverage.md."
    _page(commands, "coverage", text).set_defaults(run=_coverage)


def add_findings_parser(commands: _Commands[argparse.ArgumentParser]) -> None:
    """Adds `findings`."""
    text = "Print what was found on real hosts and SDKs, or write docs/findings.md."
    _page(commands, "findings", text).set_defaults(run=_findings)


def add_expectations_parser(commands: _Commands[argparse.ArgumentParser]) -> None:
    """Adds `expectations` with its changes."""
    text = "List the records of known failures with what is wrong with them, or change one."
    raw = argparse.RawDescriptionHelpFormatter
    parser = commands.add_parser("expectations", help=text, description=text, epilog=_EXAMPLES, formatter_class=raw)
    parser.set_defaults(run=_expectations)
    actions = parser.add_subparsers(dest="action", metavar="CHANGE")
    remove = actions.add_parser("remove", help="take a record out that does not apply any more")
    narrow = actions.add_parser("narrow", help="take cells, and globs that match nothing, out of a record")
    narrow.add_argument("--promised", action="store_true", help="also take all cells out that nobody promised")
    correct = actions.add_parser("correct", help="put on record that its cells fail in another way")
    extend = actions.add_parser("extend", help="put on record that it was looked at again")
    extend.add_argument(
        "--until", required=True, metavar="MINOR", help="the minor with which to look at it again, such as 1.42"
    )
    record = actions.add_parser("record", help="put a new failure on record")
    for one in (remove, narrow, correct, extend, record):
        one.add_argument("id", help="the record's id")
    narrow.add_argument("cell", nargs="*", metavar="CELL-ID", help="a cell that it is not to cover any more")
    record.add_argument("cell", nargs="+", metavar="CELL-ID", help="a cell, or a glob over cells")
    for one in (correct, record):
        one.add_argument("--outcome", required=True, choices=_FAILURES, help="how the cells end")
        one.add_argument("--detail", required=True, metavar="REGEX", help="what their detail must match")
    record.add_argument(
        "--reason", required=True, help="what is wrong; begins with whose fault it is: 'The SDK is at fault: …'"
    )
    record.add_argument("--evidence", required=True, help="where it was seen; a link, if there is one")
    record.add_argument("--until", metavar="MINOR", help="the minor with which to look at it again, such as 1.42")


def _page(commands: _Commands[argparse.ArgumentParser], name: str, text: str) -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    examples = f"examples:\n  dmconform {name}\n  dmconform {name} --write\n{_PAGE_CODES}"
    parser = commands.add_parser(name, help=text, description=text, epilog=examples, formatter_class=raw)
    parser.add_argument("--write", action="store_true", help=f"write docs/{name}.md instead of printing it")
    return parser


def _write_or_print(text: str, name: str, write: bool) -> int:
    from dmconform.core import paths

    if write:
        file = paths.checkout(f"{name} --write writes docs/{name}.md") / "docs" / f"{name}.md"
        file.write_text(text)
        print(f"written: {file}")
    else:
        print(text, end="")
    return ExitCode.OK


def _coverage(arguments: argparse.Namespace) -> int:
    from dmconform.cli.pages import coverage_text
    from dmconform.spec.catalogue import load_catalogue

    return _write_or_print(coverage_text(load_catalogue()), "coverage", arguments.write)


def _findings(arguments: argparse.Namespace) -> int:
    from dmconform.cli.pages import findings_text
    from dmconform.spec.catalogue import load_catalogue

    return _write_or_print(findings_text(load_catalogue()), "findings", arguments.write)


def _expectations(arguments: argparse.Namespace) -> int:
    from dmconform.cli.expectations import run_expectations

    return run_expectations(arguments)
