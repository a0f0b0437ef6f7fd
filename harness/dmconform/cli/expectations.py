"""What `dmconform expectations` does: lists what is wrong with the records of known failures, and changes them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from dmconform.core import paths
from dmconform.core.errors import ExitCode, UsageError
from dmconform.core.values import Outcome
from dmconform.core.versions import Minor
from dmconform.spec import record_edits
from dmconform.spec.expectations import KnownFailure
from dmconform.spec.inconsistencies import CellIndex


def run_expectations(arguments: argparse.Namespace) -> int:
    """Lists, or changes one record; returns the exit code.

    Raises:
        UsageError: there is no such record or cell, or a data file has a mistake.
    """
    if arguments.action is None:
        return _list()
    file = paths.KNOWN_FAILURES_FILE
    paths.checkout(f"expectations {arguments.action} writes {file.name}")
    if arguments.action == "remove":
        record_edits.remove(file, arguments.id)
    elif arguments.action == "narrow":
        _narrow(arguments.id, arguments.cell, arguments.promised)
    elif arguments.action == "correct":
        record_edits.set_way(file, arguments.id, Outcome(arguments.outcome), arguments.detail)
    elif arguments.action == "extend":
        _check_minor(arguments.until)
        record_edits.set_until(file, arguments.id, arguments.until)
    else:
        _record(arguments)
    print(f"{arguments.id}: changed in {file.name}; git diff shows it")
    return ExitCode.OK


def _list() -> int:
    from dmconform.spec.catalogue import load_catalogue

    catalogue = load_catalogue()
    index = CellIndex(catalogue.promised)
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


def _narrow(name: str, out: Iterable[str], promised_only: bool) -> None:
    from dmconform.spec.catalogue import load_catalogue

    catalogue = load_catalogue()
    record = next((one for one in catalogue.known_failures if one.id == name), None)
    if record is None:
        raise UsageError(f"there is no record {name!r}; dmconform expectations lists them")
    index = CellIndex(catalogue.promised)
    out = set(out)
    if promised_only:
        out |= {cell for glob in record.cells for cell in index.match(glob) if not index.is_promised(cell)}
    unknown = sorted(cell for cell in out if not record.covers(cell))
    if unknown:
        raise UsageError(f"{name}: does not cover {unknown[0]}; dmconform list cells shows all cells")
    cells = narrowed(record, out, index)
    if not cells:
        raise UsageError(f"{name}: nothing would be left of it; dmconform expectations remove {name}")
    record_edits.set_cells(paths.KNOWN_FAILURES_FILE, name, cells)


def narrowed(record: KnownFailure, out: set[str], index: CellIndex) -> tuple[str, ...]:
    """The record's globs that match anything; one that covers a cell of `out` becomes the other cells it covers."""
    cells: dict[str, None] = {}
    for glob in record.cells:
        found = index.match(glob)
        if out.intersection(found):
            cells |= dict.fromkeys(cell for cell in found if cell not in out)
        elif found:
            cells[glob] = None
    return tuple(cells)


def _record(arguments: argparse.Namespace) -> None:
    from dmconform.spec.catalogue import load_catalogue

    index = CellIndex(load_catalogue().promised)
    for glob in arguments.cell:
        if not index.match(glob):
            raise UsageError(f"{glob}: matches no cell; dmconform list cells shows them all")
    if arguments.id.isupper() or arguments.reason.isupper() or arguments.evidence.isupper():
        raise UsageError("the words in capitals are to be replaced: an id, whose fault it is and why, where it was seen")
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
    )
    record_edits.add(paths.KNOWN_FAILURES_FILE, record)


def _check_minor(text: str) -> None:
    try:
        Minor.parse(text)
    except ValueError as error:
        raise UsageError(f"--until: {error}") from None
