"""`dmconform findings`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from dmconform.cli.command import Command, Group
from dmconform.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from dmconform.spec.catalogue import Catalogue


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--defects", action="store_true", help="the page of defects by release, docs/defects.md, instead")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true", help="write the page into a checkout's docs/ instead of printing it")
    what.add_argument(
        "--issue",
        metavar="ID",
        help="print the text of a report of one finding or known failure, to be filed with the project at fault",
    )


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.cli.pages import defects_text, findings_text, write_or_print
    from dmconform.spec.catalogue import load_catalogue

    if arguments.defects and arguments.issue is not None:
        raise UsageError("--issue prints the report of a finding or a known failure, and --defects a page: choose one of them")
    catalogue = load_catalogue()
    if arguments.defects:
        return write_or_print(defects_text(catalogue), "defects", write=arguments.write)
    if arguments.issue is not None:
        return _issue(catalogue, arguments.issue)
    return write_or_print(findings_text(catalogue), "findings", write=arguments.write)


def _unknown(name: str, ids: list[str]) -> str:
    """Returns the message that refuses an id, with those that are like it."""
    from dmconform.core.nearest import unknown

    parts = [one for one in ids if name and name in one]
    if parts:
        return f"unknown finding or known failure {name}: did you mean {' or '.join(parts)}?"
    return unknown("finding or known failure", name, ids, more="dmconform findings has all")


def _issue(catalogue: Catalogue, name: str) -> int:
    from dmconform.core import paths
    from dmconform.report.issue import issue_text, of_finding, of_record
    from dmconform.spec.inconsistencies import CellIndex
    from dmconform.spec.issues import NOT_REPORTED
    from dmconform.spec.steps import load_steps

    records = {one.id: one for one in catalogue.known_failures}
    findings = {one.id: one for one in catalogue.findings}
    if name in records:
        one = of_record(records[name], CellIndex(catalogue.supported), catalogue.cases, catalogue.requirements)
    elif name in findings:
        one = of_finding(findings[name], catalogue.requirements)
    else:
        raise UsageError(_unknown(name, [*records, *findings]))
    if one.issue != NOT_REPORTED:
        print(f"{name}: is reported, or was changed, there: {one.issue}")
        return ExitCode.OK
    made = issue_text(one, load_steps(paths.STEPS_FILE).get(name), catalogue.hosts, catalogue.sdks)
    print(made.text, end="")
    print(
        f"dmconform: before you file it, look for a report again (last done on {one.looked_for}). What lets untrusted traffic "
        "end Envoy is reported in private: https://github.com/envoyproxy/envoy/security/policy",
        file=sys.stderr,
    )
    for lack in made.lacks:
        print(f"dmconform: the text lacks {lack}", file=sys.stderr)
    return ExitCode.FAIL if made.lacks else ExitCode.OK


COMMAND = Command(
    name="findings",
    group=Group.CONTRIBUTORS,
    summary="Print what was found on real hosts and SDKs, write its pages, or print a report.",
    description="Prints what was found on real hosts and SDKs, as docs/findings.md has it. With --defects, prints which "
    "releases have which defect, as docs/defects.md has it. With --issue, prints the text of "
    "a report of one finding or known failure that is not reported yet: versions, what the documents say, what was seen, and "
    "steps with a minimal configuration that need nothing but an Envoy. It says no more than the record: what is missing is "
    "asked for in square brackets.",
    examples="""
dmconform findings
dmconform findings --write
dmconform findings --defects --write
dmconform findings --issue truncated-module-ends-host >report.md
""",
    exit_codes={
        0: "the page is printed or written, whatever it says; the text of a report is complete, or the address where it is "
        "reported is printed",
        1: "the text of a report lacks something, which it asks for by name",
        2: "wrong usage, such as an id that does not exist; or a data file with a mistake",
    },
    add_arguments=_add_arguments,
    run=_run,
)
