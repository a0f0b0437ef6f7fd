"""`dmconform list`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from dmconform.cli.command import Command, Group
from dmconform.cli.options import add_selectors
from dmconform.core import paths
from dmconform.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dmconform.spec.listing import ListedCell, Listing

LOOKED_AT = {
    "hosts": ("host",),
    "sdks": ("sdk",),
    "cases": ("case",),
    "cells": ("host", "sdk", "case", "everywhere"),
}
"""What can be listed, and the selectors that have an effect there."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=tuple(LOOKED_AT), help="what to list: hosts, sdks, cases or cells")
    add_selectors(parser)
    schema = paths.named("reports/schema/list-2.schema.json").replace("%", "%%")
    parser.add_argument("--json", action="store_true", help=f"print JSON; its schema is {schema}")


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.cli.output import as_json
    from dmconform.spec.catalogue import load_catalogue
    from dmconform.spec.listing import Selectors, listing

    _refuse_without_effect(arguments)
    selectors = Selectors(tuple(arguments.host), tuple(arguments.sdk), tuple(arguments.case), arguments.everywhere)
    found = listing(arguments.what, selectors, load_catalogue())
    if arguments.json:
        print(as_json(found), end="")
    else:
        for line in _table(found):
            print(line)
    return ExitCode.OK


def _refuse_without_effect(arguments: argparse.Namespace) -> None:
    for name in LOOKED_AT["cells"]:
        if getattr(arguments, name) and name not in LOOKED_AT[arguments.what]:
            raise UsageError(f"--{name} has no effect on list {arguments.what}; expected it with list cells")


def _table(found: Listing) -> Iterator[str]:
    """Yields the lines of a table, then how many there are."""
    from dmconform.core.table import Column, lines, output_width

    def cut(heading: str) -> Column:
        return Column(heading, may_be_cut=True)

    rows: list[tuple[str, ...]]
    columns: tuple[Column, ...]
    if found.hosts is not None:
        columns = (*map(Column, ("HOST", "DEFAULT", "BUILD", "OTHER ABI", "DLOPEN")), *map(cut, ("ABI", "COMMIT", "SHA-256")))
        what, rows = "hosts", []
        for host in found.hosts:
            checks = {"exact": "refused", "warn": "warned about", None: "-"}
            known = checks[host.abi_check], host.opens or "-", host.abi_version or "-"
            built = host.commit or "-", host.binary_sha256 or "-"
            build = (host.build_type or "-").partition(" ")[0].lower()
            rows.append((host.spec, "yes" if host.default else "", build, *known, *built))
    elif found.sdks is not None:
        columns = (Column("SDK"), Column("RELEASE"), cut("ABI"))
        what, rows = "SDK versions", [(sdk.id, sdk.release, sdk.abi_version) for sdk in found.sdks]
    elif found.cases is not None:
        columns = (Column("CASE"), cut("TITLE"))
        what, rows = "cases", [(case.id, case.title) for case in found.cases]
    else:
        columns = (Column("CELL"), Column("PAIR"))
        what, rows = "cells", [(cell.id, _pair(cell)) for cell in found.cells or ()]
    yield from lines(columns, rows, output_width())
    yield f"{len(rows)} {what if len(rows) != 1 else what.removesuffix('s')}"


def _pair(cell: ListedCell) -> str:
    return " ".join(filter(None, [cell.relation.value, f"({', '.join(cell.promises)})" if cell.promises else ""]))


COMMAND = Command(
    name="list",
    group=Group.EVERYBODY,
    summary="Show what there is to select: hosts, SDK versions, cases, cells.",
    description="Shows what there is to select. Nothing is downloaded or built.",
    examples="""
dmconform list hosts
dmconform list cells --sdk go@1.39 --case 'rtld/*'
dmconform list sdks --json
""",
    notes="A table is as wide as the terminal (COLUMNS), and of any width in a file or a pipe; use --json for programs.",
    exit_codes={0: "the list is printed", 3: "the selectors select nothing"},
    add_arguments=_add_arguments,
    run=_run,
)
