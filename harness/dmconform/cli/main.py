"""The command line: assembles the commands, and runs the one that is named."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

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
    findings,
    gate,
    hosts,
    list,
    merge,
    nightly,
    page,
    plan,
    publish,
    published,
    reproduce,
    run,
)
from dmconform.cli.command import Command, Parser
from dmconform.core.errors import ExitCode, HarnessError

if TYPE_CHECKING:
    from typing_extensions import Buffer


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", action="version", version=f"dmconform {__version__}", help="print the version and exit")


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
        gate.COMMAND,
        diff.COMMAND,
        page.COMMAND,
        nightly.COMMAND,
        plan.COMMAND,
        merge.COMMAND,
        expectations.COMMAND,
        coverage.COMMAND,
        findings.COMMAND,
        publish.COMMAND,
        published.COMMAND,
        list.COMMAND,
        clean.COMMAND,
    ),
)


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Makes SIGTERM end a command as Ctrl-C does.

    Its children are ended, its folders are removed, and a run writes its report.
    """

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _ForgivingOutput(io.FileIO):
    """Standard output that goes nowhere once its reader is gone, as `head` is soon: the command ends with its exit code."""

    def write(self, data: Buffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            _discard(self.fileno())
            return memoryview(data).nbytes
        except OSError as error:
            _discard(self.fileno())
            raise HarnessError(f"standard output cannot be written: {error.strerror}") from error


def _discard(descriptor: int) -> None:
    """Makes what is written to a file descriptor from now on go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _forgive_readers() -> None:
    """Puts `_ForgivingOutput` below `sys.stdout`, unless that is another one already, as in a test."""
    output = sys.stdout
    if output is not sys.__stdout__ or output is None:
        return
    raw = _ForgivingOutput(output.fileno(), "w", closefd=False)
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=output.encoding, errors=output.errors, line_buffering=output.line_buffering
    )


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads a command line; `run` of the result is the function that does it.

    Raises:
        SystemExit: help was asked for, or the words make no sense.
    """
    return Parser(DMCONFORM, DMCONFORM.name).parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the tool; returns its exit code."""
    _forgive_readers()
    try:
        return _ended(arguments)
    except BrokenPipeError:  # of standard error
        _discard(sys.stderr.fileno())
        return ExitCode.ERROR
    except KeyboardInterrupt:
        print("dmconform: interrupted", file=sys.stderr)
        return ExitCode.ERROR


def _ended(arguments: Sequence[str] | None) -> int:
    chosen = parse(arguments)
    act: Callable[[argparse.Namespace], int] = chosen.run
    try:
        with _terminated_like_interrupted():
            code = act(chosen)
        sys.stdout.flush()
    except HarnessError as error:
        from dmconform.core.terminal import safe_message

        print(safe_message(f"dmconform: {error}"), file=sys.stderr)  # it may quote a file or a host
        return error.exit_code
    return code


if __name__ == "__main__":
    sys.exit(main())
