"""`dmconform clean`."""

from __future__ import annotations

import argparse

from dmconform.cli.command import Command, Group
from dmconform.core import paths
from dmconform.core.errors import ExitCode


def _run(_: argparse.Namespace) -> int:
    from dmconform.containers.clean import clean

    clean(paths.cache_folder())
    return ExitCode.OK


COMMAND = Command(
    name="clean",
    group=Group.EVERYBODY,
    summary="Remove everything that this tool keeps: its cache, images and containers.",
    examples="dmconform clean",
    exit_codes={0: "they are removed", 2: "wrong usage", 4: "something could not be removed, or the command was interrupted"},
    run=_run,
)
