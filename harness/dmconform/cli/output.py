"""How commands print reports, results in several forms, and files that they write."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dmconform.core.errors import UsageError
from dmconform.core.trouble import not_written

if TYPE_CHECKING:
    import msgspec

    from dmconform.report.github import Annotation
    from dmconform.report.schema import Report


def print_report(form: str, report: Report, folder: Path, *, details: bool = False) -> None:
    """Prints the answer of a report and where it lies, as `options.add_format` says.

    Args:
        form: what `--format` chose.
        report: just written.
        folder: where it lies.
        details: whether every cause is printed before the answer.
    """
    from rich.console import Console

    from dmconform.report.console import print_answer
    from dmconform.report.details import print_details
    from dmconform.report.github import tell_github

    if details:
        print_details(report, Console())
    print_answer(report, Console(), folder / "index.html")
    if form == "github":
        tell_github(report, folder / "matrix.md")


def print_result(
    form: str,
    value: msgspec.Struct,
    text: Callable[[], None],
    markdown: Callable[[], str],
    annotations: Callable[[], Iterable[Annotation]],
) -> None:
    """Prints a result as `options.add_result_format` says.

    Args:
        form: what `--format` chose.
        value: printed for `json`.
        text: prints it for people.
        markdown: returns it for an issue or a job's summary.
        annotations: what GitHub is to show beside the job.
    """
    from dmconform.report.github import add_to_summary, limited

    match form:
        case "json":
            print(as_json(value), end="")
        case "markdown":
            print(markdown(), end="")
        case "github":
            for annotation in limited(annotations()):
                print(annotation)
            add_to_summary(markdown())
        case _:
            text()


def as_json(value: msgspec.Struct) -> str:
    """Returns a value as JSON of several lines, with a line break at the end."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value), indent=1).decode() + "\n"


def json_target(named: str | None) -> Path | None:
    """Returns the file that `--json FILE` names; None without it, and for `-`, standard output.

    Raises:
        UsageError: its folder does not exist. It is looked for first, as what follows may take long.
    """
    file = Path(named) if named not in (None, "-") else None
    if file is not None and not file.absolute().parent.is_dir():
        raise UsageError(f"--json {file}: its folder does not exist")
    return file


def write_json(file: Path, text: str) -> None:
    """Writes what `json_target` returned.

    Raises:
        HarnessError: it cannot be written.
    """
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise not_written(f"--json {file}", error) from None


def put_json(named: str | None, text: Callable[[], str], show: Callable[[], None]) -> None:
    """Prints a result, and writes it where `--json` names a file that `json_target` has looked at; for `-` the JSON alone.

    Args:
        named: what `--json` gave.
        text: returns the JSON.
        show: prints the result for people.

    Raises:
        HarnessError: the file cannot be written.
    """
    if named == "-":
        print(text(), end="")
        return
    if named is not None:
        write_json(Path(named), text())
    show()


def put(text: str, file: Path | None) -> None:
    """Writes text to a file of `-o`, or to standard output without one.

    Raises:
        UsageError: there can be no such file.
        HarnessError: it cannot be written.
    """
    if file is None:
        sys.stdout.write(text)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise not_written(str(file), error, what="the result cannot be written there") from error


@contextlib.contextmanager
def kept_folder(name: str, keep: Path | None) -> Iterator[Path]:
    """Yields a folder for the files of Envoys: a temporary one, or a new one that stays.

    Args:
        name: of a temporary one, for people.
        keep: the value of `--keep`.

    Raises:
        UsageError: the folder to be kept is there already.
    """
    from dmconform.envoy.temporary import temporary_folder

    if keep is None:
        with temporary_folder(name) as folder:
            yield folder
    elif keep.exists():
        raise UsageError(f"--keep {keep}: is there already; name a new folder")
    else:
        keep.mkdir(parents=True)
        yield keep.resolve()
