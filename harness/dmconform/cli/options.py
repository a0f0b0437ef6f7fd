"""Options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from dmconform.core.errors import UsageError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.nearest import unknown
from dmconform.core.paths import report_in

SEVERAL_HELP = "several in one word are separated by blanks; may be repeated"
HOST_HELP = f"1.39 (newest known clean patch), 1.39.3, all, path:FILE or image:REF; {SEVERAL_HELP}"
SDK_HELP = f"LANGUAGE@VERSION[:PROVIDER], such as rust@1.39, 'go@*', cpp@1.38..1.40:official; {SEVERAL_HELP}"
CASE_HELP = f"a glob over case ids, such as 'rtld/*'; {SEVERAL_HELP}"
EVERYWHERE_HELP = (
    "all cases on all pairs of SDK and host; without it, most run only where the documents say something about the pair"
)
RERUNS = 2
FACTS = ("fail", "warn", "ignore")
"""The values of `--facts`, as `FactsLevel` has them; the first is the default."""
CELL_HELP = "as reports and dmconform list cells write it"


def add_hosts(parser: argparse.ArgumentParser, *, default: str = "") -> None:
    """Adds `--host`; `default` says which hosts are taken without it."""
    text = f"{HOST_HELP} (default: {default})" if default else HOST_HELP
    parser.add_argument("--host", action="extend", type=_several_hosts, default=[], metavar="SPEC", help=text)


def _several_hosts(text: str) -> list[str]:
    """Returns the hosts that one word names; the path of a file that exists may have blanks in it."""
    kind, _, file = text.partition(":")
    return [text] if kind == "path" and Path(file).exists() else text.split()


def add_sdks(parser: argparse.ArgumentParser) -> None:
    """Adds `--sdk`."""
    parser.add_argument("--sdk", action="extend", type=str.split, default=[], metavar="SPEC", help=SDK_HELP)


def add_selectors(parser: argparse.ArgumentParser) -> None:
    """Adds `--host`, `--sdk`, `--case` and `--everywhere`."""
    add_hosts(parser)
    add_sdks(parser)
    parser.add_argument("--case", action="extend", type=str.split, default=[], metavar="GLOB", help=CASE_HELP)
    parser.add_argument("--everywhere", action="store_true", help=EVERYWHERE_HELP)


def add_sdk_source(parser: argparse.ArgumentParser) -> None:
    """Adds `--sdk-source`."""
    parser.add_argument(
        "--sdk-source",
        metavar="URL-or-path",
        help="repository with the official SDKs: a mirror or a clone; ending in #COMMIT, #BRANCH or #TAG: the SDK of "
        "that commit, not the release's "
        "(also DMCONFORM_SDK_SOURCE; default: Envoy's repository)",
    )


def add_debug(parser: argparse.ArgumentParser) -> None:
    """Adds `--debug`."""
    parser.add_argument("--debug", action="store_true", help="modules that keep symbols and line numbers; built apart, once")


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--sdk-source`, `-n`, `--reruns` and `--facts`."""
    add_sdk_source(parser)
    parser.add_argument("-n", dest="workers", default="auto", metavar="N", help="cells at once (default: one per processor)")
    parser.add_argument(
        "--reruns",
        type=int,
        default=RERUNS,
        metavar="N",
        help="how often cells that fail the run are run again, alone, to see whether they are flaky; "
        f"the verdict stays (default: {RERUNS}; some cells of each cause)",
    )
    parser.add_argument(
        "--facts",
        choices=FACTS,
        default=FACTS[0],
        help="what becomes of a cell that does not behave as is on record of the release that its host is or calls itself: it "
        "fails the run, is a warning, or is not looked at (default: fail)",
    )


def worker_count(text: str) -> int:
    """Returns how many things are done at once, as `-n` says.

    Raises:
        ArgumentTypeError: it is not a number from 1 on.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, got {text!r}")
    return int(text)


def extension_point(text: str) -> ExtensionPoint:
    """Returns the extension point that a word names, for argparse.

    Raises:
        UsageError: there is none of this name.
    """
    try:
        return ExtensionPoint(text)
    except ValueError:
        known = [point.value for point in ExtensionPoint]
        raise UsageError(f"--extension-point: {unknown('extension point', text, known)}") from None


def refuse_without_effect(arguments: argparse.Namespace, names: Iterable[str], beside: str) -> None:
    """Refuses options whose values could have no effect.

    Args:
        arguments: the command line.
        names: where their values are in it.
        beside: the option that makes them useless, and why.

    Raises:
        UsageError: one of them was given.
    """
    for name in names:
        value = getattr(arguments, name)
        if value is not None and value is not False and value != _UNSET.get(name, []):
            option = _SPELT.get(name, f"--{name.replace('_', '-')}")
            raise UsageError(f"{option} together with {beside}; leave one of the two out")


_SPELT = {"workers": "-n", "out": "-o"}
_UNSET = {"workers": "auto", "reruns": RERUNS, "facts": FACTS[0], "shards": 1, "format": "text"}
"""What options have that were not given, where that is not None."""


def add_cell(parser: argparse.ArgumentParser) -> None:
    """Adds the operand CELL-ID, and `--host` for a cell whose host is not a known release."""
    parser.add_argument("cell", metavar="CELL-ID", help=CELL_HELP)
    parser.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="SPEC",
        help="path:FILE or image:REF, if the cell's host is not a known release",
    )


def add_measuring_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of a measurement on several hosts, whose result is a file of the repository."""
    add_hosts(parser, default="all")
    parser.add_argument(
        "-o", dest="out", type=Path, metavar="FILE", help="where to write it (default: the file of a checkout, renewed)"
    )
    parser.add_argument(
        "-n", dest="workers", type=worker_count, metavar="N", help="Envoys at once (default: one per processor)"
    )


def add_format(parser: argparse.ArgumentParser) -> None:
    """Adds `--format` to a command whose result is a report."""
    parser.add_argument(
        "--format",
        choices=("text", "github"),
        default="text",
        help="github: what fails the run as annotations as well, and matrix.md in the job's summary (default: text)",
    )
    add_details(parser)


def add_details(parser: argparse.ArgumentParser) -> None:
    """Adds `--details` to a command that prints the answer of a report."""
    parser.add_argument(
        "--details", action="store_true", help="first the whole matrix, every cause of a failure, and why cells did not run"
    )


def add_result_format(parser: argparse.ArgumentParser) -> None:
    """Adds `--format` to a command whose result `output.print_result` prints."""
    parser.add_argument(
        "--format",
        choices=("text", "markdown", "json", "github"),
        default="text",
        help="github: annotations, and the Markdown in the job's summary (default: text)",
    )


def add_exit_zero(parser: argparse.ArgumentParser, result: str) -> None:
    """Adds `--exit-zero`; `result` is what another command judges."""
    parser.add_argument(
        "--exit-zero",
        action="store_true",
        help=f"exit code 0 once {result} is written, whatever it says, because another command judges it",
    )


def report_file(text: str) -> Path:
    """Returns the report that an argument names: the file, plain or compressed, or that in the folder of a run."""
    path = Path(text)
    return report_in(path) if path.is_dir() else path
