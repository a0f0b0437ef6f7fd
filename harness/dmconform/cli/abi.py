"""`dmconform abi`: everything about the ABI as data."""

from __future__ import annotations

from dmconform.cli import (
    abi_diff,
    abi_drift,
    abi_extract,
    abi_faults,
    abi_findings,
    abi_from_binary,
    abi_hooks,
    abi_sdk_use,
)
from dmconform.cli.command import Command, Group

COMMAND = Command(
    name="abi",
    group=Group.DISTRIBUTORS,
    summary="Make, compare and watch the ABI as data: diff, drift, findings and more.",
    description="Makes, compares and watches the ABI as data.",
    examples="""
dmconform abi diff 1.38 1.39
dmconform abi drift abi.h
""",
    exit_codes={
        0: "the subcommand's --help says what it means",
        1: "of diff, drift and findings: something breaks modules that are already built",
    },
    subcommands=(
        abi_diff.COMMAND,
        abi_drift.COMMAND,
        abi_findings.COMMAND,
        abi_extract.COMMAND,
        abi_from_binary.COMMAND,
        abi_hooks.COMMAND,
        abi_faults.COMMAND,
        abi_sdk_use.COMMAND,
    ),
)
