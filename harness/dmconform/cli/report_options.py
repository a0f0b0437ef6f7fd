"""Options that commands with a report have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from dmconform.core.paths import report_in

if TYPE_CHECKING:
    import msgspec

    from dmconform.report.github import Annotation
    from dmconform.report.schema import Report


def report_file(text: str) -> Path:
    """The report that an argument names: the file, plain or compressed, or that in the folder of a run."""
    path = Path(text)
    return report_in(path) if path.is_dir() else path


def add_format(parser: argparse.ArgumentParser) -> None:
    """Adds `--format`."""
    parser.add_argument(
        "--format",
        choices=("text", "github"),
        default="text",
        help="github: what counts against the run as annotations as well, and matrix.md in the job's summary (default: text)",
    )


def print_report(form: str, report: Report, folder: Path) -> None:
    """Prints what a report in a folder comes to, as `add_format`'s option asks."""
    from rich.console import Console

    from dmconform.report.console import print_matrix
    from dmconform.report.github import tell_github

    print_matrix(report, Console(), folder / "index.html")
    if form == "github":
        tell_github(report, folder / "matrix.md")


def add_result_format(parser: argparse.ArgumentParser) -> None:
    """Adds `--format` to a command whose result can be told in each way of `print_result`."""
    parser.add_argument(
        "--format",
        choices=("text", "markdown", "json", "github"),
        default="text",
        help="github: annotations, and the Markdown in the job's summary (default: text)",
    )


def print_result(
    form: str,
    value: msgspec.Struct,
    text: Callable[[], None],
    markdown: Callable[[], str],
    annotations: Callable[[], Iterable[Annotation]],
) -> None:
    """Prints a result as `--format` asks: `value` as JSON, or by one of the other three."""
    import msgspec

    from dmconform.report.github import add_to_summary, limited

    match form:
        case "json":
            print(msgspec.json.format(msgspec.json.encode(value), indent=1).decode())
        case "markdown":
            print(markdown(), end="")
        case "github":
            for annotation in limited(annotations()):
                print(annotation)
            add_to_summary(markdown())
        case _:
            text()
