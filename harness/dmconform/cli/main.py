"""The command line: assembles the commands, and runs the one that is named."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from dmconform import __version__
from dmconform.cli import (
    abi,
    build,
    bundle,
    check,
    clean,
    coverage,
    diff,
    differential,
    expectations,
    facts,
    findings,
    gate,
    hosts,
    list,
    merge,
    nightly,
    page,
    pairs,
    plan,
    publish,
    published,
    reproduce,
    run,
    show,
    site,
)
from dmconform.cli.command import Command, Parser
from dmconform.cli.last_resort import DEBUG, explain, shorten_side_effects
from dmconform.core.errors import ExitCode
from dmconform.core.interrupts import ended_like_interrupted
from dmconform.core.streams import prepare_streams


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", action="version", version=f"dmconform {__version__}", help="print the version and exit")
    parser.add_argument(
        DEBUG,
        action="store_true",
        dest="traceback",
        help="show the traceback of an error as well; build and reproduce have another option of this name, so write it before "
        "the command",
    )


DMCONFORM = Command(
    name="dmconform",
    summary="Checks what is promised of Envoy's dynamic modules, on real Envoys, with modules in C++, Go and Rust.",
    examples="""
dmconform check libmy_filter.so
dmconform run --sdk rust@1.39 --host 1.40
dmconform abi diff 1.38 1.39
dmconform list cells --case 'window/*'
""",
    exit_codes={
        0: "what the command looked for is so; the --help of each command says what that is",
        1: "it is not so: a supported cell fails, a module does not work, an ABI breaks one",
        3: "the selection is empty",
        4: "planned work could not run, or the command was interrupted",
    },
    add_arguments=_add_arguments,
    subcommands=(
        check.COMMAND,
        run.COMMAND,
        reproduce.COMMAND,
        bundle.COMMAND,
        build.COMMAND,
        abi.COMMAND,
        hosts.COMMAND,
        differential.COMMAND,
        pairs.COMMAND,
        gate.COMMAND,
        diff.COMMAND,
        show.COMMAND,
        page.COMMAND,
        site.COMMAND,
        nightly.COMMAND,
        plan.COMMAND,
        merge.COMMAND,
        expectations.COMMAND,
        facts.COMMAND,
        coverage.COMMAND,
        findings.COMMAND,
        publish.COMMAND,
        published.COMMAND,
        list.COMMAND,
        clean.COMMAND,
    ),
)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads a command line; `run` of the result is the function that does it.

    Raises:
        SystemExit: help was asked for, or the words make no sense.
    """
    return Parser(DMCONFORM, DMCONFORM.name).parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the tool; returns its exit code. Whatever happens ends as a sentence on standard error."""
    prepare_streams()
    words = sys.argv[1:] if arguments is None else arguments
    if arguments is None:
        shorten_side_effects(words)
    try:
        return _ended(words)
    except KeyboardInterrupt:
        print("dmconform: interrupted", file=sys.stderr)
        return ExitCode.ERROR
    except Exception as error:
        return explain(error, words)


def _ended(words: Sequence[str]) -> int:
    try:
        chosen = parse(words)
    except SystemExit:
        sys.stdout.flush()  # the text of --help, which may not be written at the interpreter's end
        raise
    act: Callable[[argparse.Namespace], int] = chosen.run
    with ended_like_interrupted():
        code = act(chosen)
    sys.stdout.flush()
    return code
