"""The command line: every command of `dmconform`. Those that are a world of their own are described where they live."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dmconform import __version__
from dmconform.cli.abi import add_abi_parser
from dmconform.cli.bundle import add_bundle_parser
from dmconform.cli.check import add_check_parser
from dmconform.cli.data_commands import add_coverage_parser, add_expectations_parser, add_findings_parser
from dmconform.cli.diff import add_diff_parser
from dmconform.cli.differential import add_sweep_parser
from dmconform.cli.gate import add_gate_parser
from dmconform.cli.hosts import add_hosts_parser
from dmconform.cli.nightly import add_nightly_parser
from dmconform.cli.options import SDK_HELP, add_debug, add_run_options, add_sdk_source, add_selectors
from dmconform.cli.page import add_page_parser
from dmconform.cli.publish import add_publish_parser
from dmconform.cli.report_options import add_format
from dmconform.cli.shards import add_merge_parser, add_plan_parser
from dmconform.core import paths
from dmconform.core.errors import ExitCode, HarnessError

if TYPE_CHECKING:
    from dmconform.sdks.builder import Built, NotBuilt, ToBuild

EXIT_CODES = """\
exit codes:
  0  all promised cells hold
  1  a promised cell fails, a recorded known failure no longer applies, or the static and the run-time half disagree
  2  wrong usage, or a data file with a mistake
  3  the selection is empty
  4  planned work could not run: harness, build or download trouble, or the run was interrupted
"""


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="dmconform",
        formatter_class=raw,
        description="Checks what is promised of Envoy's dynamic modules, on real Envoys, with modules in C++, Go and Rust.",
        epilog="examples:\n  dmconform run\n  dmconform run --sdk rust@1.39 --host 1.40\n"
        "  dmconform check libmy_filter.so\n  dmconform abi diff 1.38 1.39\n"
        "  dmconform list cells --case 'window/*'\n\n" + EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"dmconform {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], help_text: str, examples: str) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name, help=help_text, description=help_text, formatter_class=raw, epilog=f"examples:\n{examples}\n\n{EXIT_CODES}"
        )
        made.set_defaults(run=run)
        return made

    run = command(
        "run",
        _run,
        "Build the probes, run the matrix, write a report. Modules' code runs on this machine, with the rights of the caller.",
        "  dmconform run\n  dmconform run --host all --sdk '*@*:reference' --out /tmp/report\n"
        "  dmconform run --host path:./envoy --case 'window/*' -n 4\n"
        "  dmconform run --sdk 'rust@*:official' --sdk-source /path/to/a/clone/of/envoy",
    )
    add_selectors(run)
    add_run_options(run)
    run.add_argument("--shard", metavar="I/N", help="only the I-th of N parts of equal cost; dmconform merge joins the reports")
    add_format(run)
    run.add_argument("--out", type=Path, metavar="DIR", help=f"new folder for the report (default: {paths.RUNS}/TIME)")

    add_check_parser(commands)
    add_bundle_parser(commands)
    add_diff_parser(commands)
    add_page_parser(commands)
    add_gate_parser(commands)
    add_plan_parser(commands)
    add_merge_parser(commands)
    add_nightly_parser(commands)
    add_publish_parser(commands)
    add_abi_parser(commands)
    add_sweep_parser(commands)
    add_coverage_parser(commands)
    add_findings_parser(commands)
    add_expectations_parser(commands)
    add_hosts_parser(commands)

    listing = command(
        "list", _list, "Show what there is to select.", "  dmconform list hosts\n  dmconform list cells --sdk go@1.39"
    )
    listing.add_argument("what", choices=("hosts", "sdks", "cases", "cells"))
    add_selectors(listing)

    build = command(
        "build",
        _build,
        "Build the probes and leave them in the cache.",
        "  dmconform build --sdk 'rust@*'\n  dmconform build --sdk cpp@1.39:reference --dry-run",
    )
    build.add_argument("--sdk", action="append", default=[], metavar="SPEC", help=SDK_HELP)
    add_sdk_source(build)
    build.add_argument("--dry-run", action="store_true", help="only say what would be built, and why")
    add_debug(build)

    reproduce = command(
        "reproduce",
        _reproduce,
        "Run one cell again, tell all of it, and keep its folder.",
        "  dmconform reproduce window/proxied_traffic/rust@1.39:reference/1.40.0\n"
        "  dmconform reproduce window/proxied_traffic/rust@1.39:reference/1.40.0 --wait --debug",
    )
    reproduce.add_argument("cell", metavar="CELL-ID", help="as reports and dmconform list cells write it")
    reproduce.add_argument(
        "--host", action="append", default=[], metavar="SPEC", help="where the cell's host is no known release"
    )
    reproduce.add_argument("--out", type=Path, metavar="DIR", help=f"new folder for it (default: {paths.RUNS}/TIME)")
    reproduce.add_argument(
        "--wait",
        action="store_true",
        help="then start it once more, stop where it first sends a request, print ports, curl lines and gdb commands, and wait "
        "for Enter or Ctrl-C",
    )
    add_debug(reproduce)
    add_sdk_source(reproduce)

    command("clean", _clean, "Remove everything this tool keeps: its cache, images and containers.", "  dmconform clean")
    return parser


def _new_folder(named: Path | None) -> Path:
    from dmconform.matrix.execute import make_report_folder

    now = datetime.now(UTC)
    return make_report_folder(named or paths.runs_folder() / now.strftime("%Y%m%dT%H%M%S.%fZ"))


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.cli.report_options import print_report
    from dmconform.matrix.run import run_matrix, selection_of

    started = time.time()
    folder = _new_folder(arguments.out)
    report = run_matrix(
        selection_of(arguments), folder, arguments.workers, started, reruns=arguments.reruns, shard=arguments.shard
    )
    print_report(arguments.format, report, folder)
    return report.exit_code


def _list(arguments: argparse.Namespace) -> int:
    from dmconform.cli import listing

    selected = tuple(arguments.host), tuple(arguments.sdk), tuple(arguments.case)
    for line in listing.lines(arguments.what, *selected, everywhere=arguments.everywhere):
        print(line)
    return ExitCode.OK


def _build(arguments: argparse.Namespace) -> int:
    from dmconform.matrix.prepare import Selection, build_sdks, lazy_engine, plan_builds
    from dmconform.sdks.builder import Built
    from dmconform.sdks.inputs import Variant
    from dmconform.spec.catalogue import load_catalogue
    from dmconform.spec.selectors import select_sdks

    catalogue = load_catalogue()
    variant = Variant.DEBUG if arguments.debug else Variant.RELEASE
    selection = Selection(sdks=tuple(arguments.sdk), sdk_source=arguments.sdk_source, variant=variant)
    _, named = select_sdks(selection.sdks, catalogue.sdks)
    cache = paths.cache_folder()
    if arguments.dry_run:
        return _say_what_would_be_built(plan_builds(catalogue, selection, cache))
    with lazy_engine(cache) as engine:
        builds = build_sdks(catalogue, selection, engine, cache)
    trouble = False
    for build in builds:
        if isinstance(build, Built):
            for module in build.stored.modules:
                print(f"{build.sdk.id}  {module.name}  sha256:{module.sha256}  {module.glibc_floor}  {module.path}")
        else:
            print(f"{build.sdk.id}  {build.outcome.value}: {build.problem}")
            trouble |= build.outcome.value == "error" or str(build.sdk.id) in named
    return ExitCode.ERROR if trouble else ExitCode.OK


def _say_what_would_be_built(builds: Iterable[Built | NotBuilt | ToBuild]) -> int:
    from dmconform.sdks.builder import Built, ToBuild

    for build in builds:
        if isinstance(build, ToBuild):
            print(f"{build.sdk.id}  to build: {build.why}")
        elif isinstance(build, Built):
            print(f"{build.sdk.id}  in the cache")
        else:
            print(f"{build.sdk.id}  {build.outcome.value}: {build.problem}")
    return ExitCode.OK


def _reproduce(arguments: argparse.Namespace) -> int:
    from dmconform.matrix.reproduce import reproduce
    from dmconform.sdks.inputs import Variant

    folder = _new_folder(arguments.out)
    try:
        variant = Variant.DEBUG if arguments.debug else Variant.RELEASE
        hosts, source = tuple(arguments.host), arguments.sdk_source
        return reproduce(arguments.cell, hosts, source, folder, variant=variant, wait=arguments.wait)
    finally:
        if not any(folder.iterdir()):
            folder.rmdir()


def _clean(_: argparse.Namespace) -> int:
    from dmconform.containers.clean import clean

    clean(paths.cache_folder())
    return ExitCode.OK


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM ends a command as Ctrl-C does: what it started is ended, its folders go, a run writes its report."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the tool; returns its exit code."""
    chosen = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = chosen.run
    try:
        with _terminated_like_interrupted():
            return run(chosen)
    except HarnessError as error:
        from dmconform.core.terminal import safe_message

        print(safe_message(f"dmconform: {error}"), file=sys.stderr)  # it may quote a file or a host
        return error.exit_code
    except BrokenPipeError:  # who reads the output has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK if chosen.command == "list" else ExitCode.ERROR
    except KeyboardInterrupt:
        print("dmconform: interrupted", file=sys.stderr)
        return ExitCode.ERROR


if __name__ == "__main__":
    sys.exit(main())
