"""`dmconform expectations`: lists what is wrong with the records of known failures, and changes them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from dmconform.cli.command import Command, Group
from dmconform.core import paths
from dmconform.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from dmconform.spec.expectations import KnownFailure
    from dmconform.spec.inconsistencies import CellIndex

WAYS = ("fail", "crash", "hang", "rejected")
"""How a cell can fail, as `Outcome` has it."""
_CHANGE_CODES = {
    0: "the record is changed",
    2: "wrong usage: there is no such record or cell, or this is not a checkout; or a data file with a mistake",
}


def _add_id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the record's id")


def _add_way(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--outcome", required=True, choices=WAYS, metavar="WAY", help=f"how the cells end: {', '.join(WAYS)}")
    parser.add_argument("--detail", required=True, metavar="REGEX", help="what their detail must match")


def _add_narrow(parser: argparse.ArgumentParser) -> None:
    _add_id(parser)
    parser.add_argument("cell", nargs="*", metavar="CELL-ID", help="a cell that the record is not to cover any more")
    parser.add_argument("--supported", action="store_true", help="also take out all cells that are not supported ones")


def _add_correct(parser: argparse.ArgumentParser) -> None:
    _add_id(parser)
    _add_way(parser)


def _add_extend(parser: argparse.ArgumentParser) -> None:
    _add_id(parser)
    parser.add_argument(
        "--until", required=True, metavar="MINOR", help="the minor with which to look at it again, such as 1.42"
    )


def _add_record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="NEW-ID", help="the id of the new record")
    parser.add_argument("cell", nargs="+", metavar="CELL-ID", help="a cell, or a glob over cells")
    _add_way(parser)
    parser.add_argument("--reason", required=True, help="what is wrong, and whose fault it is")
    parser.add_argument("--evidence", required=True, help="where it was seen; a link, if there is one")
    parser.add_argument(
        "--issue",
        required=True,
        metavar="URL",
        help="where it is reported, as https://…; or 'not reported', if you looked and found nothing (noted with today's date)",
    )
    parser.add_argument("--workaround", metavar="TEXT", help="what users can do until it is fixed, if anything")
    parser.add_argument("--until", metavar="MINOR", help="the minor with which to look at it again, such as 1.42")


def _list(_: argparse.Namespace) -> int:
    from dmconform.spec.catalogue import load_catalogue
    from dmconform.spec.inconsistencies import CellIndex

    catalogue = load_catalogue()
    index = CellIndex(catalogue.supported)
    for record in catalogue.known_failures:
        cells = {cell for glob in record.cells for cell in index.match(glob)}
        until = f", until {record.until}" if record.until else ""
        print(f"{record.id}  {len(cells)} cells, {record.outcome.value}{until}")
    inconsistencies = catalogue.inconsistencies()
    for it in inconsistencies:
        print(f"{it.kind.value.upper()}: {it.record}: {it.text}")
        for cell in it.cells:
            print(f"  {cell}")
        print(f"  fix: {it.fix}")
    return ExitCode.FAIL if inconsistencies else ExitCode.OK


def _changing(change: Callable[[argparse.Namespace], None]) -> Callable[[argparse.Namespace], int]:
    """Returns the function of a subcommand that changes a record of a checkout, and prints the change."""

    def run(arguments: argparse.Namespace) -> int:
        file = paths.KNOWN_FAILURES_FILE
        paths.checkout(f"expectations {arguments.subcommand} writes {file.name}")
        if arguments.subcommand != "record":
            _check_record(arguments.id)
        change(arguments)
        print(f"{arguments.id}: changed in {file.name}; git diff shows it")
        return ExitCode.OK

    return run


def _remove_named(arguments: argparse.Namespace) -> None:
    from dmconform.spec import record_edits

    record_edits.remove(paths.KNOWN_FAILURES_FILE, arguments.id)


def _narrow_named(arguments: argparse.Namespace) -> None:
    _narrow(arguments.id, arguments.cell, supported_only=arguments.supported)


def _correct_named(arguments: argparse.Namespace) -> None:
    from dmconform.core.values import Outcome
    from dmconform.spec import record_edits

    record_edits.set_way(paths.KNOWN_FAILURES_FILE, arguments.id, Outcome(arguments.outcome), arguments.detail)


def _extend_named(arguments: argparse.Namespace) -> None:
    from dmconform.spec import record_edits

    _check_minor(arguments.until)
    record_edits.set_until(paths.KNOWN_FAILURES_FILE, arguments.id, arguments.until)


def _narrow(name: str, out: Iterable[str], *, supported_only: bool) -> None:
    from dmconform.spec import record_edits
    from dmconform.spec.catalogue import load_catalogue
    from dmconform.spec.inconsistencies import CellIndex

    catalogue = load_catalogue()
    record = next(one for one in catalogue.known_failures if one.id == name)
    index = CellIndex(catalogue.supported)
    out = set(out)
    if supported_only:
        out |= {cell for glob in record.cells for cell in index.match(glob) if not index.is_supported(cell)}
    foreign = sorted(cell for cell in out if not record.covers(cell))
    if foreign:
        raise UsageError(f"{name}: does not cover {foreign[0]}; dmconform list cells shows all cells")
    cells = narrowed(record, out, index)
    if not cells:
        raise UsageError(f"{name}: nothing would be left of it; dmconform expectations remove {name}")
    record_edits.set_cells(paths.KNOWN_FAILURES_FILE, name, cells)


def narrowed(record: KnownFailure, out: set[str], index: CellIndex) -> tuple[str, ...]:
    """Returns the record's globs that match anything; one that covers a cell of `out` becomes the other cells it covers."""
    cells: dict[str, None] = {}
    for glob in record.cells:
        found = index.match(glob)
        if out.intersection(found):
            cells |= dict.fromkeys(cell for cell in found if cell not in out)
        elif found:
            cells[glob] = None
    return tuple(cells)


def _record(arguments: argparse.Namespace) -> None:
    from datetime import UTC, datetime

    from dmconform.core.values import Outcome
    from dmconform.spec import record_edits
    from dmconform.spec.catalogue import load_catalogue
    from dmconform.spec.expectations import KnownFailure
    from dmconform.spec.inconsistencies import CellIndex
    from dmconform.spec.issues import NOT_REPORTED

    index = CellIndex(load_catalogue().supported)
    for glob in arguments.cell:
        if not index.match(glob):
            raise UsageError(f"{glob}: matches no cell; dmconform list cells shows them all")
    if any(text.isupper() for text in (arguments.id, arguments.reason, arguments.evidence, arguments.issue)):
        raise UsageError(
            "the words in capitals are to be replaced: an id, whose fault it is and why, where it was seen and is reported"
        )
    if arguments.until:
        _check_minor(arguments.until)
    record = KnownFailure(
        id=arguments.id,
        cells=tuple(arguments.cell),
        outcome=Outcome(arguments.outcome),
        detail=arguments.detail,
        reason=arguments.reason,
        evidence=arguments.evidence,
        until=arguments.until,
        issue=arguments.issue,
        looked_for=datetime.now(UTC).date() if arguments.issue == NOT_REPORTED else None,
        workaround=arguments.workaround,
    )
    record_edits.add(paths.KNOWN_FAILURES_FILE, record)


def _check_record(name: str) -> None:
    from dmconform.core.nearest import unknown
    from dmconform.spec.expectations import load_known_failures

    records = [one.id for one in load_known_failures(paths.KNOWN_FAILURES_FILE)]
    if name not in records:
        raise UsageError(unknown("record", name, records, more="dmconform expectations lists all"))


def _check_minor(text: str) -> None:
    from dmconform.core.versions import Minor

    try:
        Minor.parse(text)
    except ValueError as error:
        raise UsageError(f"--until: {error}") from None


COMMAND = Command(
    name="expectations",
    group=Group.CONTRIBUTORS,
    summary="List the records of known failures with what is wrong with them, or change one.",
    examples="""
dmconform expectations
dmconform expectations remove rust-sdk-1.38-has-no-guard
dmconform expectations narrow some-id window/loads/rust@1.39:official/1.39.3
dmconform expectations extend some-id --until 1.42
""",
    exit_codes={
        0: "nothing is wrong with the records",
        1: "the records have inconsistencies, which are listed with their fixes",
    },
    run=_list,
    subcommands=(
        Command(
            name="remove",
            summary="Take out a record that does not apply any more.",
            examples="dmconform expectations remove rust-sdk-1.38-has-no-guard",
            exit_codes=_CHANGE_CODES,
            add_arguments=_add_id,
            run=_changing(_remove_named),
        ),
        Command(
            name="narrow",
            summary="Take cells, and globs that match nothing, out of a record.",
            examples="""
dmconform expectations narrow some-id
dmconform expectations narrow some-id window/loads/rust@1.39:official/1.39.3
dmconform expectations narrow some-id --supported
""",
            exit_codes=_CHANGE_CODES,
            add_arguments=_add_narrow,
            run=_changing(_narrow_named),
        ),
        Command(
            name="correct",
            summary="Record that the cells fail in another way.",
            examples="dmconform expectations correct some-id --outcome fail --detail 'status 500'",
            exit_codes=_CHANGE_CODES,
            add_arguments=_add_correct,
            run=_changing(_correct_named),
        ),
        Command(
            name="extend",
            summary="Record that it was looked at again, and when to do so next.",
            examples="dmconform expectations extend some-id --until 1.42",
            exit_codes=_CHANGE_CODES,
            add_arguments=_add_extend,
            run=_changing(_extend_named),
        ),
        Command(
            name="record",
            summary="Put a new failure on record.",
            examples="""
dmconform expectations record new-id \\
    window/loads/rust@1.39:official/1.39.3 \\
    --outcome fail --detail 'expected 200' \\
    --reason 'The SDK is at fault: …' --evidence 'Seen on 1.39.3: …' \\
    --issue 'not reported'
""",
            exit_codes=_CHANGE_CODES,
            add_arguments=_add_record,
            run=_changing(_record),
        ),
    ),
)
