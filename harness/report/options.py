"""Options that commands with a report have in common."""

from __future__ import annotations

import argparse


def add_format(parser: argparse.ArgumentParser) -> None:
    """Adds `--format`."""
    parser.add_argument(
        "--format",
        choices=("text", "github"),
        default="text",
        help="github: what counts against the run as annotations as well, and matrix.md in the job's summary (default: text)",
    )
