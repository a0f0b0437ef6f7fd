"""`dmconform abi faults`: measures what hosts do with modules that have one fault, and writes it down."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmconform.cli.command import Command
from dmconform.cli.options import add_measuring_options, refuse_without_effect
from dmconform.core import paths
from dmconform.core.errors import ExitCode


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_measuring_options(parser)
    parser.add_argument("--page", action="store_true", help="only write docs/faults.md anew")


def page_file() -> Path:
    """Returns the page that is made from the repository's data."""
    return paths.checkout("abi faults without -o writes module_faults.json and docs/faults.md") / "docs" / "faults.md"


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.abi.fault_reactions import FILE, Faults, faults_json, load_faults, merged
    from dmconform.measure.faults.page import faults_page
    from dmconform.measure.faults.run import measure_faults_of

    if arguments.page:
        refuse_without_effect(
            arguments, ("host", "out", "workers"), "--page: nothing is measured, and only the page is written"
        )
    out: Path = arguments.out or FILE
    if out == FILE:
        page_file()  # what cannot be written is not measured
    if not arguments.page:
        fresh = measure_faults_of(tuple(arguments.host) or ("all",), arguments.workers)
        known = load_faults() if out == FILE and FILE.exists() else Faults(())
        renewed = known.replaced(fresh) if arguments.host else merged(fresh)
        out.write_text(faults_json(renewed), encoding="utf-8")
        print(out)
    if out == FILE:
        page = page_file()
        page.write_text(faults_page(load_faults()), encoding="utf-8")
        print(page)
    return ExitCode.OK


COMMAND = Command(
    name="faults",
    summary="Fault injection: measure what hosts do with a module whose hook is missing, or returns null.",
    examples="""
dmconform abi faults  # all known releases; rewrites the file and its page
dmconform abi faults --host 1.40  # one release; the others stay as they are
dmconform abi faults --host path:./envoy -o /tmp/faults.json
dmconform abi faults --page  # measures nothing: only docs/faults.md
""",
    notes="Modules' code runs on this machine, with your rights: that of generated modules which do nothing, or crash.",
    exit_codes={
        0: "measured and written",
        4: "it could not be measured: trouble with the harness, a build or a download; or the command was interrupted",
    },
    add_arguments=_add_arguments,
    run=_run,
)
