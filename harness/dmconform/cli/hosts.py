"""`dmconform hosts`: the Envoy releases that are known."""

from __future__ import annotations

from dmconform.cli import hosts_add
from dmconform.cli.command import Command, Group

COMMAND = Command(
    name="hosts",
    group=Group.DISTRIBUTORS,
    summary="Add an Envoy release to those that are known.",
    examples="""
dmconform hosts add 1.41.0
dmconform hosts add 1.41.0 --write
""",
    exit_codes={0: "the subcommand's --help says what it means"},
    subcommands=(hosts_add.COMMAND,),
)
