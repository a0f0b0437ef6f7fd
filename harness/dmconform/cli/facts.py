"""`dmconform facts`."""

from __future__ import annotations

import argparse
import fnmatch
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dmconform.cli.command import Command, Group
from dmconform.cli.options import report_file
from dmconform.core import paths
from dmconform.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from dmconform.spec.catalogue import Catalogue
    from dmconform.spec.fact_edits import Edited

_CELLS_SHOWN = 5


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "report",
        nargs="*",
        type=report_file,
        metavar="REPORT",
        help="folder of a run, or its report.json, plain or compressed; of several, the later one counts",
    )
    parser.add_argument("--write", action="store_true", help="write conformance/facts of a checkout: what has no fact gets one")
    parser.add_argument(
        "--correct",
        action="append",
        default=[],
        metavar="GLOB",
        help="cells whose facts are to be what the reports show, such as 'window/*/1.40.0'; may be repeated",
    )


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.spec.catalogue import load_catalogue

    if (arguments.write or arguments.correct) and not arguments.report:
        raise UsageError("--write and --correct need a REPORT whose cells are put on record")
    if arguments.write:
        paths.checkout("facts --write writes conformance/facts")
    catalogue = load_catalogue()
    if not arguments.report:
        return _print_gaps(catalogue)
    return _record(arguments, catalogue)


def _print_gaps(catalogue: Catalogue) -> int:
    """Prints which cells of the default hosts and the reference SDKs have no fact."""
    from dmconform.core.text import counted
    from dmconform.spec.fact_gaps import gaps, never_compared
    from dmconform.spec.facts import known_facts

    found = gaps(catalogue, known_facts())
    for case, cells in found.items():
        print(f"{case}: {counted(len(cells), 'cell')} without a fact, such as {cells[0]}")
    for reason, never in never_compared(catalogue).items():
        print(f"Not compared: {counted(len(never), 'cell')}, such as {never[0]}: {reason}")
    if not found:
        print("Every cell of the default hosts with the reference SDKs has a fact, or is not compared.")
        return ExitCode.OK
    cases = " ".join(f"--case {case}" for case in found)
    print(f"To make them: dmconform run {cases} --out DIR, then dmconform facts DIR --write")
    return ExitCode.FAIL


def _record(arguments: argparse.Namespace, catalogue: Catalogue) -> int:
    """Compares reports with the record, and writes what is to be written."""
    from dmconform.release.publish.publish import refuse_unfit
    from dmconform.report.reading import read_report
    from dmconform.report.recorded import seen_in
    from dmconform.spec.fact_edits import Edit, edited
    from dmconform.spec.facts import load_facts

    facts = load_facts()
    seen = []
    for file in arguments.report:
        report = read_report(file)
        if arguments.write:
            refuse_unfit(report, str(file))
        seen += list(seen_in(report, catalogue.hosts))
    later = {(one.case, one.key): one for one in seen}
    cells = ["/".join((case, *key)) for case, key in later]
    for glob in arguments.correct:
        if not fnmatch.filter(cells, glob):
            raise UsageError(f"--correct {glob}: matches no cell of the reports that ran on a known release")
    cases = {case.id for case in catalogue.cases}
    found = edited(facts, later.values(), cases, lambda cell: any(fnmatch.fnmatchcase(cell, one) for one in arguments.correct))
    for edit in (Edit.LEFT, Edit.CORRECTED, Edit.ADDED, Edit.REMOVED, Edit.SAME):
        _print_cells(edit.value, found.cells[edit], quiet=edit is Edit.SAME)
    if arguments.write:
        _write(found)
    elif found.cells[Edit.LEFT]:
        print("Facts that differ stay as they are unless --correct names their cells: dmconform diff shows how they end.")
    return ExitCode.OK


def _print_cells(what: str, cells: Iterable[str], *, quiet: bool) -> None:
    from dmconform.core.text import counted

    its = tuple(cells)
    print(f"{what}: {counted(len(its), 'fact')}")
    if not quiet:
        for cell in its[:_CELLS_SHOWN]:
            print(f"  {cell}")
        if len(its) > _CELLS_SHOWN:
            print(f"  and {len(its) - _CELLS_SHOWN} more")


def _write(found: Edited) -> None:
    """Writes the files of all areas, and removes those of areas that have none any more."""
    from dmconform.cli.output import put
    from dmconform.spec.fact_edits import facts_texts
    from dmconform.spec.facts import FOLDER

    texts = facts_texts(found.facts)
    for name, text in texts.items():
        put(text, FOLDER / name)
    for file in FOLDER.glob("*.json"):
        if file.name not in texts:
            file.unlink()
    print(f"written: {FOLDER}; git diff shows what changed")


COMMAND = Command(
    name="facts",
    group=Group.CONTRIBUTORS,
    summary="List what has no fact on record, or put on record how the cells of a report ended.",
    description="A fact is how a cell ends on a known release, whatever is promised: outcome, verdict on the ABI string, what "
    "became of the probe, recorded values, the shape of the message. A run compares each cell with its fact.",
    examples="""
dmconform facts
dmconform run --case 'rtld/*' --out /tmp/report
dmconform facts /tmp/report
dmconform facts /tmp/report --write
dmconform facts /tmp/report --write --correct 'rtld/global/*/1.40.0'
""",
    notes="With --write, cells without a fact get one, and the facts of cases that are no more are removed. A fact that "
    "differs stays, unless --correct names its cell: look at it first (dmconform reproduce CELL). Run the report from a clean "
    "clone. Only the very binaries of known releases count, and cells that ended the same way whenever they ran.",
    exit_codes={
        0: "no cell of the default hosts and the reference SDKs is without a fact; with REPORT: it is compared, or written",
        1: "some cells have no fact",
        2: "the report is not fit for it (incomplete, a shard, a changed suite, no known release), a glob matches nothing, "
        "or this is not a checkout",
    },
    add_arguments=_add_arguments,
    run=_run,
)
