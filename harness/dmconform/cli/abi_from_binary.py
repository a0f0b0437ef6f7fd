"""`dmconform abi from-binary`."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmconform.cli.abi_extract import READ_CODES, add_version
from dmconform.cli.command import Command
from dmconform.core.errors import ExitCode


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="an Envoy, or a module (.so); it is read, never run")
    add_version(parser)


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.abi.loading import abi_json
    from dmconform.abi_diff.from_binary import abi_of_binary
    from dmconform.cli.output import put

    put(abi_json(abi_of_binary(arguments.file, arguments.envoy, arguments.release)), arguments.output)
    return ExitCode.OK


COMMAND = Command(
    name="from-binary",
    summary="Print what an Envoy or a module alone shows of the ABI: names, and the ABI string.",
    examples="""
dmconform abi from-binary ./envoy
dmconform abi from-binary ./libmodule.so -o module.json
""",
    notes="The result has names and the ABI string, where it can be read. Of a module it has the hooks that it defines and the "
    "callbacks that it uses. The file is only read, never run.",
    exit_codes=READ_CODES,
    add_arguments=_add_arguments,
    run=_run,
)
