"""`dmconform abi sdk-use`."""

from __future__ import annotations

import argparse
import sys

from dmconform.cli.command import Command
from dmconform.cli.options import add_sdk_source, add_sdks
from dmconform.core import paths
from dmconform.core.errors import ExitCode


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_sdks(parser)
    add_sdk_source(parser)
    parser.add_argument(
        "--write", action="store_true", help="write conformance/abi/sdk_use.json of a checkout anew instead of printing it"
    )


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.abi_diff.uses import SDK_USE_FILE
    from dmconform.core.progress import say
    from dmconform.matrix.prepare import Selection, build_sdks, lazy_engine
    from dmconform.measure.sdk_use import Measured, measure, merged, recorded, uses_json
    from dmconform.sdks.builder import Built
    from dmconform.sdks.sources import SourceRepository
    from dmconform.spec.catalogue import load_catalogue

    if arguments.write:
        paths.checkout("abi sdk-use --write writes conformance/abi/sdk_use.json")
    cache = paths.cache_folder()
    selection = Selection(sdks=tuple(arguments.sdk), sdk_source=arguments.sdk_source)
    with lazy_engine(cache) as engine:
        builds = build_sdks(load_catalogue(), selection, engine, cache)
    repository = SourceRepository(selection.repository, cache, say)
    measured: list[Measured] = []
    for build in builds:
        if not isinstance(build, Built):
            say(f"{build.sdk.id}: not built, what is on record stays: {build.problem.splitlines()[0]}")
            continue
        one = measure(build, repository)
        measured.append(one)
        if one.sources_problem:
            say(f"{build.sdk.id}: its sources were not looked at, what is on record stays: {one.sources_problem}")
    text = uses_json(merged(recorded(), tuple(measured)))
    if arguments.write:
        SDK_USE_FILE.write_text(text, encoding="utf-8")
        say(f"{SDK_USE_FILE.name}: {len(measured)} SDK versions measured")
    else:
        sys.stdout.write(text)
    return ExitCode.OK if measured else ExitCode.ERROR


COMMAND = Command(
    name="sdk-use",
    summary="Measure which callbacks and hooks the modules of each SDK version use.",
    description="Builds the probes (or takes them from the cache) and reads them and the sources of the SDKs. Prints what it "
    "found; SDK versions that are out of reach now keep what conformance/abi/sdk_use.json has of them.",
    examples="""
dmconform abi sdk-use --write
dmconform abi sdk-use --sdk 'rust@*' --sdk-source /path/to/a/clone
""",
    exit_codes={
        0: "at least one SDK version is measured",
        3: "no SDK version is selected",
        4: "nothing could be measured, or the command was interrupted",
    },
    add_arguments=_add_arguments,
    run=_run,
)
