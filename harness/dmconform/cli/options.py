"""Options that say which cells a command is about."""

from __future__ import annotations

import argparse

HOST_HELP = "1.39 (newest known patch), 1.39.3, all, path:FILE or image:REF; may be repeated"
SDK_HELP = "LANGUAGE@VERSION[:PROVIDER], such as rust@1.39, 'go@*', cpp@1.38..1.40:official; may be repeated"
CASE_HELP = "a glob over case ids, such as 'rtld/*'; may be repeated"
EVERYWHERE_HELP = (
    "all cases on all pairs of SDK and host; without it, most run only where the documents say something of the pair"
)


def add_selectors(parser: argparse.ArgumentParser) -> None:
    """Adds `--host`, `--sdk`, `--case` and `--everywhere`."""
    parser.add_argument("--host", action="append", default=[], metavar="SPEC", help=HOST_HELP)
    parser.add_argument("--sdk", action="append", default=[], metavar="SPEC", help=SDK_HELP)
    parser.add_argument("--case", action="append", default=[], metavar="GLOB", help=CASE_HELP)
    parser.add_argument("--everywhere", action="store_true", help=EVERYWHERE_HELP)


def add_sdk_source(parser: argparse.ArgumentParser) -> None:
    """Adds `--sdk-source`."""
    parser.add_argument(
        "--sdk-source",
        metavar="URL-or-path",
        help="repository with the official SDKs: a mirror or a clone; ending in #COMMIT: that commit's SDK, not the release's "
        "(also DMCONFORM_SDK_SOURCE; default: Envoy's own)",
    )


def add_debug(parser: argparse.ArgumentParser) -> None:
    """Adds `--debug`."""
    parser.add_argument("--debug", action="store_true", help="modules that keep symbols and line numbers; built apart, once")


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--sdk-source`, `-n` and `--reruns`."""
    add_sdk_source(parser)
    parser.add_argument("-n", dest="workers", default="auto", metavar="N", help="cells at once (default: one per processor)")
    parser.add_argument(
        "--reruns",
        type=int,
        default=2,
        metavar="N",
        help="how often cells that count against the run are run again, alone, to tell whether they end the same way; "
        "the verdict stays (default: 2; some cells of each cause)",
    )
