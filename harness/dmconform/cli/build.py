"""`dmconform build`."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dmconform.cli.command import Command, Group
from dmconform.cli.options import add_debug, add_sdk_source, add_sdks
from dmconform.core import paths
from dmconform.core.errors import ExitCode

if TYPE_CHECKING:
    from dmconform.sdks.builder import Built, NotBuilt, ToBuild


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_sdks(parser)
    add_sdk_source(parser)
    add_debug(parser)
    parser.add_argument("--dry-run", action="store_true", help="only print what would be built, and why")


def _run(arguments: argparse.Namespace) -> int:
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
        return _print_what_would_be_built(plan_builds(catalogue, selection, cache))
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


def _print_what_would_be_built(builds: Iterable[Built | NotBuilt | ToBuild]) -> int:
    from dmconform.sdks.builder import Built, ToBuild

    for build in builds:
        if isinstance(build, ToBuild):
            print(f"{build.sdk.id}  to build: {build.why}")
        elif isinstance(build, Built):
            print(f"{build.sdk.id}  in the cache")
        else:
            print(f"{build.sdk.id}  {build.outcome.value}: {build.problem}")
    return ExitCode.OK


COMMAND = Command(
    name="build",
    group=Group.SDK_MAINTAINERS,
    summary="Build the probes and leave them in the cache.",
    description="Builds the probes of SDK versions, leaves them in the cache, and prints their files, hashes and glibc floors.",
    examples="""
dmconform build --sdk 'rust@*'
dmconform build --sdk cpp@1.39 --dry-run  # what would be built, and why
dmconform build --sdk go@1.39:official --sdk-source /path/to/a/clone/of/envoy
""",
    exit_codes={
        0: "all selected SDK versions are built, but for official ones that were not asked for by name and are out of reach",
        3: "no SDK version is selected",
        4: "a build failed, an official SDK that was asked for by name is out of reach, or the command was interrupted",
    },
    add_arguments=_add_arguments,
    run=_run,
)
