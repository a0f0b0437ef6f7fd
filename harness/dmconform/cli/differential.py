"""`dmconform differential`."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmconform.cli.command import Command, Group
from dmconform.cli.options import add_hosts
from dmconform.core.errors import ExitCode, UsageError


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--abi", action="append", default=[], metavar="X.Y", help="a minor; may be repeated (default: all)")
    add_hosts(parser, default="those that the documents promise to support")
    parser.add_argument("--json", metavar="FILE", help="write the result as JSON too; - is standard output, then alone")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--no-probes", action="store_true", help="do not build or look at the probes")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="new folder for the Envoys' files (default: none is kept)")


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.cli.output import json_target, kept_folder, put_json
    from dmconform.measure.differential.present import as_markdown, print_swept
    from dmconform.measure.differential.request import DifferentialRequest, run_request
    from dmconform.measure.differential.result import as_json

    if arguments.json == "-" and arguments.markdown:
        raise UsageError("--markdown together with --json -: standard output has the JSON alone; name a file for it")
    json_target(arguments.json)
    with kept_folder("differential", arguments.keep) as folder:
        compared = run_request(
            DifferentialRequest(tuple(arguments.abi), tuple(arguments.host), probes=not arguments.no_probes), folder
        )

    def show() -> None:
        if arguments.markdown:
            print(as_markdown(compared), end="")
        else:
            print_swept(compared)

    put_json(arguments.json, lambda: as_json(compared), show)
    if compared.broken:
        return ExitCode.FAIL
    return ExitCode.ERROR if compared.incomplete else ExitCode.OK


COMMAND = Command(
    name="differential",
    group=Group.DISTRIBUTORS,
    summary="Differential test: call all callbacks on several hosts and compare what they give.",
    description="Calls the callbacks of the ABI from a generated module in real Envoys, and compares what they give with what "
    "they give on the minor that the module was built for. Shows what changed in behaviour and in no signature, and which "
    "callbacks are covered.",
    examples="""
dmconform differential  # all minors, each on its hosts and the next minor's
dmconform differential --abi 1.39  # one minor
dmconform differential --abi 1.38 --host all  # unsupported hosts, too
""",
    exit_codes={
        0: "no supported host differs, except as it is on record",
        1: "a supported host differs, or a record no longer applies",
        4: "something could not be judged: a host or the compiler is out of reach, or a host refuses the module on its own "
        "minor; or the command was interrupted",
    },
    add_arguments=_add_arguments,
    run=_run,
)
